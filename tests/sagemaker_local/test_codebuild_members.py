"""Every member of CodeBuild's requests that is not honoured is in one of the two tables, and refused or kept by it."""

from collections.abc import Iterator
from typing import Any

import pytest

from sagemaker_local.codebuild.members import KEPT, REFUSED, check
from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.members import found
from sagemaker_local.core.shapes import service_model

OPERATIONS = ("CreateProject", "UpdateProject", "StartBuild")


def members(shape: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield all members below a shape, with those that have members themselves."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield f"{path}.{name}", member
            yield from members(member, f"{path}.{name}")
    elif shape.type_name == "list":
        yield from members(shape.member, path)


def everything() -> list[tuple[str, Any]]:
    model = service_model("codebuild")
    return [
        pair for operation in OPERATIONS for pair in members(model.operation_model(operation).input_shape, operation)
    ]


def values(path: str, shape: Any) -> list[str]:
    return [f"{path}={value}" for value in getattr(shape, "enum", ())]


def test_each_row_is_about_a_member_and_no_member_is_in_two() -> None:
    paths = [name for path, shape in everything() for name in (path, *values(path, shape))]
    used = {found(path, table) for path in paths for table in (tuple(REFUSED), KEPT)}

    assert sorted({*REFUSED, *KEPT} - used) == []
    assert [path for path, _ in everything() if found(path, tuple(REFUSED)) and found(path, KEPT)] == []


def test_what_is_refused_is_named() -> None:
    for operation in OPERATIONS:
        shape = service_model("codebuild").operation_model(operation).input_shape
        for path, member in members(shape, operation):
            if member.type_name in ("structure", "list") or not found(path, tuple(REFUSED)):
                continue
            request = asked(shape, path.split(".")[1:], _asking(member))
            with pytest.raises(ApiError, match="is not emulated here") as refused:
                check("codebuild", operation, request, "")
            assert refused.value.code == "InvalidInputException"


def _asking(shape: Any) -> Any:
    return {"boolean": True, "integer": 1, "long": 1}.get(shape.type_name, "a")


def asked(shape: Any, names: list[str], value: Any) -> Any:
    """Return a request of one member."""
    if shape.type_name == "list":
        return [asked(shape.member, names, value)]
    return {names[0]: asked(shape.members[names[0]], names[1:], value)} if names else value
