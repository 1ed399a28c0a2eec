"""Every member of every request is honoured, kept and shown, or refused by name; none is in two places, or in none."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.codecommit_requests import CodeCommitRequests
from tests.sagemaker_local.support.pipelines import World
from tests.sagemaker_local.support.reading import SERVICES, input_shape, leaves, stored_requests_watched, watched
from tests.sagemaker_local.support.requests import SETTLED, Requests
from tests.sagemaker_local.support.service import SageMaker

from sagemaker_local.core.members import KEPT, REFUSED, check, found, refusals
from sagemaker_local.core.shapes import service_model

RULES = tuple(REFUSED)


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> tuple[SageMaker, World]:
    """The service and the pipelines, which together answer all operations."""
    return SageMaker(tmp_path_factory.mktemp("members"), real=True), World()


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> CodeCommitRequests:
    """CodeCommit, which is asked by itself."""
    return CodeCommitRequests(tmp_path_factory.mktemp("repositories"))


@pytest.fixture(scope="module")
def operations(clouds: tuple[SageMaker, World], repositories: CodeCommitRequests) -> list[str]:
    """The names of all operations that are answered."""
    return sorted([*clouds[0].handlers, *clouds[1].operations, *repositories.handlers])


def places(path: str) -> Iterator[str]:
    """Yield where a member stands, from the top: the first one counts for all that is below it."""
    parts = path.split(".")
    for depth in range(2, len(parts) + 1):
        above = ".".join(parts[:depth])
        rules = [name for name, table in (("refused", RULES), ("kept", KEPT)) if found(above, table)]
        assert len(rules) < 2, f"{above} is in both tables"
        yield from rules


def place(path: str, shape: Any) -> str:
    values = list(getattr(shape, "enum", ()))
    left = [value for value in values if not found(f"{path}={value}", RULES)]
    only_default = len(values) > 1 and len(left) == 1
    return next(places(path), "refused" if only_default else "honoured")


def test_what_is_neither_refused_nor_kept_is_read_by_its_handler(
    clouds: tuple[SageMaker, World], repositories: CodeCommitRequests, operations: list[str]
) -> None:
    seen: set[str] = set()
    for handlers in (clouds[0].handlers, clouds[1].operations, repositories.handlers):
        handlers.update({name: watched(handler, seen) for name, handler in handlers.items()})

    with stored_requests_watched(seen):
        Requests(*clouds).make_all()
        repositories.make_all()

    honoured = {
        path
        for operation in operations
        for path, shape in leaves(operation).items()
        if place(path, shape) == "honoured" and path not in SETTLED
    }
    unread = sorted(honoured - seen)
    assert not unread, "\n".join(["read by nobody:", *unread])


def test_each_row_of_the_tables_is_about_a_member_that_there_is(operations: list[str]) -> None:
    used: set[str | None] = set()
    for operation in operations:
        for path, shape in leaves(operation).items():
            parts = path.split(".")
            above = [".".join(parts[:depth]) for depth in range(2, len(parts) + 1)]
            used |= {found(part, table) for part in above for table in (RULES, KEPT)}
            used |= {found(f"{path}={value}", RULES) for value in getattr(shape, "enum", ())}

    assert sorted({*RULES, *KEPT} - used) == []


def test_every_member_that_is_refused_is_named(operations: list[str]) -> None:
    refused = [
        (operation, path, shape)
        for operation in operations
        for path, shape in leaves(operation).items()
        if next(places(path), "") == "refused"
    ]
    assert len(refused) > 100  # so many that the loop below is about something

    for operation, path, shape in refused:
        sentences = refusals(service_of(operation), operation, request_of(operation, path, asking(shape)))
        assert len(sentences) == 1
        member, _, rest = sentences[0].partition(" is not emulated here")
        assert path.removeprefix(f"{operation}.").startswith(member)
        assert rest.startswith((".", ": "))


def test_every_value_that_is_refused_is_named(operations: list[str]) -> None:
    for operation in operations:
        for path, shape in leaves(operation).items():
            for value in (value for value in getattr(shape, "enum", ()) if found(f"{path}={value}", RULES)):
                [sentence] = refusals(service_of(operation), operation, request_of(operation, path, value))
                member = path.removeprefix(f"{operation}.")
                assert sentence.startswith((f"{member} {value} is not emulated here", f"{member.rsplit('.', 1)[0]}"))


def service_of(operation: str) -> str:
    return next(service for service in SERVICES if operation in service_model(service).operation_names)


def asking(shape: Any) -> Any:
    if shape.type_name == "map":
        return {"a": "b"}
    return {"boolean": True, "string": "a", "integer": 1, "long": 1, "float": 1.0}[shape.type_name]


def request_of(operation: str, path: str, value: Any) -> dict[str, Any]:
    """Return a request of one member."""

    def built(shape: Any, names: list[str]) -> Any:
        if shape.type_name == "list":
            return [built(shape.member, names)]
        return {names[0]: built(shape.members[names[0]], names[1:])} if names else value

    request: dict[str, Any] = built(input_shape(operation), path.split(".")[1:])
    return request


@pytest.mark.parametrize("value", [{"EnableRemoteDebug": False}, {}, None])
def test_a_member_that_asks_for_nothing_is_no_reason_to_refuse(value: Any) -> None:
    assert refusals("sagemaker", "CreateTrainingJob", {"RemoteDebugConfig": value}) == []


def test_what_people_put_into_maps_is_their_own() -> None:
    theirs = {"ExperimentConfig": "x", "ResourceArn": "arn:aws:sagemaker:eu-west-1:1:model/m"}
    check("sagemaker", "CreateTrainingJob", {"HyperParameters": theirs, "Environment": theirs}, "arn:own")


def test_a_refusal_says_what_to_do_instead(tmp_path: Path) -> None:
    refused = SageMaker(tmp_path).refused(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[{"VariantName": "a", "ModelName": "m", "EnableSSMAccess": True}],
        ExplainerConfig={"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "1"}}}},
    )
    assert refused.startswith("ValidationException: ")
    assert "ProductionVariants.EnableSSMAccess is not emulated here: read its log in CloudWatch Logs." in refused
    assert "ExplainerConfig is not emulated here." in refused


def test_what_is_kept_is_shown_as_it_was_given(
    clouds: tuple[SageMaker, World], repositories: CodeCommitRequests, operations: list[str]
) -> None:
    kept = {path for operation in operations for path in leaves(operation) if next(places(path), "") == "kept"}
    for operation, asked, shown in chain(Requests(*clouds).kept(), repositories.kept()):
        for path in sorted(kept):
            names = path.split(".")
            if names[0] == operation and (given := list(values(asked, names[1:]))):
                assert list(values(shown, names[1:])) == given, path
                kept.discard(path)

    assert sorted(kept) == []


def values(part: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(part, list):
        for item in part:
            yield from values(item, names)
    elif names and isinstance(part, dict):
        if names[0] in part:
            yield from values(part[names[0]], names[1:])
    elif not names:
        yield part
