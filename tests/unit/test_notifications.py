"""How executions end, mailed to every approver."""

import json
import re
import shlex
from itertools import batched
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
    serving,
    stage,
    version,
)
from tests.support.reviews import ANN, BOB, EXECUTION, PACKAGE, OutboxFake

from signalbox import links
from signalbox.contracts.common import StageServing
from signalbox.contracts.releases import RegistryChange, ReleaseVerdict, Trigger
from signalbox.contracts.reviews import ReviewDecision
from signalbox.mail import MailError
from signalbox.notifications import notifying
from signalbox.notifications.model import NotificationError
from signalbox.notifications.notifying import NotifyingPorts
from signalbox.releases.model import read_request

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
    in_both(mail, "Version 3 was rejected by somebody, in the model registry", f"POST {API}/stages/prod/invocations")
    in_both(mail, "signalbox-abalone/2, by endpoint signalbox-abalone-prod")
    assert "Package: signalbox-abalone/3" in mail.text


def change(status: str = "Rejected", by: str = "", words: str = "", of: str = PACKAGE) -> RegistryChange:
    """Return the last change of a package in the registry."""
    return {"package": of, "status": status, "by": by, "words": words}


@pytest.mark.parametrize(
    ("stages", "said"), [(("staging",), "Its endpoint serves"), (("staging", "prod"), "Its endpoints serve")]
)
def test_a_release_speaks_of_as_many_endpoints_as_it_moved(stages: tuple[str, ...], said: str) -> None:
    in_both(mailed(release=release("released", *map(stage, stages))), f"{said} this package and answered")


def test_the_names_of_a_commands_options_are_in_one_piece_and_a_name_with_markup_stays_a_name() -> None:
    html = mailed(decision=DECISION, package=f"{PACKAGE}<b>").html
    for option in ("--model-package-arn", "--model-approval-status", "--region"):
        assert f'<span class="whole" style="white-space:nowrap">{option}</span>' in html
    assert "3&lt;b&gt;&#39;" in html
    assert "<b>" not in html


@pytest.mark.parametrize("verdict", ["rolled-back", "torn-down", "withdrawn"])
def test_who_took_a_package_away_is_named_with_their_words_and_the_command_that_brings_it_back(verdict: str) -> None:
    said = "rejected by ann@example.com on the review page 2026-03-01 10:20 UTC: too slow"
    outcome = release(verdict, stage("staging", package=version(2)), change=change(words=said))
    mail = mailed(release=outcome)

    in_both(
        mail, "Version 3 was rejected.", said, "To bring the rejected package back, approve it in the model registry:"
    )
    command = f"aws sagemaker update-model-package --model-package-arn {PACKAGE} --model-approval-status Approved"
    in_both(mail, f"{command} --region eu-west-1")
    outcome["change"] = change(by="arn:aws:iam::123456789012:role/ops", words="wrong data")
    in_both(
        mailed(release=outcome), "was rejected by arn:aws:iam::123456789012:role/ops, in the model reg", "wrong data"
    )


def test_a_package_that_is_pending_again_was_not_rejected() -> None:
    mail = mailed(release=release("withdrawn", stage="prod", change=change("PendingManualApproval", by="bob")))

    assert mail.subject == "abalone version 3 is no longer approved"
    in_both(mail, "Version 3 was made PendingManualApproval by bob, in the model registry")


def test_a_release_by_hand_of_a_package_that_nobody_approved_says_that_and_not_that_it_is_no_longer_approved() -> None:
    mail = mailed(release=release("withdrawn", change=change("PendingManualApproval", by="bob")))

    assert mail.subject == "abalone version 3 is not approved"
    in_both(mail, "Version 3 is PendingManualApproval in the model registry: nobody has approved it, or its approval")
    in_both(mail, "To release it, approve it in the model registry:")
    in_neither(mail, "no longer", "rejected", "was made")


