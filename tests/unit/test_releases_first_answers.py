"""A model that was not tested is held to the answers that it gave in its first stage."""

import json
from typing import Any

import pytest
from tests.unit.releases_world import GOLDEN, World, arn, content

from signalbox.aws.model import ModelAnswer
from signalbox.contracts.releases import VerificationQuestion
from signalbox.releases.content import ContentChangedError
from signalbox.releases.first_answers import same
from signalbox.releases.model import GoldenMismatchError, ReleaseError
from signalbox.releases.verifying import verify

FIRST = "s3://artifacts/answers/run-1.json"
DOCUMENT: dict[str, Any] = {
    "content_type": "application/json",
    "tolerance": 0.001,
    "answers": FIRST,
    "content": content(2),
    "requests": [
        {"content_type": "application/json", "body": "[1]"},
        {"content_type": "image/png", "body_base64": "AAH/"},
    ],
}
ASKED: VerificationQuestion = {
    "endpoint": "e",
    "config": "c",
    "package": arn(2),
    "golden": GOLDEN,
    "content": content(2),
}


def serving(**answers: str) -> World:
    """Return a world whose endpoint `e` answers each body as told."""
    world = World()
    world.registry.put(2, "Approved")
    world.sagemaker.serve("e", "c", arn(2))
    world.files.files[GOLDEN] = json.dumps(DOCUMENT)
    world.models.answers = {"[1]": ModelAnswer('{"p": 0.7311}'), b"\x00\x01\xff": ModelAnswer("cat")}
    return world


def test_the_first_answers_are_kept_and_later_ones_are_held_to_them_within_the_tolerance() -> None:
    world = serving()
    assert verify(ASKED, world.checks) == {"answers": 2, "expected": "first"}
    assert json.loads(world.files.files[FIRST]) == {"answers": ['{"p": 0.7311}', "cat"]}
    assert world.models.accepted == ["*/*", "*/*"]

    world.models.answers["[1]"] = ModelAnswer('{"p":0.73112}')

    assert verify(ASKED, world.checks) == {"answers": 2, "expected": "kept"}


@pytest.mark.parametrize("answer", ['{"p": 0.75}', '{"q": 0.7311}', "[]", "0.7311"])
def test_an_answer_that_differs_from_the_first_is_a_mismatch(answer: str) -> None:
    world = serving()
    verify(ASKED, world.checks)
    world.models.answers["[1]"] = ModelAnswer(answer)

    with pytest.raises(GoldenMismatchError, match=r"golden request 1 of 2 was answered .* the first time"):
        verify(ASKED, world.checks)


def test_a_request_that_the_model_refuses_is_a_mismatch_at_once_and_nothing_is_kept() -> None:
    world = serving()
    world.models.answers[b"\x00\x01\xff"] = ModelAnswer(failure="415 from primary")

    with pytest.raises(GoldenMismatchError, match="golden request 2 of 2 was refused"):
        verify(ASKED, world.checks)
    assert FIRST not in world.files.files


def test_answers_that_another_process_kept_meanwhile_are_those_that_count() -> None:
    world = serving()
    world.files.meanwhile[FIRST] = json.dumps({"answers": ['{"p": 0.1}', "cat"]})

    with pytest.raises(GoldenMismatchError, match="golden request 1 of 2"):
        verify(ASKED, world.checks)


@pytest.mark.parametrize(
    ("text", "said"), [("no", "not JSON"), ('{"answers": ["1"]}', "they are 1, and the requests 2")]
)
def test_first_answers_that_cannot_be_read_are_named(text: str, said: str) -> None:
    world = serving()
    world.files.files[FIRST] = text

    with pytest.raises(ReleaseError, match=f"{FIRST} has no usable answers.*{said}"):
        verify(ASKED, world.checks)


def test_long_answers_are_compared_by_their_digests() -> None:
    world = serving()
    world.models.answers["[1]"] = ModelAnswer("x" * 60_000)
    verify(ASKED, world.checks)
    assert len(world.files.files[FIRST]) < 200
    assert verify(ASKED, world.checks)["answers"] == 2
    world.models.answers["[1]"] = ModelAnswer("x" * 60_001)

    with pytest.raises(GoldenMismatchError):
        verify(ASKED, world.checks)


def test_golden_requests_of_another_content_are_refused_here_too() -> None:
    world = serving()
    world.files.golden_of[GOLDEN] = 1

    with pytest.raises(ContentChangedError, match="another model's"):
        verify(ASKED, world.checks)


@pytest.mark.parametrize(
    ("answer", "first", "equal"),
    [
        ("1.0\n", "1", True),
        ("setosa", "setosa", True),
        ("setosa", "virginica", False),
        ("[1,2]", "[1, 2]", True),
        ("[1,2]", "[1,2,3]", False),
        ("0", "0.0000000001", True),
        ("nan", "nan", True),
    ],
)
def test_answers_are_the_same_by_their_texts_and_numbers(answer: str, first: str, equal: bool) -> None:
    assert same(answer, first, 0.001) is equal


def test_a_release_tells_which_answers_it_was_held_to() -> None:
    world = serving()
    world.registry.put(2, "Approved", golden=GOLDEN)

    ended = world.run("approved", 2, "2026-11-20T10:00:00Z")

    stages = {one["stage"]: (one["answers"], one.get("expected")) for one in ended.outcome["stages"]}
    assert stages == {"staging": (2, "first"), "prod": (2, "kept")}
