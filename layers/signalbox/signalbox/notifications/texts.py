"""What to say about each way in which a run can end."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signalbox.notifications import failures
from signalbox.templates import package_label, package_name, when

# A machine that ran a release inside itself passes its output on: how the release ended holds against the kind.
_VERDICTS = {
    "superseded": "superseded",
    "withdrawn": "rejected",
    "declined": "rejected",
    "expired": "expired",
    "torn-down": "torn-down",
    "nothing-to-do": "nothing-to-do",
}
_PUT_BACK = {
    "none": "Nothing had been changed.",
    "kept": "The stage serves what it served before.",
    "gone": "The half-made endpoint was removed.",
}


class AnnouncementError(Exception):
    """The machine asked for an announcement that does not exist."""

    def __init__(self, kind: object) -> None:
        super().__init__(f"announcement kind {kind!r} is none of {', '.join(_KINDS)}: correct the state's Arguments")


@dataclass(frozen=True)
class Ending:
    """What the machine says: `detail` is what its last state knew, `error` what was caught."""

    model: str
    package: str
    stage: str
    execution: str
    detail: dict[str, Any]
    words: str
    error: dict[str, str]
    api_url: str

    @property
    def name(self) -> str:
        """Return the model and its version, as far as they are known."""
        return f"{self.model} {package_label(self.package)}" if self.package else self.model

    @property
    def of_release(self) -> bool:
        """Say whether a release ended, so that the package itself stays approved unless its review said otherwise."""
        return bool(self.stage) or "stages" in self.detail

    def stages(self, *verdicts: str) -> list[dict[str, str]]:
        """Return the stages that ended so: objects with `stage`, maybe `endpoint`."""
        found = [one for one in self.detail.get("stages") or [] if isinstance(one, dict) and one.get("stage")]
        chosen = [one for one in found if one.get("verdict") in verdicts]
        return chosen or ([{"stage": self.stage}] if self.stage else [])


@dataclass(frozen=True)
class Announcement:
    """One mail's content.

    `lamp` is its colour; `quote` somebody else's words, in the style "words" for a person's and "quote" for a
    program's; `command` is something to copy. `job` and `log_group` say where a failed job of SageMaker wrote.
    """

    lamp: str
    title: str
    lead: str
    quote: str = ""
    quote_style: str = "quote"
    lines: tuple[str, ...] = ()
    command: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    job: str = ""
    log_group: str = ""


def compose(payload: dict[str, Any], api_url: str = "") -> Announcement:
    """Return what to say; released models are called under `api_url`. Raises AnnouncementError for an unknown kind."""
    kind, detail = str(payload.get("kind")), payload.get("detail")
    if kind not in _KINDS:
        raise AnnouncementError(payload.get("kind"))
    known = detail if isinstance(detail, dict) else {}
    if kind == "released":
        kind = _VERDICTS.get(str(known.get("verdict")), kind)
    error = {name: str(value) for name, value in (payload.get("error") or {}).items() if value is not None}
    ending = Ending(
        model=str(payload.get("model") or "A model"),
        package=str(payload.get("package") or ""),
        stage=str(payload.get("stage") or ""),
        execution=str(payload.get("execution_arn") or ""),
        detail=known,
        words=_words(detail),
        error=error,
        api_url=api_url or "<ApiUrl>",
    )
    return _KINDS[kind](ending)


def _words(detail: Any) -> str:
    """Return a detail as text: a sentence as it is, a list as JSON; what is an object is read by name."""
    if not detail or isinstance(detail, dict):
        return ""
    text = detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False, default=str)
    return text[: failures.TEXT_LIMIT]


def _facts(ending: Ending, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    found = (("Model", ending.model), ("Package", package_name(ending.package)), ("Stage", ending.stage), *more)
    return tuple((label, value) for label, value in found if value)


def _listed(stages: list[dict[str, str]]) -> str:
    names = [one["stage"] for one in stages]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _released(ending: Ending) -> Announcement:
    stages = ending.stages("released", "kept")
    back = ending.detail.get("because") == "rejected"
    where = f" {'in' if back else 'to'} {_listed(stages)}" if stages else ""
    lead = "Its endpoint serves this package and answered the golden requests as the batch transform did."
    endpoints = [(f"Endpoint in {one['stage']}", str(one.get("endpoint") or "")) for one in stages]
    return Announcement(
        lamp="good",
        title=f"{ending.name} is {'back' if back else 'released'}{where}",
        lead=f"The package after it was rejected. {lead}" if back else lead,
        lines=("To call it, sign the request with IAM (`signalbox invoke` does).",) if stages else (),
        command="\n".join(
            f"POST {ending.api_url}/stages/{one['stage']}/invocations?model={ending.model}" for one in stages
        ),
        facts=_facts(ending, *endpoints),
    )


def _decision(ending: Ending) -> dict[str, str]:
    """Return who decided what, from the detail or from the cause of a ReviewRejected."""
    for candidate in (ending.detail, ending.detail.get("decision"), failures.parsed(ending.error.get("Cause", ""))):
        if isinstance(candidate, dict) and candidate.get("by"):
            return {name: str(candidate.get(name) or "") for name in ("by", "at", "reason")}
    return {"by": "", "at": "", "reason": str(ending.detail.get("reason") or "")}


def _rejected(ending: Ending) -> Announcement:
    decision = _decision(ending)
    by = decision["by"] or "somebody, in the model registry"
    on = f" on {when(decision['at'])}" if decision["at"] else ""
    where = f" for {ending.stage}" if ending.stage else ""
    kept = f"{ending.stage or 'The stage'} stays as it is." if ending.of_release else "It will not be released."
    return Announcement(
        lamp="bad",
        title=f"{ending.name} was rejected{where}",
        lead=f"Rejected by {by}{on}. {kept}",
        quote=decision["reason"][: failures.TEXT_LIMIT],
        quote_style="words",
        lines=(_second_thoughts(ending, decided=bool(decision["by"])),),
        facts=_facts(ending),
    )


def _expired(ending: Ending) -> Announcement:
    where = f" for {ending.stage}" if ending.stage else ""
    return Announcement(
        lamp="bad",
        title=f"{ending.name}: nobody decided{where} in time",
        lead="The review has expired unanswered, and that counts as rejected.",
        lines=(_second_thoughts(ending, decided=True),),
        facts=_facts(ending),
    )


def _second_thoughts(ending: Ending, *, decided: bool) -> str:
    if ending.of_release and decided:
        return "The package stays approved: start the release machine with it to be asked again."
    return "To release it after all, approve the package in the model registry."


def _superseded(ending: Ending) -> Announcement:
    lead = "A newer package was approved in the meantime, so this release has stopped. The newer one goes on."
    return _quiet(ending, f"{ending.name} was overtaken", lead)


def _torn_down(ending: Ending) -> Announcement:
    stages = ending.stages("torn-down")
    return Announcement(
        lamp="quiet",
        title=f"{ending.model} was taken down" + (f" in {_listed(stages)}" if stages else ""),
        lead="No approved package is left, so its endpoint was deleted.",
        lines=("Approve a package in the model registry to bring it back.",),
        facts=_facts(ending),
    )


def _nothing_to_do(ending: Ending) -> Announcement:
    lead = "Every stage already serves what the registry says it should."
    return _quiet(ending, f"{ending.name}: nothing to do", lead)


def _quiet(ending: Ending, title: str, lead: str) -> Announcement:
    """Return news that asks nothing of anybody, with the machine's words."""
    return Announcement(
        lamp="quiet", title=title, lead=lead, quote=ending.words, quote_style="words", facts=_facts(ending)
    )


