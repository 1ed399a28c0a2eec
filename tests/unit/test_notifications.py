"""How executions end, mailed to every approver."""

import json
from typing import Any, get_args

import pytest
from tests.support.notifications import (
    API,
    DECISION,
    EXPIRED,
    ending,
    failure,
    in_both,
    in_neither,
    mailed,
    release,
    stage,
    version,
)
from tests.support.reviews import ANN, BOB, EXECUTION, OutboxFake

from signalbox.contracts import ReleaseVerdict
from signalbox.mail import MailError
from signalbox.notifications import links, notifying
from signalbox.notifications.model import NotificationError
from signalbox.notifications.notifying import NotifyingPorts

VERDICTS: tuple[str, ...] = get_args(ReleaseVerdict.__value__)
ENDINGS: list[dict[str, Any]] = [
    {"decision": DECISION},
    {"decision": EXPIRED},
    {"error": failure()},
    *({"release": release(verdict)} for verdict in VERDICTS),
]


@pytest.mark.parametrize("ended", ENDINGS)
def test_every_ending_has_a_mail_that_says_where_to_look(ended: dict[str, Any]) -> None:
    mail = mailed(**ended)

    assert mail.subject.startswith("abalone")
    in_both(mail, "states/home?region=eu-west-1#/v2/executions/details/" + EXECUTION, "signalbox-abalone/3", "run-7")


@pytest.mark.parametrize("ended", ENDINGS)
def test_every_ending_can_do_without_the_particulars(ended: dict[str, Any]) -> None:
    mail = mailed(model=None, package=None, execution_arn="", **ended)

    assert mail.subject.startswith("A model")
    in_neither(mail, "where to look")


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({}, "nothing has ended: give a decision, an error or a release"),
        ({"decision": {**DECISION, "decision": "approved"}}, "'approved': one that ends something is rejected, exp"),
        ({"release": release("paused")}, "a release's verdict is 'paused': one that ends something is released, roll"),
    ],
)
def test_what_is_no_ending_is_refused_by_a_sentence(ended: dict[str, Any], words: str) -> None:
    with pytest.raises(NotificationError, match=words):
        notifying.notify_ending(ending(**ended), NotifyingPorts(OutboxFake(), (ANN,)))


@pytest.mark.parametrize(
    ("verdict", "subject"),
    [
        ("released", "abalone version 3 is released"),
        ("rolled-back", "abalone is back"),
        ("torn-down", "abalone was taken down"),
        ("nothing-to-do", "abalone version 3: nothing to do"),
        ("superseded", "abalone version 3 was overtaken"),
        ("withdrawn", "abalone version 3 was rejected"),
        ("declined", "abalone version 3 was rejected"),
        ("expired", "abalone version 3: nobody decided in time"),
        ("failed", "abalone version 3 has failed"),
    ],
)
def test_the_verdict_of_a_release_says_which_mail_it_is(verdict: str, subject: str) -> None:
    assert mailed(release=release(verdict)).subject == subject


def test_every_verdict_of_a_release_has_its_mail() -> None:
    assert len({mailed(release=release(verdict)).subject for verdict in VERDICTS}) == len(VERDICTS) - 1


def test_a_failure_is_told_whatever_the_release_came_to() -> None:
    mail = mailed(error=failure("PlanError", "no plan"), release=release("released", stage("prod")))

    assert mail.subject == "abalone version 3 has failed"
    in_both(mail, "no plan")


def test_a_release_names_stages_endpoints_and_how_to_call_them() -> None:
    stages = (stage("staging", "kept"), stage("prod"), stage("lab", "torn-down", None))
    mail = mailed(release=release("released", *stages))

    assert mail.subject == "abalone version 3 is released to staging and prod"
    in_both(mail, "signalbox-abalone-prod", f"POST {API}/stages/prod/invocations?model=abalone", "/stages/staging/")
    in_neither(mail, "stages/lab")
    assert mailed(release=release("released", stage("prod"))).subject == "abalone version 3 is released to prod"


def test_a_rollback_says_which_package_is_back_and_which_was_rejected() -> None:
    stages = (stage("staging", package=version(2)), stage("prod", package=version(2)))
    mail = mailed(release=release("rolled-back", *stages, trigger="rejected"))

    assert mail.subject == "abalone version 2 is back in staging and prod"
    in_both(mail, "The package after it was rejected.", "signalbox-abalone/2", f"POST {API}/stages/prod/invocations")
    assert "Rejected: signalbox-abalone/3" in mail.text


def test_a_rollback_of_a_package_that_is_named_itself_names_no_rejected_one() -> None:
    mail = mailed(release=release("rolled-back", stage("prod"), trigger="rejected"))

    assert mail.subject == "abalone version 3 is back in prod"
    in_both(mail, "The package after it was rejected.")
    assert "Rejected:" not in mail.text


