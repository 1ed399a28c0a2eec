"""Telling people how a run ended: one mail to every approver, with what happened, where to look and what to do next."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signalbox.mail import Mail, Mailer, SesMailer, addresses, send_each
from signalbox.observability import count, logger
from signalbox.settings import Announce
from signalbox.templates import package_label, package_name, render, when

_QUOTE_LIMIT = 4000
_DEPTH = 5  # an execution that failed in an execution that failed …
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
# The field that names the job in a Describe… answer, and the log group that SageMaker writes (Developer Guide,
# "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs").
_JOBS = {
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
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
    execution_arn: str
    detail: Any
    error: dict[str, str]

    @property
    def name(self) -> str:
        """Return the model and its version, as far as they are known."""
        model = self.model or "A model"
        return f"{model} {package_label(self.package)}" if self.package else model


@dataclass(frozen=True)
class Announcement:
    """One mail's content; `lamp` is its colour, `quote` somebody else's words (a person's in the
    style "words", a program's in "quote"), `command` something to copy."""

    lamp: str
    title: str
    lead: str
    quote: str = ""
    quote_style: str = "quote"
    lines: tuple[str, ...] = ()
    command: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Post:
    """How mails are sent, and who gets them."""

    mailer: Mailer
    approvers: tuple[str, ...]


def post(settings: Announce) -> Post:
    """Return the post on AWS. Raises MailError where the list of approvers is wrong."""
    return Post(SesMailer(settings.sender), addresses(settings.approvers))


def announce(ports: Post, payload: dict[str, Any]) -> dict[str, int]:
    """Mail all approvers how a run ended. A repetition mails again: twice is better than never.

    Raises:
        AnnouncementError: the payload's kind is unknown.
        MailError: nobody could be reached.
    """
    kind, arn = payload.get("kind"), payload.get("execution_arn") or ""
    if kind not in _KINDS:
        raise AnnouncementError(kind)
    content = compose(payload)
    values = {**vars(content), "console": console(arn), "facts": (*content.facts, *_execution(arn))}
    html, text = render("announcement.html", **values), render("announcement.txt", **values)
    mails = (Mail(to=to, subject=content.title, text=text, html=html) for to in ports.approvers)
    mailed = send_each(ports.mailer, mails)
    logger.info("ending announced", extra={"kind": kind, "mailed": mailed})
    count("EndingAnnounced")
    return {"mailed": mailed}


def compose(payload: dict[str, Any]) -> Announcement:
    """Return what to say. Raises AnnouncementError for an unknown kind."""
    say = _KINDS.get(payload.get("kind", ""))
    if say is None:
        raise AnnouncementError(payload.get("kind"))
    texts = {name: str(payload.get(name) or "") for name in ("model", "package", "stage", "execution_arn")}
    error = {name: str(value) for name, value in (payload.get("error") or {}).items() if value is not None}
    return say(Ending(**texts, detail=payload.get("detail"), error=error))


def console(execution_arn: str) -> str:
    """Return the address of an execution in the Step Functions console, "" for what is no ARN."""
    parts = execution_arn.split(":")
    if len(parts) < 8 or parts[0] != "arn":  # noqa: PLR2004  # arn:partition:states:region:account:execution:machine:name
        return ""
    domain = f"{parts[3]}.{_CONSOLES.get(parts[1], 'console.aws.amazon.com')}"
    return f"https://{domain}/states/home?region={parts[3]}#/v2/executions/details/{execution_arn}"


def _execution(arn: str) -> tuple[tuple[str, str], ...]:
    return (("Execution", arn.rsplit(":", 1)[-1]),) if arn else ()


def _facts(ending: Ending) -> tuple[tuple[str, str], ...]:
    found = (("Model", ending.model), ("Package", package_name(ending.package)), ("Stage", ending.stage))
    return tuple((label, value) for label, value in found if value)


def _released(ending: Ending) -> Announcement:
    stages = _stages(ending)
    to = " and ".join(filter(None, (", ".join(stages[:-1]), *stages[-1:])))
    command = "\n".join(f"POST <InvokeUrl>/stages/{stage}/invocations" for stage in stages)
    return Announcement(
        lamp="good",
        title=f"{ending.name} is released" + (f" to {to}" if to else ""),
        lead="Its endpoint serves this package and answered the golden requests as the batch transform did.",
        lines=("To call it, sign the request with IAM; InvokeUrl is an output of the stack.",) if command else (),
        command=command,
        facts=_facts(ending) + _endpoints(ending),
    )


def _stages(ending: Ending) -> list[str]:
    """Return the stages in the detail (a list, or under `stages`, of names or of objects with `stage`)."""
    found = ending.detail.get("stages") if isinstance(ending.detail, dict) else ending.detail
    names = [_stage_name(one) for one in found] if isinstance(found, list) else []
    return list(dict.fromkeys(filter(None, names))) or ([ending.stage] if ending.stage else [])


def _stage_name(one: Any) -> str:
    return str(one.get("stage") or one.get("name") or "") if isinstance(one, dict) else str(one)


def _endpoints(ending: Ending) -> tuple[tuple[str, str], ...]:
    found = ending.detail.get("stages") if isinstance(ending.detail, dict) else ending.detail
    ones = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return tuple((f"Endpoint in {_stage_name(one)}", str(one["endpoint"])) for one in ones if one.get("endpoint"))


def _decision(ending: Ending) -> dict[str, str]:
    """Return who decided what, from the detail or from the cause of a ReviewRejected."""
    for candidate in (ending.detail, _json(ending.error.get("Cause", ""))):
        if isinstance(candidate, dict) and (candidate.get("by") or candidate.get("decision")):
            return {name: str(candidate.get(name) or "") for name in ("by", "at", "reason")}
    return {"by": "", "at": "", "reason": ""}


def _rejected(ending: Ending) -> Announcement:
    decision = _decision(ending)
    by = decision["by"] or "somebody, in the model registry"
    on = f" on {when(decision['at'])}" if decision["at"] else ""
    where = f" for {ending.stage}" if ending.stage else ""
    kept = f"{ending.stage} stays as it is." if ending.stage else "It will not be released."
    return Announcement(
        lamp="bad",
        title=f"{ending.name} was rejected{where}",
        lead=f"Rejected by {by}{on}. {kept}",
        quote=decision["reason"][:_QUOTE_LIMIT],
        quote_style="words",
        lines=(_second_thoughts(ending),),
        facts=_facts(ending),
    )


def _second_thoughts(ending: Ending) -> str:
    if ending.stage:
        return "The package stays approved: start the release machine with it to be asked again."
    return "To release it after all, approve the package in the model registry."


def _expired(ending: Ending) -> Announcement:
    where = f" for {ending.stage}" if ending.stage else ""
    return Announcement(
        lamp="bad",
        title=f"{ending.name}: nobody decided{where} in time",
        lead="The review has expired unanswered, and that counts as rejected.",
        lines=(_second_thoughts(ending),),
        facts=_facts(ending),
    )


def _superseded(ending: Ending) -> Announcement:
    return Announcement(
        lamp="quiet",
        title=f"{ending.name} was overtaken",
        lead="A newer package was approved in the meantime, so this release has stopped. The newer one goes on.",
        quote=_words(ending.detail),
        facts=_facts(ending),
    )


def _torn_down(ending: Ending) -> Announcement:
    stages = _stages(ending)
    where = " in " + ", ".join(stages) if stages else ""
    return Announcement(
        lamp="quiet",
        title=f"{ending.model or 'A model'} was taken down{where}",
        lead="No approved package is left, so its endpoint was deleted. Calls to it are answered with 404.",
        lines=("Approve a package in the model registry to bring it back.",),
        facts=_facts(ending),
    )


def _nothing_to_do(ending: Ending) -> Announcement:
    return Announcement(
        lamp="quiet",
        title=f"{ending.name}: nothing to do",
        lead="Every stage already serves what the registry says it should.",
        quote=_words(ending.detail),
        facts=_facts(ending),
    )


def _failed(ending: Ending) -> Announcement:
    name, cause = ending.error.get("Error", ""), ending.error.get("Cause", "")
    failure, job, group = explain(cause)
    told = (("Error", name), ("Job", job), ("Log group", group))
    at = f" in {ending.stage}" if ending.stage else ""
    return Announcement(
        lamp="bad",
        title=f"{ending.name} has failed{at}",
        lead=f"The job {job} failed:" if job else "A step failed:",
        quote=failure or _words(ending.detail) or name or "The machine gave no reason.",
        lines=(_advice(job),),
        facts=(*_facts(ending), *((label, value) for label, value in told if value)),
    )


def _advice(job: str) -> str:
    if job:
        return (
            "Read the job's log (its streams begin with the job's name), correct the data, the parameters or the "
            "container, and start a new execution."
        )
    return "Open the execution to see the step and what it was given, correct the cause, and start a new execution."


def explain(cause: str) -> tuple[str, str, str]:
    """Return the failure's text, the job's name and its log group (both "" where no job failed).

    A cause is a job's description, a function's error, a nested execution's description, or a plain text.
    """
    for _ in range(_DEPTH):
        read = _json(cause)
        if not isinstance(read, dict):
            break
        for key, group in _JOBS.items():
            if read.get(key):
                failure = read.get("FailureReason") or f"It ended as {read.get(key[:-4] + 'Status', 'failed')}."
                return str(failure)[:_QUOTE_LIMIT], str(read[key]), group
        if read.get("errorMessage"):
            return str(read["errorMessage"])[:_QUOTE_LIMIT], "", ""
        inner = read.get("Cause")
        if not inner:
            return str(read.get("FailureReason") or cause)[:_QUOTE_LIMIT], "", ""
        cause = str(inner)
    return cause[:_QUOTE_LIMIT], "", ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _words(detail: Any) -> str:
    """Return a detail as text: a sentence as it is, anything else as JSON."""
    if not detail:
        return ""
    text = detail if isinstance(detail, str) else json.dumps(detail, indent=2, ensure_ascii=False, default=str)
    return text[:_QUOTE_LIMIT]


_KINDS: dict[str, Callable[[Ending], Announcement]] = {
    "released": _released,
    "rejected": _rejected,
    "expired": _expired,
    "superseded": _superseded,
    "torn-down": _torn_down,
    "failed": _failed,
    "nothing-to-do": _nothing_to_do,
}
