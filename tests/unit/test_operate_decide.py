"""Whoever is signed in to AWS decides a review without a link and without a word."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, WEEK, World, payload
from tests.support.stack import OUTPUTS, CloudFormation
from typer.testing import CliRunner, Result

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.reviews import requesting
from signalbox.reviews.adapters import DynamoReviews
from signalbox.reviews.model import Review
from signalbox.reviews.rules import Vote
from signalbox_operate import account, cli

EVE = "arn:aws:sts::123456789012:assumed-role/Admin/eve"
NAME = "signalbox-abalone/3"
PACKAGE = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{NAME}"
TOKEN = "A" * 40


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The clients of somebody who is signed in as Eve."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        found: dict[str, Any] = {
            "cloudformation": CloudFormation(),
            "dynamodb": created_table(OUTPUTS["ReviewsTable"]),
            "stepfunctions": RecordingClient("stepfunctions"),
            "sagemaker": RecordingClient("sagemaker", {"update_model_package": {"ModelPackageArn": PACKAGE}}),
            "sts": RecordingClient("sts", {"get_caller_identity": {"Arn": EVE}}),
        }
        monkeypatch.setattr(account, "client", found.__getitem__)
        yield found


@pytest.fixture
def world(clients: dict[str, Any]) -> World:
    """Return the stack's reviews, which are asked for now."""
    return World(store=DynamoReviews(Table(OUTPUTS["ReviewsTable"], clients["dynamodb"])), now=moments.now())


def asked(world: World, **changes: Any) -> Review:
    """Ask for a review, and return it as it is kept."""
    event = payload(**{"token": TOKEN, "package": PACKAGE, **changes})
    review = world.store.get(requesting.request(event, world.requesting_ports())["review"])
    assert review is not None
    return review


def decide(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["decide", *arguments])


def said(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.mark.parametrize("package", [NAME, PACKAGE])
def test_an_approval_is_that_of_the_person_who_is_signed_in_and_needs_no_word(
    world: World, clients: dict[str, Any], package: str
) -> None:
    review = asked(world)
    done = decide(package, "approve", "--reason", "seen on [staging]")
    assert done.exit_code == 0, done.output
    assert said(done) == f"approved by {EVE}; the workflow goes on"
    kept = world.read(review)
    assert (kept.status, kept.by, kept.origin, kept.reason) == ("approved", EVE, "command", "seen on [staging]")
    [update] = clients["sagemaker"].requests("UpdateModelPackage")
    assert (update["ModelPackageArn"], update["ModelApprovalStatus"]) == (PACKAGE, "Approved")
    assert update["ApprovalDescription"].startswith(f"approved by {EVE} by the command line ")
    [answer] = clients["stepfunctions"].requests("SendTaskSuccess")
    assert answer["taskToken"] == TOKEN


def test_a_reason_is_kept_without_what_is_not_to_be_seen(world: World) -> None:
    review = asked(world)
    assert decide(NAME, "approve", "--reason", " good\u202e\x1b[31m\r\non\x07 large rows\u200b ").exit_code == 0
    assert world.read(review).reason == "good\non large rows"


def test_it_approves_where_all_tries_of_a_link_are_used_up(world: World) -> None:
    review = asked(world)
    world.store.change(review.id, {}, {"guesses": (ANN,) * 5})
    assert decide(NAME, "approve").exit_code == 0
    assert world.read(review).status == "approved"


def test_a_stage_is_decided_by_its_name_and_leaves_the_registry_as_it_is(world: World, clients: dict[str, Any]) -> None:
    package, prod = asked(world), asked(world, token=TOKEN[::-1] + "B", kind="stage", stage="prod")
    assert decide(NAME, "reject", "--stage", "prod", "--reason", "not now").exit_code == 0
    assert (world.read(package).status, world.read(prod).status) == ("open", "rejected")
    assert clients["sagemaker"].calls == []
    assert len(clients["stepfunctions"].requests("SendTaskFailure")) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([NAME, "reject"], "a rejection needs a reason: give it with --reason"),
        ([NAME, "reject", "--reason", "  "], "a rejection needs a reason"),
        ([NAME, "approve", "--reason", "x" * 1001], "the reason has 1,001 characters; at most 1,000 are kept"),
        (["signalbox-abalone/4", "approve"], "no review of signalbox-abalone/4 was asked for"),
        ([NAME, "approve", "--stage", "prod"], "no review of signalbox-abalone/3 for prod was asked for"),
    ],
)
def test_what_cannot_be_decided_is_said_in_a_sentence(world: World, arguments: list[str], sentence: str) -> None:
    review = asked(world)
    done = decide(*arguments)
    assert done.exit_code == 1
    assert sentence in said(done)
    assert world.read(review).status == "open"


def test_a_decided_review_is_not_decided_again(world: World) -> None:
    review = asked(world)
    world.decide(review, Vote(approved=False, by=ANN, reason="no", origin="page"))
    done = decide(NAME, "approve")
    assert done.exit_code == 1
    assert f"its newest review is rejected by {ANN}" in said(done)


def test_a_review_past_its_end_is_not_decided(world: World) -> None:
    world.wait(-WEEK - 60)
    asked(world)
    assert "its newest review is expired" in said(decide(NAME, "approve"))


def test_a_decision_that_was_not_passed_on_is_passed_on_by_the_command_run_again(
    world: World, clients: dict[str, Any]
) -> None:
    asked(world)
    clients["sagemaker"].answers["update_model_package"] = [client_error("ThrottlingException"), {}]
    first = decide(NAME, "approve")
    assert first.exit_code == 1
    assert "is kept, but was not passed on; send it again" in said(first)
    clients["sagemaker"].answers["update_model_package"] = {"ModelPackageArn": PACKAGE}
    assert said(decide(NAME, "approve")) == f"approved by {EVE}; the workflow goes on"


def test_somebody_who_decides_at_the_same_moment_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(world)
    monkeypatch.setattr("signalbox.reviews.deciding.decide", lambda *_: None)
    done = decide(NAME, "approve")
    assert done.exit_code == 1
    assert "changed at the same moment: run the command again" in said(done)


def test_a_decision_is_shown_on_the_page_as_one_of_the_command_line(world: World) -> None:
    asked(world)
    link = world.link()
    decide(NAME, "approve")
    page = Browser(world).open(link).body
    assert f"{EVE} approved it on" in page
    assert "by the command line." in page