@pytest.mark.parametrize(
    ("known", "named"),
    [
        (PACKAGE, "signalbox-abalone/3"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/iris-tree:1.2", "iris-tree"),
        (f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris@sha256:{'0' * 64}", "iris"),
        ("unknown", "A model"),
        ("", "A model"),
    ],
)
def test_a_refusal_before_a_model_is_known_names_what_people_know(known: str, named: str) -> None:
    mail = mailed(model=known, package=None, error=failure("InvalidRequestError", "no such package"))

    assert mail.subject == f"{named} has failed"
    assert mailed(model="", error=failure("ReleaseError")).subject == "signalbox-abalone/3 has failed"


@pytest.mark.parametrize("verdict", ["released", "nothing-to-do", "declined", "expired", "failed"])
def test_a_stage_that_was_taken_out_of_the_document_meanwhile_is_named(verdict: str) -> None:
    mail = mailed(release=release(verdict, stage("staging"), stage="prod", removed=["prod"]), decision=DECISION)

    in_both(mail, "prod is no longer in the stages document, so nothing is released there, whatever was decided.")
    again = "Put prod back into the stages document, and start the release machine with it to be asked again:"
    assert (again in mail.text) is (verdict in ("declined", "expired"))
    several = release(verdict, stage("staging"), removed=["lab", "prod"])
    in_both(mailed(release=several, decision=DECISION), "lab and prod are no longer in the stages document")


def test_a_release_that_was_overtaken_says_by_which_package_and_by_whom() -> None:
    newer = change("Approved", by="bob", of=version(4))
    mail = mailed(release=release("superseded", stage("staging"), stage="prod", change=newer))

    in_both(mail, "Version 4 was approved in the meantime by bob, in the model registry, so this release has stopped.")
    in_both(mail, "To release this package after all:", "aws stepfunctions start-execution --state-machine-arn")
    again = change("Approved", by="bob")
    same = mailed(release=release("superseded", stage("staging"), stage="prod", change=again))
    in_both(same, "Version 3 was asked for again, and approved in the meantime by bob")
    in_neither(same, "to release this package after all")


@pytest.mark.parametrize(
    ("verdict", "trigger"), [("declined", "approved"), ("expired", "approved"), ("failed", "rejected")]
)
def test_the_command_that_starts_a_release_again_is_one_that_its_machine_reads(verdict: str, trigger: Trigger) -> None:
    mail = mailed(release=release(verdict, stage="prod", trigger=trigger), decision=DECISION)

    line = next(one for one in mail.text.splitlines() if "start-execution" in one)
    options = dict(batched(shlex.split(line)[3:], 2, strict=True))
    assert options["--region"] == "eu-west-1"
    assert options["--state-machine-arn"] == EXECUTION.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    asked: Any = {"started": "2026-11-20T10:00:00Z", "execution": "e", "execution_arn": EXECUTION}
    request = read_request(asked | {"input": json.loads(options["--input"])}, "signalbox")
    assert (request.model, request.package, request.trigger) == ("abalone", PACKAGE, trigger)


def test_what_another_release_has_moved_since_is_not_said_to_be_as_it_was_left() -> None:
    now = [serving("staging", version(4)), serving("prod")]
    mail = mailed(release=release("released", stage("staging"), stage("prod"), serving=now))

    assert mail.subject == "abalone version 3 is released to prod"
    in_both(mail, "Another release has moved staging since.")
    assert "staging serves: signalbox-abalone/4" in mail.text


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            serving("prod", None, "Failed"),
            "no package of the model registry, by endpoint signalbox-abalone-prod, which is F",
        ),
        (
            serving("prod", status="Updating"),
            "signalbox-abalone/3, by endpoint signalbox-abalone-prod, which is Updating",
        ),
        (serving("prod", None), "nothing: it has no endpoint"),
    ],
)
def test_a_stage_that_declined_is_shown_as_its_endpoint_is(now: StageServing, said: str) -> None:
    assert f"prod serves: {said}" in mailed(release=release("declined", serving=[now])).text


@pytest.mark.parametrize("unknown", [{"serving": None}, {"serving": []}, "of the version before"])
def test_a_release_whose_stages_could_not_be_read_says_so(unknown: Any) -> None:
    outcome = release("released", stage("prod"))
    if isinstance(unknown, dict):
        mail = mailed(release=outcome | unknown)
    else:
        mail = mailed(release={key: value for key, value in outcome.items() if key not in ("serving", "change")})

    in_both(mail, "released to prod", "The stages serve", "nobody could read it; the command signalbox status shows it")


