"""What failed is mailed with the failure's own words, and with how it left the stage."""

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tests.support.botocore_strict import check_response
from tests.support.notifications import (
    RUN,
    ending,
    failure,
    in_both,
    in_neither,
    mailed,
    mailed_about_refusal,
    mailed_about_run,
    release,
    run_failure,
    stage,
    version,
)
from tests.support.reviews import ANN, BOB, OutboxFake

from signalbox import links
from signalbox.contracts.releases import RollbackResult
from signalbox.notifications import failures, notifying
from signalbox.notifications.notifying import NotifyingPorts

if TYPE_CHECKING:
    from signalbox.contracts.endings import RunRefusal

TRAINING = {"TrainingJobName": "iris-train-1", "TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit 1"}
UNCERTAIN = "The stage could not be rolled back with certainty: look at its endpoint now."
REJECTED = "the package that served before is rejected and must not return: a person has to decide"
NESTED = {
    "ExecutionArn": "arn:aws:states:eu-west-1:123456789012:execution:release:run-7",
    "StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:release",
    "Name": "run-7",
    "Status": "FAILED",
    "Error": "VerificationError",
    "Cause": "1 of 10 golden requests has another answer",
}


def test_a_failed_job_is_told_with_its_reason_and_its_log() -> None:
    mail = mailed(error=failure(cause=json.dumps(TRAINING)))

    assert mail.subject == "abalone version 3 has failed"
    in_both(mail, "AlgorithmError: exit 1", "iris-train-1", "/aws/sagemaker/TrainingJobs", "States.TaskFailed")
    in_both(mail, "Read the job's log", "TrainingJobs$3FlogStreamNameFilter$3Diris-train-1")
    assert links.log("run-7", "/aws/x", "j") == ""


def test_the_last_lines_of_a_failed_jobs_log_are_in_the_mail() -> None:
    mail = mailed(error=failure(cause=json.dumps(TRAINING)))

    in_both(mail, "epoch 1 of 9")
    assert "  epoch 1 of 9\n  iris-train-1 in /aws/sagemaker/TrainingJobs cannot read <a file>\n" in mail.text
    assert "cannot read &lt;a file&gt;" in mail.html
    assert "THE LAST LINES OF ITS LOG" not in mailed(error=failure(cause="plain words")).text


def test_the_last_lines_of_a_failed_steps_log_are_in_the_mail_about_its_run() -> None:
    job = {"ProcessingJobName": "pipelines-x-prepare", "FailureReason": "AlgorithmError: , exit code: 137"}
    mail = mailed_about_run(step="Prepare", cause=json.dumps(job))

    in_both(mail, "pipelines-x-prepare in /aws/sagemaker/ProcessingJobs", "it needed more memory than its instance has")


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (
            "AlgorithmError: , exit code: 137",
            "Exit code 137: the program was killed, mostly because it needed more memory",
        ),
        ("AlgorithmError: oh, exit code: 139", "Exit code 139: the program touched memory that is not its own"),
        ("ClientError: exit code 127", "Exit code 127: the program was not found: the image needs `train` and `serve`"),
        ("the server ended with exit code 126 before", "Exit code 126: the program was found, but may not be executed"),
        ("AlgorithmError: , Exit Code: 143", "Exit code 143: the program was asked to stop"),
        ("AlgorithmError: , exit code: 134", "Exit code 134: the program ended itself"),
        ("exec /opt/program/train: exec format error", "built for another processor than that of its instances"),
        ("AlgorithmError: wrong label, exit code: 1", ""),
        ("AlgorithmError: , exit code: 1370", ""),
        ("plain words", ""),
    ],
)
def test_an_exit_code_that_says_little_is_explained(words: str, meaning: str) -> None:
    mail = mailed(error=failure(cause=json.dumps(TRAINING | {"FailureReason": words})))

    assert (meaning or "Read the job's log") in mail.text
    assert meaning or "Exit code" not in mail.text


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
    in_both(mailed(error=failure("PlanError", "the plan was wrong")), "the plan was wrong")
    in_both(mailed(error=failure("States.Timeout")), "States.Timeout")
    in_both(mailed(error={"Error": None, "Cause": None}), "The machine gave no reason.")


@pytest.mark.parametrize(
    ("result", "words", "has_reason"),
    [
        ("untouched", "Nothing had been changed.", False),
        ("restored", "The stage serves what it served before.", False),
        ("removed", "The half-made endpoint was removed: the stage has none, as before.", False),
        ("unrecorded", "The stage serves the new package as it should. That is not recorded: start the release", True),
        ("overtaken", "Another release has moved the stage meanwhile, so this one has left it alone.", True),
        ("left", "The stage was left as it is, and needs a person.", True),
        ("unfinished", f"{UNCERTAIN} The endpoint did not come to rest in time.", True),
        ("unverified", f"{UNCERTAIN} It has its previous config, but does not answer as it should.", True),
        ("unknown", UNCERTAIN, True),
    ],
)
def test_a_failed_release_says_how_it_left_its_stage_and_why(result: str, words: str, has_reason: bool) -> None:
    rollback = {"result": result, "reason": "config-7 has not answered."}
    outcome = release("failed", stage="prod", rollback=rollback)
    mail = mailed(error=failure("VerificationError", "no match"), release=outcome)

    in_both(mail, words, "no match")
    assert ("The reason: config-7 has not answered." in mail.text) is has_reason
    assert ("The reason: config-7 has not answered." in mail.html) is has_reason
    assert (UNCERTAIN in mail.text) is (result in {"unfinished", "unverified", "unknown"})