def test_a_rollback_tells_each_stage_its_own_package() -> None:
    stages = (
        stage("lab", "torn-down", None),
        stage("staging", package=version(2)),
        stage("canary", package=version(1)),
        stage("prod", "kept", version(1)),
    )
    mail = mailed(release=release("rolled-back", *stages, trigger="rejected"))

    assert mail.subject == "abalone version 2 is back in staging and version 1 is back in canary"
    in_both(mail, "lab has no endpoint; prod serves version 1.", "signalbox-abalone/2, signalbox-abalone/1")
    in_both(mail, f"POST {API}/stages/prod/invocations?model=abalone")


def test_a_tear_down_names_the_stages() -> None:
    stages = (stage("staging", "torn-down", None), stage("prod", "torn-down", None))
    mail = mailed(release=release("torn-down", *stages, trigger="rejected"))

    assert mail.subject == "abalone was taken down in staging and prod"


@pytest.mark.parametrize(
    "ended",
    [{"decision": DECISION}, {"error": failure("ReviewRejected", json.dumps(DECISION))}],
)
def test_a_rejection_says_who_when_and_why(ended: dict[str, Any]) -> None:
    mail = mailed(**ended)

    assert mail.subject == "abalone version 3 was rejected"
    in_both(mail, f"Rejected by {BOB} on Sunday 1 March 2026, 10:20 UTC. It will not be released.")
    assert "bad <b>" in mail.text
    assert "bad &lt;b&gt;" in mail.html
    in_both(mail, "approve the package in the model registry")


def test_a_rejection_without_a_decision_is_one_in_the_registry() -> None:
    in_both(mailed(error=failure("ReviewRejected")), "Rejected by somebody, in the model registry. It will not be rel")


def test_a_review_of_the_package_that_nobody_answered_counts_as_rejected() -> None:
    mail = mailed(decision=EXPIRED)

    assert mail.subject == "abalone version 3: nobody decided in time"
    in_both(mail, "The review has expired unanswered, and that counts as rejected. It will not be released.")
    in_both(mail, "approve the package in the model registry")


def test_a_stage_that_is_declined_stays_as_it_is_and_the_package_stays_approved() -> None:
    outcome = release("declined", stage("staging"), stage="prod")
    mail = mailed(release=outcome, decision=DECISION)

    assert mail.subject == "abalone version 3 was rejected for prod"
    in_both(mail, f"Rejected by {BOB} on", "prod stays as it is.", "The package stays approved", "bad")
    in_both(mail, "Done before that: staging serves version 3.")


def test_a_stage_that_nobody_decided_on_stays_as_it_is_and_the_package_stays_approved() -> None:
    mail = mailed(release=release("expired", stage="prod"), decision=EXPIRED)

    assert mail.subject == "abalone version 3: nobody decided for prod in time"
    in_both(mail, "prod stays as it is.", "The package stays approved")


def test_a_package_that_is_rejected_during_its_release_is_nobodys_decision() -> None:
    mail = mailed(release=release("withdrawn", stage("staging"), stage="prod"))

    in_both(mail, "Rejected by somebody, in the model registry, so this release has stopped. prod stays as it is.")
    in_both(mail, "Done before that: staging serves version 3.", "approve the package in the model registry")
    in_both(mailed(release=release("withdrawn")), "The stage stays as it is.")


def test_a_package_that_is_approved_again_during_its_rollback_was_not_rejected() -> None:
    mail = mailed(release=release("withdrawn", stage="prod", trigger="rejected"))

    assert mail.subject == "abalone version 3 is approved again"
    in_both(mail, "so its rollback has stopped. prod stays as it is.")


def test_a_release_that_was_overtaken_says_what_it_had_done() -> None:
    mail = mailed(release=release("superseded", stage("staging"), stage="prod"))

    in_both(mail, "A newer package was approved in the meantime", "Done before that: staging serves version 3.")


def test_a_time_that_is_none_is_shown_as_it_came() -> None:
    in_both(mailed(decision={**DECISION, "at": "yesterday"}), "on yesterday.")


def test_hostile_words_stay_words() -> None:
    mail = mailed(model="<script>", error=failure("<script>", "<script>alert(1)</script>"))

    assert "<script" not in mail.html


@pytest.mark.parametrize(
    ("arn", "address"),
    [
        (EXECUTION, "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#"),
        (EXECUTION.replace("aws", "aws-cn"), "https://eu-west-1.console.amazonaws.cn/states"),
        (EXECUTION.replace("aws", "aws-us-gov"), "https://eu-west-1.console.amazonaws-us-gov.com/states"),
    ],
)
def test_the_console_of_each_partition_has_its_own_address(arn: str, address: str) -> None:
    assert links.execution(arn).startswith(address)


@pytest.mark.parametrize("arn", ["", "run-7", "x:aws:states:eu-west-1:1:execution:m:n"])
def test_what_is_no_execution_has_no_address(arn: str) -> None:
    assert links.execution(arn) == ""


def test_a_mail_that_reaches_nobody_fails() -> None:
    with pytest.raises(MailError):
        notifying.notify_ending(ending(release=release()), NotifyingPorts(OutboxFake(ANN), (ANN,)))