def test_a_rollback_of_a_package_that_is_named_itself_names_no_rejected_one() -> None:
    mail = mailed(release=release("rolled-back", stage("prod"), trigger="rejected"))

    assert mail.subject == "abalone version 3 is back in prod"
    in_both(mail, "It had been rejected, and was approved again meanwhile.")
    in_neither(mail, "to bring the rejected package back")


def test_a_rollback_tells_each_stage_its_own_package() -> None:
    stages = (
        stage("lab", "torn-down", None),
        stage("staging", package=version(2)),
        stage("canary", package=version(1)),
        stage("prod", "kept", version(1)),
    )
    mail = mailed(release=release("rolled-back", *stages, trigger="rejected"))

    assert mail.subject == "abalone version 2 is back in staging and version 1 is back in canary"
    in_both(mail, "lab has no endpoint; prod serves version 1.")
    assert "staging serves: signalbox-abalone/2, by endpoint signalbox-abalone-staging" in mail.text
    assert "canary serves: signalbox-abalone/1, by endpoint signalbox-abalone-canary" in mail.text
    assert "lab serves: nothing: it has no endpoint" in mail.text
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


@pytest.mark.parametrize(
    ("verdict", "decision", "title"),
    [("declined", DECISION, " was rejected"), ("expired", EXPIRED, ": nobody decided for prod in time")],
)
def test_a_stage_whose_package_was_rejected_in_the_registry_is_told_as_that(
    verdict: str, decision: ReviewDecision, title: str
) -> None:
    change: RegistryChange = {"package": PACKAGE, "status": "Rejected", "by": "eve", "words": ""}
    mail = mailed(release=release(verdict, stage("staging"), stage="prod", change=change), decision=decision)

    in_both(mail, "Version 3 was rejected by eve, in the model registry.", "prod stays as it is.")
    in_both(mail, "To bring the rejected package back, approve it in the model registry:")
    in_neither(mail, "stays approved")
    assert mail.subject == f"abalone version 3{title}"


def test_a_stage_that_is_declined_for_a_package_that_the_registry_still_approves_says_so() -> None:
    change: RegistryChange = {"package": PACKAGE, "status": "Approved", "by": "eve", "words": ""}
    mail = mailed(release=release("declined", stage="prod", change=change), decision=DECISION)

    assert mail.subject == "abalone version 3 was rejected for prod"
    in_both(mail, "The package stays approved. Start the release machine")


def test_a_stage_that_nobody_decided_on_stays_as_it_is_and_the_package_stays_approved() -> None:
    mail = mailed(release=release("expired", stage="prod"), decision=EXPIRED)

    assert mail.subject == "abalone version 3: nobody decided for prod in time"
    in_both(mail, "prod stays as it is.", "The package stays approved")


def test_a_package_that_is_rejected_during_its_release_is_nobodys_decision() -> None:
    mail = mailed(release=release("withdrawn", stage("staging"), stage="prod"))

    in_both(mail, "by somebody, in the model registry, or taken out of it. So this release has stopped. prod stays as")
    in_both(mail, "Done before that: staging serves version 3.", "approve it in the model registry")
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


def test_a_list_of_mails_shows_the_first_sentences_of_a_mail_and_nothing_else_of_it() -> None:
    html = mailed(release=release("declined", stage("staging"), stage="prod"), decision=DECISION).html

    hidden = re.search(r'<div class="preheader"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert hidden is not None
    assert hidden[1].startswith(f"Rejected by {BOB} on Sunday 1 March 2026, 10:20 UTC. prod stays as it is. bad &lt;b")
    assert len(hidden[1]) < 200


def test_a_mail_that_reaches_nobody_fails() -> None:
    with pytest.raises(MailError):
        notifying.notify_ending(ending(release=release()), NotifyingPorts(OutboxFake(ANN), (ANN,)))


def test_an_ending_is_mailed_to_the_approvers_of_the_models_project_and_else_to_the_stacks() -> None:
    outbox, own = OutboxFake(), {PACKAGE: ("own@example.com",)}
    ports = notifying.NotifyingPorts(outbox, (ANN, BOB), own=lambda model: own.get(model, ()))

    notifying.notify_ending(ending(release=release("nothing-to-do")), ports)
    notifying.notify_ending(ending(release=release("nothing-to-do"), package=None), ports)

    assert [mail.to for mail in outbox.mails] == ["own@example.com", ANN, BOB]
