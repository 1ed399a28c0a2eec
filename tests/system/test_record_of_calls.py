"""Least privilege, proven from the run: read last, from the cloud's own record of every decision of IAM."""

import json
from pathlib import Path

import pytest

from signalbox_local import deploy
from signalbox_local.project import ROOT
from tests.gates.reasons import granted
from tests.system.record import Grant, Record, assumed, refused, tried
from tests.system.test_record_of_pushes import UNUSED
from tests.system.world import PREFIX, World

_NAMED_BY_US = frozenset(("cloudwatch", "logs", "sagemaker", "ssm"))
# The scenarios of pushes have a cloud of their own, and may still be at work when all others are over.
_PUSHES_SECONDS = 1200.0


@pytest.fixture(scope="module")
def record(world: World) -> Record:
    """Return the record of all scenarios that share this cloud."""
    return Record(world)


def test_nothing_that_the_stack_did_was_denied(record: Record) -> None:
    assert record.calls
    denied = refused(record.calls)
    # A scenario starts the pipeline with an approval: that its role may not register one is what it proves.
    denied -= {one for one in denied if one[:2] == ("PipelineRole", "sagemaker:CreateModelPackage")}

    assert not denied, "\n".join(map(str, sorted(denied)))


def test_every_role_of_a_project_was_used_and_was_denied_nothing(record: Record) -> None:
    roles = record.role_names(f"/{PREFIX}/projects/abalone/")
    made = [call | {"role": assumed(call)} for call in record.everything if assumed(call) in roles and not tried(call)]

    assert {call["role"] for call in made} == roles
    denied = refused(made)
    # The same scenario: the pipeline is the project's.
    denied -= {one for one in denied if "PipelineRole" in one[0] and one[1] == "sagemaker:CreateModelPackage"}
    assert not denied, "\n".join(map(str, sorted(denied)))


def test_nothing_that_the_stack_made_or_asked_for_is_named_after_the_stack(record: Record) -> None:
    # Elsewhere the names are CloudFormation's: it puts the stack's before those of queues, tables, functions and roles.
    named_by_us = {call["resource"] for call in record.calls if call["action"].split(":")[0] in _NAMED_BY_US}

    assert any(f"/{PREFIX}-" in resource for resource in named_by_us)
    assert not [resource for resource in named_by_us if deploy.STACK in resource]


def test_every_action_that_is_granted_was_used_or_has_its_reason(world: World, record: Record, shared: Path) -> None:
    left = shared / UNUSED
    world.wait_for("the end of the scenarios of pushes", left.exists, _PUSHES_SECONDS)
    by_pushes = {Grant(*one) for one in json.loads(left.read_text())}
    reasons = granted((ROOT / "template.yaml").read_text())
    unused = {one for one in record.unused() & by_pushes if not reasons.get((one.owner, one.statement, one.action))}

    assert not unused, "\n".join(map(str, sorted(unused)))
