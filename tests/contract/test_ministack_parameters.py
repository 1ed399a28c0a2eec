"""Gaps of ministack's Parameter Store, as `test_ministack_patches` says."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.stacks import Stack
from tests.contract.world import World, allow, code, name, until

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_patches.py, and this test"


class Listener:
    """A queue that gets the events about parameters under a path, by a rule."""

    def __init__(self, world: World, path: str) -> None:
        self._sqs, title, events = world.client("sqs"), name("parameters"), world.client("events")
        self._queue = self._sqs.create_queue(QueueName=title)["QueueUrl"]
        pattern = {"source": ["aws.ssm"], "detail": {"name": [{"prefix": path}]}}
        events.put_rule(Name=title, EventPattern=json.dumps(pattern))
        target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{title}"
        events.put_targets(Rule=title, Targets=[{"Id": "queue", "Arn": target}])

    def heard(self, number: int) -> list[tuple[str, str]]:
        """Return what was done to which parameter, each once, as soon as so much was: this cloud repeats events."""
        found: dict[tuple[str, str], None] = {}

        def enough() -> bool:
            messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
            for event in (json.loads(message["Body"]) for message in messages):
                assert event["detail-type"] == "Parameter Store Change"
                found[event["detail"]["operation"], event["detail"]["name"]] = None
            return len(found) >= number

        until(enough)
        return list(found)

    def silent(self) -> bool:
        """Say whether nothing comes within a second."""
        time.sleep(1)
        return "Messages" not in self._sqs.receive_message(QueueUrl=self._queue)


def test_whoever_listens_is_told_of_parameters(plain: World, cloud: World) -> None:
    path = f"/{name('team')}/"
    unheard = Listener(plain, path)
    plain.client("ssm").put_parameter(Name=f"{path}a", Value="1", Type="String")
    assert unheard.silent(), CLOSED

    heard, ssm = Listener(cloud, path), cloud.client("ssm")
    for overwrite in (False, True):
        ssm.put_parameter(Name=f"{path}a", Value="1", Type="String", Overwrite=overwrite)
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        ssm.put_parameter(Name=f"{path}a", Value="1", Type="String")
    ssm.put_parameter(Name=f"{path}b", Value="1", Type="StringList")
    ssm.put_parameter(Name=f"{path}c", Value="1", Type="String")
    ssm.delete_parameter(Name=f"{path}a")
    ssm.delete_parameters(Names=[f"{path}b", f"{path}c", f"{path}none"])
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.delete_parameter(Name=f"{path}a")

    assert sorted(heard.heard(7)) == [
        ("Create", f"{path}a"),
        ("Create", f"{path}b"),
        ("Create", f"{path}c"),
        ("Delete", f"{path}a"),
        ("Delete", f"{path}b"),
        ("Delete", f"{path}c"),
        ("Update", f"{path}a"),
    ]


def test_a_stack_that_makes_changes_and_deletes_a_parameter_tells_of_it_too(cloud: World) -> None:
    path = f"/{name('team')}/"
    heard, stack = Listener(cloud, path), Stack(cloud)

    def parameter(value: str) -> dict[str, dict[str, Any]]:
        properties = {"Name": f"{path}a", "Type": "String", "Value": value, "Description": "of a stack"}
        return {"Document": {"Type": "AWS::SSM::Parameter", "Properties": properties}}

    stack.create(parameter("1"))
    stack.update(parameter("2"))
    stack.delete()

    assert heard.heard(3) == [("Create", f"{path}a"), ("Update", f"{path}a"), ("Delete", f"{path}a")]


def test_parameters_of_a_path_are_decided_on_the_path(plain: World, cloud: World) -> None:
    def asked(world: World, path: str) -> Any:
        one = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/team/projects"
        role = world.role(allow("ssm:GetParametersByPath", resource=one), service="lambda.amazonaws.com")
        return world.as_role(role, "ssm").get_parameters_by_path(Path=path)["Parameters"]

    with pytest.raises(ClientError, match="AccessDenied"):  # CLOSED
        asked(plain, "/team/projects")
    assert asked(cloud, "/team/projects") == []
    with pytest.raises(ClientError) as refused:
        asked(cloud, "/team")
    assert code(refused.value) == "AccessDeniedException"
