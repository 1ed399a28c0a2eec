"""How runs end, told by mail."""

import json
from typing import Any

import pytest
from tests.support.reviews import ANN, BOB, EXECUTION, PACKAGE, OutboxFake

from signalbox import notifications
from signalbox.mail import Mail, MailError
from signalbox.notifications import failures, links

API = "https://api.example.com"
KINDS = ("released", "rejected", "expired", "superseded", "torn-down", "failed", "run-failed", "nothing-to-do")
DECISION = {"review": "r", "decision": "rejected", "by": BOB, "at": "2026-03-01T10:20:00.000000Z", "reason": "bad <b>"}
TRAINING = {"TrainingJobName": "iris-train-1", "TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit 1"}


def told(kind: str, **more: Any) -> Mail:
    outbox = OutboxFake()
    event = {"kind": kind, "model": "abalone", "package": PACKAGE, "execution_arn": EXECUTION, **more}
    assert notifications.announce(notifications.Post(outbox, (ANN, BOB), API), event) == {"mailed": 2}
    assert [mail.to for mail in outbox.mails] == [ANN, BOB]
    return outbox.mails[0]


def in_both(mail: Mail, *texts: str) -> None:
    for text in texts:
        assert text in mail.text
        assert text in mail.html.replace("&#39;", "'")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_mail_that_says_where_to_look(kind: str) -> None:
    mail = told(kind)
    assert mail.subject.startswith("abalone")
    in_both(mail, "states/home?region=eu-west-1#/v2/executions/details/" + EXECUTION, "signalbox-abalone/3", "run-7")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_do_without_the_particulars(kind: str) -> None:
    mail = told(kind, model=None, package=None, execution_arn="", detail=None, error=None)
    assert mail.subject.startswith("A model")
    assert "where to look" not in (mail.html + mail.text).lower()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(notifications.AnnouncementError, match=r"'other' is none of released, rejected"):
        told("other")


def test_a_release_names_stages_endpoints_and_how_to_call_them() -> None:
    stages = [
        {"stage": "staging", "verdict": "kept", "endpoint": "signalbox-abalone-staging"},
        {"stage": "prod", "verdict": "released", "endpoint": "signalbox-abalone-prod"},
        {"stage": "lab", "verdict": "failed"},
    ]
    mail = told("released", detail={"because": "approved", "verdict": "released", "stages": stages})
    assert mail.subject == "abalone version 3 is released to staging and prod"
    in_both(mail, "signalbox-abalone-prod", f"POST {API}/stages/prod/invocations?model=abalone", "/stages/staging/")
    assert "lab" not in mail.text
    assert told("released", stage="prod").subject == "abalone version 3 is released to prod"


def test_a_rollback_says_that_the_package_is_back() -> None:
    stages = [{"stage": "prod", "verdict": "released", "endpoint": "e"}]
    mail = told("released", detail={"because": "rejected", "verdict": "rolled-back", "stages": stages})
    assert mail.subject == "abalone version 3 is back in prod"
    in_both(mail, "The package after it was rejected.")


@pytest.mark.parametrize(
    ("verdict", "subject"),
    [
        ("superseded", "abalone version 3 was overtaken"),
        ("declined", "abalone version 3 was rejected"),
        ("withdrawn", "abalone version 3 was rejected"),
        ("expired", "abalone version 3: nobody decided in time"),
        ("torn-down", "abalone was taken down"),
        ("nothing-to-do", "abalone version 3: nothing to do"),
        ("released", "abalone version 3 is released"),
    ],
)
def test_how_a_nested_release_ended_holds_against_the_kind(verdict: str, subject: str) -> None:
    assert told("released", detail={"verdict": verdict, "stages": []}).subject == subject


@pytest.mark.parametrize(
    "more",
    [
        {"detail": DECISION},
        {"detail": {"decision": DECISION}},
        {"error": {"Error": "ReviewRejected", "Cause": json.dumps(DECISION)}},
    ],
)
def test_a_rejection_says_who_when_and_why(more: dict[str, Any]) -> None:
    mail = told("rejected", **more)
    in_both(mail, f"Rejected by {BOB} on Sunday 1 March 2026, 10:20 UTC. It will not be released.")
    assert "bad <b>" in mail.text
    assert "bad &lt;b&gt;" in mail.html
    assert "approve the package in the model registry" in mail.text


def test_a_rejection_at_a_stage_leaves_the_package_approved() -> None:
    mail = told("rejected", stage="prod", detail={"stages": [], "decision": DECISION})
    assert mail.subject == "abalone version 3 was rejected for prod"
    in_both(mail, "prod stays as it is.", "The package stays approved")
    in_both(
        told("rejected", detail={"stages": []}), "The stage stays as it is.", "approve the package in the model reg"
    )
    in_both(told("expired", stage="prod"), "nobody decided for prod in time", "The package stays approved")


def test_a_tear_down_names_the_stages() -> None:
    stages = [{"stage": "staging", "verdict": "torn-down"}, {"stage": "prod", "verdict": "torn-down"}]
    mail = told("torn-down", detail={"verdict": "torn-down", "stages": stages})
    assert mail.subject == "abalone was taken down in staging and prod"


def test_a_failed_job_is_told_with_its_reason_and_its_log() -> None:
    mail = told("failed", error={"Error": "States.TaskFailed", "Cause": json.dumps(TRAINING)})
    assert mail.subject == "abalone version 3 has failed"
    in_both(mail, "AlgorithmError: exit 1", "iris-train-1", "/aws/sagemaker/TrainingJobs", "States.TaskFailed")
    in_both(mail, "Read the job's log")


