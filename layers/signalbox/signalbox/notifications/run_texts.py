"""What to say about a pipeline run that uploads had started and that did not end in a model, or could not start."""

from typing import TYPE_CHECKING

from signalbox import quarantine, words
from signalbox.notifications import commands, failures
from signalbox.notifications.failures import Explanation
from signalbox.notifications.model import Notification

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox.contracts.endings import RefusedWait, RunFailure, RunRefusal

_MENDED = (
    "Mend what this names: deploy the project again, correct its pipeline, or allow what is denied.",
    "Nothing is lost, and nothing has to be uploaded again: the run is tried again and again, and starts then.",
)

_REFUSED: "Mapping[RefusedWait, str]" = {
    "uploads": "Uploads wait for a run that cannot start:",
    "run": "A push asked for a run that cannot start:",
    "nothing": "A push asked for a run, and there is nothing to run over:",
}


def run_failed(run: "RunFailure") -> Notification:
    """Tell which step failed, what its job says, and which uploads the run was about."""
    failure, step = failures.explain(run["cause"]), run["step"]
    stopped = run["status"] == "Stopped" and not step
    how = "was stopped" if stopped else "has failed"
    return Notification(
        lamp="quiet" if stopped else "bad",
        title=f"{run['project']}: the pipeline run {how}" + (f" in {step}" if step else ""),
        lead=_lead(step, failure.job, stopped=stopped),
        quote=failure.text or run["reason"] or "SageMaker gave no reason.",
        lines=tuple(line for line in (failure.exit_code, _advice(failure, run)) if line),
        files=tuple(quarantine.sentences(run["quarantine"]["files"])),
        more_files=max(0, len(run["quarantine"]["files"]) - quarantine.MOST_NAMED) + run["quarantine"]["more"],
        commands=(
            *commands.to_run_again(run["run"], run["quarantine"]),
            *commands.to_see_features(run["run"], run["quarantine"]),
            ("To see all its steps:", commands.steps_of(run["execution_arn"])),
        ),
        facts=_facts(run, failure),
        job=failure.job,
        log_group=failure.log_group,
    )


def _facts(run: "RunFailure", failure: Explanation) -> tuple[tuple[str, str], ...]:
    found = (
        ("Project", run["project"]),
        ("Run", run["run"]),
        ("Uploads", run["uploads"]),
        ("Features", run["quarantine"].get("features", "")),
        ("Step", run["step"]),
        ("Failed too", ", ".join(run["other_steps"])),
        ("Reason", run["reason"] if failure.job else ""),
        ("Job", failure.job),
        ("Log group", failure.log_group),
    )
    return tuple((label, value) for label, value in found if value)


def _lead(step: str, job: str, *, stopped: bool) -> str:
    if stopped:
        return "Somebody has stopped the run before its end:"
    if not step:
        return "The run has failed before any of its steps:"
    return f"Its step {step} has failed" + (f"; the job {job} says:" if job else ":")


def _advice(failure: Explanation, run: "RunFailure") -> str:
    if quarantine.wrong(run["quarantine"]["files"]):
        return ""  # the files are named, and the command that runs the others again
    look = "Read the job's log (its streams begin with the job's name). " if failure.job else ""
    return f"{look}Correct the data, or the pipeline's parameters, and upload again: that starts the next run."


def run_refused(refusal: "RunRefusal") -> Notification:
    """Tell why a run cannot start, whether it waits, and what to do."""
    found = (
        ("Project", refusal["project"]),
        ("Pipeline", refusal["pipeline"]),
        ("Run", refusal["run"]),
        ("Uploads", refusal["uploads"]),
        ("Waiting since", words.when(refusal["since"])),
    )
    return Notification(
        lamp="bad",
        title=f"{refusal['project']}: the pipeline run cannot start",
        lead=_REFUSED[refusal["waits"]],
        quote=refusal["reason"],
        lines=() if refusal["waits"] == "nothing" else _MENDED,
        commands=(("To see the pipeline:", f"aws sagemaker describe-pipeline --pipeline-name {refusal['pipeline']}"),),
        facts=tuple((label, value) for label, value in found if value),
    )
