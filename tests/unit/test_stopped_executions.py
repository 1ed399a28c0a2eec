"""Executions of the machines that were stopped by hand, or ran out of time: one mail for each, with the way on."""

import json
import shlex
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

import pytest
from moto import mock_aws
from tests.support.dynamodb import created_table
from tests.support.reviews import ANN, BOB, OutboxFake
from tests.support.samples import sample, with_detail

from signalbox import releases, uploads
from signalbox.events import EventError, MachineStopped
from signalbox.mail import Mail, MailError
from signalbox.notifications import stopping
from signalbox.notifications.notifying import NotifyingPorts
from signalbox.notifications.stopping import LEASE, StoppingPorts
from signalbox.uploads.model import ReportUnderWayError

NOW = datetime(2026, 11, 20, 12, 1, tzinfo=UTC)
TABLE = "releases"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/7"


class Reports:
    """The function's parts, on a table that remembers."""

    def __init__(self) -> None:
        created_table(TABLE)
        self.now = NOW
        self.outbox = OutboxFake()
        self.table = releases.store(TABLE)
        log, mails = uploads.notification_log(TABLE), NotifyingPorts(self.outbox, (ANN, BOB))
        self.ports = StoppingPorts(log, self.table.last_action, mails, lambda: self.now)

    def report(self, event: Any) -> str:
        """Return the outcome of an event."""
        return stopping.report(event, self.ports)["outcome"]

    def told(self, event: Any) -> Mail:
        """Return the mail about an event, which everybody has got."""
        assert self.report(event) == "notified"
        assert [mail.to for mail in self.outbox.mails] == [ANN, BOB]
        return self.outbox.mails[0]


@pytest.fixture
def reports() -> Any:
    with mock_aws():
        yield Reports()


def test_a_release_that_was_stopped_is_told_with_its_last_action_and_the_words_of_whoever_stopped_it(
    reports: Reports,
) -> None:
    name = "release-signalbox-abalone-7-approved"
    for number, action in enumerate(("create-config", "update-endpoint", "wait")):
        facts = {"action": action, "stage": "prod", "package": PACKAGE, "at": "2026-11-20T12:00:00Z"}
        reports.table.note("abalone", f"action#2026-11-20T12:00:00Z#{name}#{number:05}", facts)
        reports.table.note(
            "abalone", f"action#2026-11-20T12:00:00Z#release-other#{number:05}", facts | {"stage": "lab"}
        )
    mail = reports.told(sample("states/release-stopped"))

    assert mail.subject == "abalone version 7: its release was stopped"
    assert "Somebody has stopped it before its end, with these words:" in mail.text
    assert "wrong data" in mail.text
    assert "Last action: wait in prod" in mail.text
    assert "signalbox status shows what each endpoint serves" in mail.text


def test_the_command_in_the_mail_starts_the_same_machine_with_the_same_input(reports: Reports) -> None:
    event = sample("states/release-stopped")
    mail = reports.told(event)

    line = next(one for one in mail.text.splitlines() if "start-execution" in one)
    options = dict(batched(shlex.split(line)[3:], 2, strict=True))
    assert options["--state-machine-arn"] == event["detail"]["stateMachineArn"]
    assert json.loads(options["--input"]) == json.loads(event["detail"]["input"])
    assert options["--region"] == "us-east-1"


def test_an_execution_that_ran_out_of_time_is_told_as_that(reports: Reports) -> None:
    mail = reports.told(sample("states/release-timed-out"))

    assert mail.subject == "abalone version 7: its release ran out of time"
    assert "ended it after the longest time that it may take" in mail.text


def test_a_training_is_told_as_far_as_its_input_says(reports: Reports) -> None:
    mail = reports.told(sample("states/mlops-stopped"))

    assert mail.subject == "signalbox-abalone/7: its training and review was stopped"
    assert "without saying why" in mail.text


def test_a_training_of_an_image_is_told_by_the_images_name(reports: Reports) -> None:
    event = sample("states/mlops-stopped")
    event["detail"]["input"] = '{"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/iris:1.2", "commit": "c"}'

    assert reports.told(event).subject == "iris: its training and review was stopped"


@pytest.mark.parametrize("given", [None, "no json", "[7]"])
def test_an_execution_whose_input_is_not_known_is_told_all_the_same(reports: Reports, given: str | None) -> None:
    event = sample("states/mlops-stopped-without-input")
    event["detail"]["input"] = given

    assert reports.told(event).subject == "A model: its training and review was stopped"


def test_the_same_event_again_is_told_once(reports: Reports) -> None:
    event = sample("states/release-stopped")

    assert [reports.report(event), reports.report(event)] == ["notified", "notified-before"]
    assert len(reports.outbox.mails) == 2


def test_two_at_once_send_one_mail_and_a_death_in_between_loses_none(reports: Reports) -> None:
    event = sample("states/release-stopped")
    assert reports.ports.log.claim(event["detail"]["executionArn"], NOW, LEASE)

    with pytest.raises(ReportUnderWayError):
        reports.report(event)
    reports.now = NOW + LEASE + timedelta(seconds=1)
    assert reports.report(event) == "notified"


def test_a_mail_that_reaches_nobody_is_tried_again(reports: Reports) -> None:
    event = sample("states/release-stopped")
    broken = StoppingPorts(
        reports.ports.log, reports.table.last_action, NotifyingPorts(OutboxFake(ANN), (ANN,)), lambda: NOW
    )
    with pytest.raises(MailError):
        stopping.report(event, broken)

    reports.now = NOW + LEASE + timedelta(seconds=1)
    assert reports.report(event) == "notified"


def test_an_end_that_tells_of_itself_is_no_stop() -> None:
    with pytest.raises(EventError, match='status is "FAILED": allowed are ABORTED, TIMED_OUT'):
        MachineStopped.read(sample("states/near-misses/release-failed"))
    with pytest.raises(EventError, match="name"):
        MachineStopped.read(with_detail(sample("states/release-stopped"), name=None))
