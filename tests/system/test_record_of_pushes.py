"""Least privilege of pushes, read after their scenarios from the record of the cloud that these have to themselves."""

import json
import re
from pathlib import Path

import pytest

from tests.system.record import Record, assumed, refused
from tests.system.test_hooks import PROJECTS
from tests.system.world import PREFIX, World

UNUSED = "unused-by-pushes.json"
# The projects that CodeBuild builds: of CodeCommit's repositories, and of those that webhooks tell of.
_BUILT = ("rose", "tulip", *PROJECTS.values())
_BUILD = re.compile(rf"{PREFIX}-cicd-({'|'.join(_BUILT)})-(BuildRole|BranchesRole)-")


@pytest.fixture(scope="module")
def record(world: World, shared: Path) -> Record:
    """Return the record of all scenarios that share this cloud, and leave what these had no use for.

    It is of use in the scenarios of the other cloud, whose own record is held against it.
    """
    found, written = Record(world), shared / f"{UNUSED}.part"
    written.write_text(json.dumps(sorted(found.unused())))
    written.rename(shared / UNUSED)
    return found


def test_nothing_that_the_stack_did_for_pushes_was_denied(record: Record) -> None:
    denied = refused(record.calls)

    assert record.calls
    assert not denied, "\n".join(map(str, sorted(denied)))


def test_builds_did_what_they_do_without_a_refusal_and_reached_nothing_of_another_project(record: Record) -> None:
    made = [(found, call) for call in record.everything if (found := _BUILD.match(assumed(call)))]

    assert {found.groups() for found, _ in made} == {
        *((project, "BuildRole") for project in _BUILT),
        ("rose", "BranchesRole"),
    }
    denied = refused(call | {"role": found[0]} for found, call in made)
    assert not denied, "\n".join(map(str, sorted(denied)))
    reached = {
        (call["action"], call["resource"])
        for found, call in made
        if any(other in call["resource"] for other in _BUILT if other != found[1])
    }
    assert not reached, "\n".join(map(str, sorted(reached)))
