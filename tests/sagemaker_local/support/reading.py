"""Requests that remember which of their members somebody read, also after they were stored and copied."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_local.core.cloud import Call
from sagemaker_local.core.resources import Resources
from sagemaker_local.core.shapes import service_model
from sagemaker_local.core.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sagemaker_local.core.cloud import Handler
    from sagemaker_local.core.store import Record

SERVICES = ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "codecommit")
_asked: ContextVar[str] = ContextVar("asked")


class Reading(dict[str, Any]):
    """A structure of a request; a member counts as read when it is asked for by its name, and not when all are."""

    def __init__(self, members: dict[str, Any], path: str, seen: set[str]) -> None:
        super().__init__(members)
        self._path, self._seen = path, seen

    def __getitem__(self, name: str) -> Any:
        self._seen.add(f"{self._path}.{name}")
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member, and remember that it was read."""
        self._seen.add(f"{self._path}.{name}")
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._seen.add(f"{self._path}.{name}")
        return super().__contains__(name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Reading:
        return Reading({name: deepcopy(value, memo) for name, value in self.items()}, self._path, self._seen)


def _read(shape: Any, value: Any, path: str, seen: set[str]) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name: _read(shape.members[name], item, f"{path}.{name}", seen) for name, item in value.items()}
        return Reading(members, path, seen)
    if shape.type_name == "list" and isinstance(value, list):
        return [_read(shape.member, item, path, seen) for item in value]
    return value


def plain(value: Any) -> Any:
    """Return a value whose readers nobody remembers."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def input_shape(operation: str) -> Any:
    """Return the shape of an operation's request, of whichever API it is."""
    models = (service_model(service) for service in SERVICES)
    return next(model for model in models if operation in model.operation_names).operation_model(operation).input_shape


def watched(handler: Handler, seen: set[str]) -> Handler:
    """Return a handler whose reading of a request, and of what it stores of it, is kept in `seen`."""

    def handle(call: Call) -> dict[str, Any]:
        request = _read(input_shape(call.operation), call.request, call.operation, seen)
        token = _asked.set(call.operation)
        try:
            return dict(plain(handler(Call(call.operation, request, call.access_key, call.principal))))
        finally:
            _asked.reset(token)

    return handle


@contextmanager
def stored_requests_watched(seen: set[str]) -> Iterator[None]:
    """Let what a watched handler stores be watched, too: it is the request with members of the service's own."""
    create: Callable[..., None] = Store.create
    make: Callable[..., Record] = Resources.create

    def watch(record: Record) -> Record:
        asked = _asked.get("")
        return Reading(record, asked, seen) if asked else record

    def keep(store: Store, kind: str, name: str, record: Record) -> None:
        create(store, kind, name, watch(record))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "create", keep)
        patch.setattr(Resources, "create", lambda *given, **members: watch(make(*given, **members)))
        yield


def leaves(operation: str) -> dict[str, Any]:
    """Return the shapes of the members of an operation's request that hold values, by their paths."""
    shape = input_shape(operation)
    return dict(_leaves(shape, operation, ())) if shape else {}


def _leaves(shape: Any, path: str, above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if shape.type_name == "structure" and shape.name not in above:
        for name, member in shape.members.items():
            yield from _leaves(member, f"{path}.{name}", (*above, shape.name))
    elif shape.type_name == "list":
        yield from _leaves(shape.member, path, above)
    else:
        yield path, shape