def test_every_way_to_leave_a_stage_has_its_own_words() -> None:
    results: tuple[str, ...] = get_args(RollbackResult.__value__)
    texts = {mailed(release=release("failed", rollback={"result": result, "reason": ""})).text for result in results}

    assert len(texts) == len(results) == 9


def test_a_stage_that_a_person_has_to_decide_about_is_told_with_the_reason() -> None:
    outcome = release("failed", stage="prod", rollback={"result": "left", "reason": REJECTED})
    mail = mailed(error=failure("VerificationError", "no match"), release=outcome)

    assert mail.subject == "abalone version 3 has failed in prod"
    in_both(mail, "The stage was left as it is, and needs a person.", f"The reason: {REJECTED}.")
    in_neither(mail, "look at its endpoint now")


def test_a_stage_that_is_good_but_not_recorded_is_not_told_as_uncertain() -> None:
    reason = "dynamodb:PutItem of releases was refused: AccessDeniedException no"
    outcome = release("failed", stage="prod", rollback={"result": "unrecorded", "reason": reason})
    mail = mailed(error=failure("CallRefusedError", reason), release=outcome)

    assert mail.subject == "abalone version 3 serves in prod, but could not be recorded"
    in_both(mail, "The stage serves the new package as it should.", "start the release again to record it", reason)
    in_neither(mail, "with certainty", "look at its endpoint now")


def test_the_reason_of_a_rollback_is_shown_as_words() -> None:
    outcome = release("failed", stage="prod", rollback={"result": "left", "reason": "<b>endpoint</b> is Failed"})
    mail = mailed(error=failure("x"), release=outcome)

    assert "The reason: <b>endpoint</b> is Failed." in mail.text
    assert "The reason: &lt;b&gt;endpoint&lt;/b&gt; is Failed." in mail.html


def test_a_failed_release_names_the_stages_that_went_well_before() -> None:
    stages = (stage("lab", "kept"), stage("staging"), stage("canary", "torn-down", None))
    rollback = {"result": "restored", "reason": "the previous config serves"}
    mail = mailed(error=failure("x", "y"), release=release("failed", *stages, stage="prod", rollback=rollback))

    assert mail.subject == "abalone version 3 has failed in prod"
    in_both(mail, "Done before that: lab serves version 3; staging serves version 3; canary has no endpoint.")
    in_both(mailed(release=release("failed", stage("staging", package=version(2)))), "staging serves version 2.")


def test_a_failed_release_that_does_not_say_how_it_left_its_stage_is_uncertain() -> None:
    in_both(mailed(error=failure("x"), release=release("failed", stage="prod")), UNCERTAIN)
    unknown = release("failed", stage="prod", rollback={"result": "vanished", "reason": ""})
    in_both(mailed(error=failure("x"), release=unknown), UNCERTAIN)
    in_neither(mailed(error=failure("x"), release=release("failed")), "rolled back")


def test_a_failure_that_the_release_machine_has_mailed_itself_is_not_mailed_again() -> None:
    outbox = OutboxFake()
    again = ending(error=failure(cause=json.dumps(NESTED)))

    assert notifying.notify_ending(again, NotifyingPorts(outbox, (ANN,))) == {"mailed": 0}
    assert outbox.mails == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Error": "States.Runtime"},
        {"Error": "States.DataLimitExceeded"},
        {"Error": "States.Timeout"},
        {"Error": "MailError"},
        {"Error": "NotificationError"},
        {"Error": "Lambda.Unknown"},
        {"Error": "Lambda.TooManyRequestsException"},
        {"Error": "Sandbox.Timedout"},
        {"Error": ""},
    ],
)
def test_a_failure_that_the_release_machine_could_not_mail_is_mailed(changes: dict[str, Any]) -> None:
    in_both(mailed(error=failure(cause=json.dumps(NESTED | changes))), NESTED["Cause"])


@pytest.mark.parametrize("error", ["States.TaskFailed", "SageMaker.SageMakerException", "ReleaseError"])
def test_an_error_of_the_release_machines_own_steps_was_mailed_by_it(error: str) -> None:
    assert failures.mailed_before(json.dumps(NESTED | {"Error": error}))


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
@pytest.mark.parametrize("error", [{}, {"Error": None}, {"Error": "Stopped"}, {"Error": "States.Timeout"}])
def test_an_end_of_the_release_machine_that_its_event_tells_is_not_mailed_again(
    status: str, error: dict[str, Any]
) -> None:
    described = {name: text for name, text in NESTED.items() if name not in ("Error", "Cause")}
    cause = json.dumps(described | {"Status": status} | error)
    outbox = OutboxFake()

    assert notifying.notify_ending(ending(error=failure(cause=cause)), NotifyingPorts(outbox, (ANN,))) == {"mailed": 0}
    assert outbox.mails == []


