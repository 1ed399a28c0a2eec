"""The commands that the documents give for dead letters are run as they are written, for each dead-letter queue."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from signalbox_local.project import ROOT
from tests.gates.cfn_yaml import parse
from tests.support.documents import commands, read
from tests.support.samples import sample
from tests.system.test_uploads import queue_named, waiting
from tests.system.world import PREFIX, World

SECTION = re.search(r"## An alarm about dead letters\n(.*?)\n## ", read("docs/operating.md"), re.DOTALL)
COMMANDS = commands(SECTION[1] if SECTION else "", "sh")
_QUEUE = (
    r"(?P<before>https://sqs\.us-east-1\.amazonaws\.com/123456789012/|arn:aws:sqs:us-east-1:123456789012:)(?P<id>\w+)"
)


def dead_letter_queues() -> list[str]:
    """Return the logical ids of all queues of the template that queues, rules and functions send dead letters to."""
    resources = parse(read("template.yaml"))["Resources"]
    queues = [name for name, resource in resources.items() if resource["Type"] == "AWS::SQS::Queue"]
    named = json.dumps(
        [list(_given(resources, key)) for key in ("deadLetterTargetArn", "DeadLetterConfig", "OnFailure")]
    )
    return sorted(name for name in queues if re.search(rf'"{name}[".]', named))


def _given(tree: Any, key: str) -> Iterator[Any]:
    """Yield what stands under a key, wherever in a tree."""
    if isinstance(tree, dict):
        yield from [tree[key]] if key in tree else []
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []:
        yield from _given(inner, key)


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Callable[[str], None]:
    """Run one documented command in a shell, with the stack's names for the logical ids, and an `aws` of our own."""
    program = tmp_path / "bin" / "aws"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.support.aws_cli "$@"\n')
    program.chmod(0o755)
    environment = {
        **world.cloud.environment,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "layers" / "signalbox"))),
    }

    def named(found: re.Match[str]) -> str:
        url = queue_named(world, found["id"])
        if found["before"].startswith("https"):
            return url
        answer = world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def run(command: str) -> None:
        text = re.sub(_QUEUE, named, command)
        text = re.sub(r"(?<=--function-name )(\w+)", lambda found: queue_named(world, found[1]), text)
        done = subprocess.run(["bash", "-c", text], cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, (text, done.stderr.decode())

    return run


def documented(*words: str) -> list[str]:
    """Return the documented commands that have all the words, in their order."""
    found = [command for command in COMMANDS if all(word in command for word in words)]
    assert found, words
    return found


def lost_upload(world: World, key: str) -> dict[str, Any]:
    """Put an object whose events are lost; return the event that should have come. Its run will end in a mail."""
    events, bucket = world.client("events"), world.outputs["DataBucket"]
    rules = [queue_named(world, name) for name in ("UploadsTrailRule", "UploadsNativeRule")]
    for rule in rules:
        events.disable_rule(Name=rule)
    put = world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"\n\n")
    for rule in rules:
        events.enable_rule(Name=rule)
    event = sample("s3/object-created")
    event["detail"]["bucket"]["name"] = bucket
    event["detail"]["object"] |= {"key": key, "version-id": put["VersionId"]}
    return event


def letter(world: World, queue: str, body: object, **more: str) -> None:
    """Send a letter to a dead-letter queue."""
    world.client("sqs").send_message(QueueUrl=queue_named(world, queue), MessageBody=json.dumps(body), **more)


def recorded(world: World, key: str) -> None:
    """Wait until an upload is recorded and its run has ended, which has no use for it."""
    world.wait_for(f"the run over {key}", lambda: b": quarantined" in world.signalbox("uploads", key))


def drained(world: World, *queues: str) -> None:
    """Wait until queues have no message any more."""
    for queue in queues:
        url = queue_named(world, queue)
        world.wait_for(f"{queue} to run dry", partial(_dry, world, url))


def _dry(world: World, url: str) -> bool:
    return waiting(world, url) == 0


def uploads_letters(world: World, shell: Callable[[str], None]) -> None:
    key = "incoming/abalone/replayed-1.csv"
    letter(world, "UploadsDeadLetters", lost_upload(world, key))
    for command in documented("start-message-move-task", ":UploadsDeadLetters"):
        shell(command)
    recorded(world, key)
    drained(world, "UploadsDeadLetters", "UploadsQueue")


def runs_letters(world: World, shell: Callable[[str], None]) -> None:
    group = f"{PREFIX}-abalone"
    request = {"kind": "run-requested", "pipeline": group}
    letter(world, "RunsDeadLetters", request, MessageGroupId=group, MessageDeduplicationId="replayed")
    for command in documented("start-message-move-task", ":RunsDeadLetters"):
        shell(command)
    drained(world, "RunsDeadLetters", "RunsQueue")


def pushes_letters(world: World, shell: Callable[[str], None]) -> None:
    pushed = sample("codecommit/branch-updated")
    letter(world, "PushesDeadLetters", pushed, MessageGroupId="abalone", MessageDeduplicationId="replayed")
    for command in documented("start-message-move-task", ":PushesDeadLetters"):
        shell(command)
    drained(world, "PushesDeadLetters", "PushesQueue")


def events_letters(world: World, shell: Callable[[str], None]) -> None:
    """Replay what each rule could not deliver, and a failed call, to where it was going."""
    key, package = "incoming/abalone/replayed-2.csv", sample("sagemaker/model-package-approved")
    changed = sample("ssm/project-updated")
    for body, *words in (
        (lost_upload(world, key), "send-message", "/UploadsQueue"),
        (changed, "send-message", "/RunsQueue"),
        (sample("codecommit/branch-updated"), "send-message", "/PushesQueue"),
        (sample("sagemaker/pipeline-execution-failed"), "lambda invoke", "ReportRunFunction"),
        ({"requestContext": {}, "requestPayload": package}, "lambda invoke", "OnModelPackageFunction"),
    ):
        letter(world, "EventsDeadLetters", body)
        taken = [*documented("receive-message"), *documented("> event.json")]
        for command in [*taken, *documented(*words), *documented("delete-message")]:
            shell(command)
    recorded(world, key)
    drained(world, "EventsDeadLetters", "UploadsQueue", "RunsQueue", "PushesQueue")


REPLAYS = {
    "UploadsDeadLetters": uploads_letters,
    "RunsDeadLetters": runs_letters,
    "PushesDeadLetters": pushes_letters,
    "EventsDeadLetters": events_letters,
}


@pytest.mark.parametrize("queue", dead_letter_queues())
def test_the_letters_of_a_dead_letter_queue_are_replayed_as_the_documents_say(
    queue: str, world: World, shell: Callable[[str], None]
) -> None:
    assert queue in REPLAYS, f"docs/operating.md and this test have to say how letters of {queue} are replayed"
    world.client("sqs").purge_queue(QueueUrl=queue_named(world, queue))
    REPLAYS[queue](world, shell)


def test_every_replay_is_of_a_dead_letter_queue() -> None:
    assert set(REPLAYS) == set(dead_letter_queues())