def _failed(ending: Ending) -> Announcement:
    name = ending.error.get("Error", "")
    failure = failures.explain(ending.error.get("Cause", ""))
    where = f" in {ending.stage}" if ending.stage else ""
    return Announcement(
        lamp="bad",
        title=f"{ending.name} has failed{where}",
        lead=f"The job {failure.job} failed:" if failure.job else "A step failed:",
        quote=failure.text or ending.words or name or "The machine gave no reason.",
        lines=(*_put_back(ending), _advice(failure)),
        facts=_facts(ending, ("Error", name), ("Job", failure.job), ("Log group", failure.log_group)),
        job=failure.job,
        log_group=failure.log_group,
    )


def _run_failed(ending: Ending) -> Announcement:
    """Tell of a SageMaker pipeline's execution that uploads had started; its detail is `uploads.reporting`'s."""
    known = {name: str(value or "") for name, value in ending.detail.items()}
    failure = failures.explain(ending.error.get("Cause", ""))
    step, stopped = known.get("step", ""), known.get("status") == "Stopped" and not known.get("step")
    how = "was stopped" if stopped else "has failed"
    others = ", ".join(map(str, ending.detail.get("other_steps") or ()))
    return Announcement(
        lamp="quiet" if stopped else "bad",
        title=f"{ending.model}: the pipeline run {how}" + (f" in {step}" if step else ""),
        lead=_run_lead(step, failure.job, stopped=stopped),
        quote=failure.text or known.get("reason") or "SageMaker gave no reason.",
        lines=(_run_advice(failure),),
        command=f"aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {ending.execution}",
        facts=_facts(
            ending,
            ("Run", known.get("run", "")),
            ("Uploads", known.get("uploads", "")),
            ("Step", step),
            ("Failed too", others),
            ("Reason", known.get("reason", "") if failure.job else ""),
            ("Job", failure.job),
            ("Log group", failure.log_group),
        ),
        job=failure.job,
        log_group=failure.log_group,
    )


def _run_lead(step: str, job: str, *, stopped: bool) -> str:
    if stopped:
        return "Somebody has stopped the run before its end:"
    if not step:
        return "The run has failed before any of its steps:"
    return f"Its step {step} has failed" + (f"; the job {job} says:" if job else ":")


def _run_advice(failure: failures.Failure) -> str:
    look = "Read the job's log (its streams begin with the job's name). " if failure.job else ""
    return f"{look}Correct the data, or the pipeline's parameters, and upload again: that starts the next run."


def _put_back(ending: Ending) -> tuple[str, ...]:
    """Say how the stage was left, where a release failed."""
    back = ending.detail.get("put_back")
    if not isinstance(back, dict):
        return ()
    unknown = "The stage could not be put back with certainty: look at its endpoint now."
    return (_PUT_BACK.get(str(back.get("action")), unknown),)


def _advice(failure: failures.Failure) -> str:
    if failure.job:
        return (
            "Read the job's log (its streams begin with the job's name), correct the data, the parameters or the "
            "container, and start a new execution."
        )
    return "Open the execution to see the step and what it was given, correct the cause, and start a new execution."


_KINDS: dict[str, Callable[[Ending], Announcement]] = {
    "released": _released,
    "rejected": _rejected,
    "expired": _expired,
    "superseded": _superseded,
    "torn-down": _torn_down,
    "failed": _failed,
    "run-failed": _run_failed,
    "nothing-to-do": _nothing_to_do,
}
