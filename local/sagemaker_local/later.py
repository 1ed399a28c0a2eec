"""Modules that are loaded when they are first used, and what is changed in them at that moment.

CloudFormation alone is more than half of what ministack loads when all of its services are asked for, and most of the
services that are changed here are asked for minutes later, or never: a cloud that loads them at once answers late.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

type Change = Callable[[], object]

_changes: dict[str, list[Change]] = {}


class Later:
    """A module under another name, loaded when something of it is read or set."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __getattr__(self, attribute: str) -> Any:
        """Return what the module has under a name."""
        return getattr(import_module(object.__getattribute__(self, "_name")), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        """Set what the module has under a name."""
        setattr(import_module(object.__getattribute__(self, "_name")), attribute, value)


def when_loaded(name: str, change: Change) -> None:
    """Call `change` as soon as a module has been loaded, before whoever loads it goes on; at once where it is there."""
    if name in sys.modules:
        change()
    else:
        _changes.setdefault(name, []).append(change)


class _Finder(MetaPathFinder):
    """Finds the modules that somebody waits for as the path does, and has them changed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _changes:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Changing(spec.loader)
        return spec


class _Changing(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for change in _changes.pop(module.__name__, []):
            change()


sys.meta_path.insert(0, _Finder())