@pytest.mark.parametrize("missing", ["ExecutionArn", "StateMachineArn", "Status", "Error"])
def test_what_is_not_the_description_of_an_execution_is_mailed(missing: str) -> None:
    assert not failures.mailed_before(json.dumps({name: text for name, text in NESTED.items() if name != missing}))
    assert not failures.mailed_before("no description")


def test_the_description_of_an_execution_has_the_members_that_are_read() -> None:
    described = {name[0].lower() + name[1:]: text for name, text in NESTED.items()}

    check_response("stepfunctions", "DescribeExecution", described)


NO_ROWS = {
    "ProcessingJobName": "pipelines-p4-Preprocess-1",
    "ExitMessage": "a.csv: the data file has no rows",
    "FailureReason": "exit code: 1",
}


def test_a_failed_run_says_step_job_reason_uploads_and_where_the_log_is() -> None:
    mail = mailed_about_run(
        cause=json.dumps(NO_ROWS), step="Preprocess", reason="exit code: 1", run="run-1", uploads="a.csv"
    )
    assert mail.subject == "abalone: the pipeline run has failed in Preprocess"
    in_both(mail, "Its step Preprocess has failed; the job pipelines-p4-Preprocess-1 says:", NO_ROWS["ExitMessage"])
    in_both(mail, "Uploads", "a.csv", "run-1", "exit code: 1", "Read the job's log", "upload again")
    in_both(mail, f"aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {RUN}")
    log = "logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FProcessingJobs$3FlogStreamNameFilter$3Dpipelines-p4"
    in_both(mail, f"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#{log}")
    assert "Step Functions" not in mail.text


def test_a_run_that_fails_itself_is_told_in_its_own_words() -> None:
    mail = mailed_about_run(cause="Its error is 9, 6 is allowed.", step="MseTooHigh", other_steps=["Train"])
    in_both(mail, "Its step MseTooHigh has failed:", "Its error is 9, 6 is allowed.", "Failed too", "Train")
    in_neither(mail, "job's log")


def test_a_run_that_failed_before_its_steps_or_was_stopped_says_so() -> None:
    early = mailed_about_run(reason="The role cannot be assumed.")
    assert early.subject == "abalone: the pipeline run has failed"
    in_both(early, "failed before any of its steps:", "The role cannot be assumed.")
    stopped = mailed_about_run(status="Stopped")
    assert stopped.subject == "abalone: the pipeline run was stopped"
    in_both(stopped, "Somebody has stopped the run", "SageMaker gave no reason.")


@pytest.mark.parametrize(("approvers", "told"), [([], [ANN, BOB]), (["vera@example.com"], ["vera@example.com"])])
def test_a_projects_own_approvers_are_told_of_its_runs_in_place_of_the_stacks(
    approvers: list[str], told: list[str]
) -> None:
    outbox = OutboxFake()
    ports = NotifyingPorts(outbox, (ANN, BOB))
    notifying.notify_run_failed(run_failure(approvers=approvers), ports)
    refusal: RunRefusal = {
        "project": "wine",
        "approvers": approvers,
        "pipeline": "signalbox-wine",
        "run": "",
        "uploads": "",
        "since": "",
        "code": "NoProject",
        "reason": "refused",
        "waits": "uploads",
    }
    notifying.notify_run_refused(refusal, ports)
    assert [mail.to for mail in outbox.mails] == told * 2


def test_a_run_that_cannot_start_says_why_what_waits_since_when_and_what_to_do() -> None:
    mail = mailed_about_refusal(
        run="run-1",
        uploads="incoming/a.csv",
        since="2026-11-20T12:00:01.000000Z",
        code="ResourceNotFound",
        reason="the pipeline signalbox-abalone does not exist",
    )
    assert mail.subject == "abalone: the pipeline run cannot start"
    in_both(
        mail,
        "the pipeline signalbox-abalone does not exist",
        "incoming/a.csv",
        "Friday 20 November 2026, 12:00 UTC",
        "deploy the project again",
        "nothing has to be uploaded again",
        "aws sagemaker describe-pipeline --pipeline-name signalbox-abalone",
    )


def test_a_run_of_a_push_that_cannot_start_says_so_and_that_it_starts_by_itself() -> None:
    mail = mailed_about_refusal(code="ResourceNotFound", uploads="again what run-1 took, at commit 0123", waits="run")
    in_both(mail, "A push asked for a run that cannot start:", "again what run-1 took", "starts then")


def test_a_run_whose_input_is_gone_is_told_without_a_promise_that_it_starts_by_itself() -> None:
    reason = "what its run signalbox-abalone-000001 took is there no more: upload data again"
    mail = mailed_about_refusal(run="signalbox-abalone-000001", code="InputGone", reason=reason, waits="nothing")
    in_both(mail, "A push asked for a run, and there is nothing to run over:", reason)
    in_neither(mail, "nothing has to be uploaded again", "Waiting since")