@pytest.mark.parametrize(
    ("cause", "text", "job"),
    [
        (json.dumps({"TransformJobName": "t", "TransformJobStatus": "Stopped"}), "It ended as Stopped.", "t"),
        (json.dumps({"ProcessingJobName": "p"}), "It ended as failed.", "p"),
        (json.dumps({"errorMessage": "no rows", "errorType": "EvaluationError"}), "no rows", ""),
        (json.dumps({"EndpointName": "e", "FailureReason": "no ping"}), "no ping", ""),
        (json.dumps({"ExecutionArn": "a", "Cause": json.dumps(TRAINING)}), "AlgorithmError: exit 1", "iris-train-1"),
        (json.dumps({"Error": "x"}), '{"Error": "x"}', ""),
        (json.dumps(["a"]), '["a"]', ""),
        ("plain words", "plain words", ""),
        ("", "", ""),
        ("x" * 9000, "x" * 4000, ""),
    ],
)
def test_a_cause_is_explained_by_the_words_that_matter(cause: str, text: str, job: str) -> None:
    found = failures.explain(cause)
    assert (found.text, found.job) == (text, job)
    assert bool(found.log_group) == bool(job)


def test_a_cause_within_causes_without_end_is_cut() -> None:
    cause = "core"
    for _ in range(9):
        cause = json.dumps({"Cause": cause})
    assert "core" in failures.explain(cause).text


def test_a_failure_without_a_cause_says_what_is_known() -> None:
    in_both(told("failed", detail="the plan was wrong"), "the plan was wrong")
    in_both(told("failed", error={"Error": "States.Timeout"}), "States.Timeout")
    in_both(told("failed", error={"Error": None, "Cause": None}), "The machine gave no reason.")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("kept", "serves what it served before"),
        ("gone", "half-made endpoint was removed"),
        ("none", "Nothing had been changed"),
        ("unverified", "look at its endpoint now"),
    ],
)
def test_a_failed_release_says_how_the_stage_was_left(action: str, words: str) -> None:
    mail = told("failed", stage="prod", detail={"put_back": {"action": action}})
    assert mail.subject == "abalone version 3 has failed in prod"
    in_both(mail, words)


RUN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/signalbox-abalone/execution/p4jn9xou8a8s"
NO_ROWS = {
    "ProcessingJobName": "pipelines-p4-Preprocess-1",
    "ExitMessage": "a.csv: the data file has no rows",
    "FailureReason": "exit code: 1",
}


def told_of_run(cause: str, **detail: Any) -> Mail:
    error = {"Cause": cause}
    return told("run-failed", package=None, execution_arn=RUN, detail={"status": "Failed", **detail}, error=error)


def test_a_failed_run_says_step_job_reason_uploads_and_where_the_log_is() -> None:
    mail = told_of_run(json.dumps(NO_ROWS), step="Preprocess", reason="exit code: 1", run="run-1", uploads="a.csv")
    assert mail.subject == "abalone: the pipeline run has failed in Preprocess"
    in_both(mail, "Its step Preprocess has failed; the job pipelines-p4-Preprocess-1 says:", NO_ROWS["ExitMessage"])
    in_both(mail, "Uploads", "a.csv", "run-1", "exit code: 1", "Read the job's log", "upload again")
    in_both(mail, f"aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {RUN}")
    log = "logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FProcessingJobs$3FlogStreamNameFilter$3Dpipelines-p4"
    in_both(mail, f"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#{log}")
    assert "Step Functions" not in mail.text


def test_a_run_that_fails_itself_is_told_in_its_own_words() -> None:
    mail = told_of_run("Its error is 9, 6 is allowed.", step="MseTooHigh", other_steps=["Train"])
    in_both(mail, "Its step MseTooHigh has failed:", "Its error is 9, 6 is allowed.", "Failed too", "Train")
    assert "job's log" not in mail.text


def test_a_run_that_failed_before_its_steps_or_was_stopped_says_so() -> None:
    early = told_of_run("", reason="The role cannot be assumed.")
    assert early.subject == "abalone: the pipeline run has failed"
    in_both(early, "failed before any of its steps:", "The role cannot be assumed.")
    stopped = told_of_run("", status="Stopped")
    assert stopped.subject == "abalone: the pipeline run was stopped"
    in_both(stopped, "Somebody has stopped the run", "SageMaker gave no reason.")


def test_the_log_of_a_failed_job_has_its_address() -> None:
    in_both(told("failed", error={"Cause": json.dumps(TRAINING)}), "TrainingJobs$3FlogStreamNameFilter$3Diris-train-1")
    assert links.log("run-7", "/aws/x", "j") == ""


@pytest.mark.parametrize("kind", ["superseded", "nothing-to-do"])
def test_words_of_the_machine_are_shown(kind: str) -> None:
    in_both(told(kind, detail="Version 4 was approved."), "Version 4 was approved.")
    in_both(told(kind, detail=["a", 1]), "1]")


def test_hostile_words_stay_words() -> None:
    mail = told("failed", model="<script>", error={"Error": "<script>", "Cause": "<script>alert(1)</script>"})
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


def test_an_announcement_that_reaches_nobody_fails() -> None:
    post = notifications.Post(OutboxFake(ANN), (ANN,))
    with pytest.raises(MailError):
        notifications.announce(post, {"kind": "released", "model": "m", "execution_arn": EXECUTION})


def test_a_time_that_is_none_is_shown_as_it_came() -> None:
    in_both(told("rejected", detail={**DECISION, "at": "yesterday"}), "on yesterday.")
