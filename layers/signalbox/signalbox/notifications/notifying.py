"""Mailing every approver how something ended: what happened, where to look and what to do next.

A repetition mails again: twice is better than never.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import replace
from typing import TYPE_CHECKING, NamedTuple, Self

from signalbox import links
from signalbox.mail import Mail, Mailer, nobody, send_each
from signalbox.notifications import approval_texts, build_texts, rules, run_texts, set_texts, texts
from signalbox.notifications.model import Notification
from signalbox.notifications.view import EndingView
from signalbox.observability import count, logger
from signalbox.templates import render

if TYPE_CHECKING:
    from signalbox.contracts.endings import BuildFailure, Ending, Mailed, RunFailure, RunRefusal, SetProblem


def no_log(_group: str, _job: str) -> tuple[str, ...]:
    """Return no lines: for mails that are never about a job."""
    return ()


class NotifyingPorts(NamedTuple):
    """How mails are sent, who gets them, and under which address models are called ("" where that is not known).

    `log_tail` returns the last lines that a job wrote, by its log group and its name, `own` the addresses of a model's
    own approvers, none where the stack's `approvers` get its mails.
    """

    mailer: Mailer
    approvers: tuple[str, ...]
    api_url: str = ""
    log_tail: Callable[[str, str], tuple[str, ...]] = no_log
    own: Callable[[str], tuple[str, ...]] = nobody

    def about(self, model: str) -> Self:
        """Return the ports with which the mails about a model go to whom they concern."""
        return self._replace(approvers=self.own(model) or self.approvers)


def notify_ending(ending: "Ending", ports: NotifyingPorts) -> "Mailed":
    """Mail how an execution ended; nobody, where an execution inside it has mailed its failure itself.

    Raises:
        NotificationError: there is no mail about such an ending.
        MailError: nobody could be reached.
    """
    if rules.mailed_before(ending):
        logger.info("notification skipped", extra={"execution": ending["execution_arn"], "error": ending["error"]})
        count("NotificationSkipped")
        return {"mailed": 0}
    kind = rules.kind_of(ending)
    content = texts.compose(kind, EndingView.of(ending, ports.api_url))
    mailed = send(content, ending["execution_arn"], ports.about(ending["package"] or ending["model"]))
    _note(kind, mailed)
    return {"mailed": mailed}


def notify_run_failed(failure: "RunFailure", ports: NotifyingPorts) -> "Mailed":
    """Mail why a pipeline run did not end in a model, to the project's own approvers where it has some.

    Raises:
        MailError: nobody could be reached.
    """
    content = run_texts.run_failed(failure)
    mailed = send(content, failure["execution_arn"], _told(failure["approvers"], ports))
    _note("run-failed", mailed)
    return {"mailed": mailed}


def notify_unreviewed(model: str, package: str, by: str, ports: NotifyingPorts) -> "Mailed":
    """Mail that a package was approved without a review, and waits for one.

    Raises:
        MailError: nobody could be reached.
    """
    mails = _mails(approval_texts.unreviewed(model, package, by), "", ports.about(model).approvers)
    mailed = send_each(ports.mailer, mails)
    _note("unreviewed", mailed)
    return {"mailed": mailed}


def notify_run_refused(refusal: "RunRefusal", ports: NotifyingPorts) -> "Mailed":
    """Mail why a pipeline run cannot start, to the project's own approvers where it has some.

    Raises:
        MailError: nobody could be reached.
    """
    mailed = send(run_texts.run_refused(refusal), "", _told(refusal["approvers"], ports))
    _note("run-refused", mailed)
    return {"mailed": mailed}


def notify_set(problem: "SetProblem", ports: NotifyingPorts) -> "Mailed":
    """Mail what is wrong with a set of uploads, to the project's own approvers where it has some.

    Raises:
        MailError: nobody could be reached.
    """
    mailed = send(set_texts.problem_with(problem), "", _told(problem["approvers"], ports))
    _note("set-problem", mailed)
    return {"mailed": mailed}


def notify_build_failed(failure: "BuildFailure", ports: NotifyingPorts) -> "Mailed":
    """Mail why a build did not end well: to the project's approvers, or the stack's, and to who pushed, each once.

    Raises:
        MailError: nobody could be reached.
    """
    content, pusher = build_texts.build_failed(failure), failure["pusher"]
    approvers = tuple(dict.fromkeys(failure["approvers"])) or ports.approvers
    mails = [*_mails(content, "", approvers)]
    if pusher and pusher.casefold() not in {one.casefold() for one in approvers}:
        mails += _mails(replace(content, because=build_texts.PUSHER), "", (pusher,))
    mailed = send_each(ports.mailer, mails)
    _note("build-failed", mailed)
    return {"mailed": mailed}


def _told(approvers: Sequence[str], ports: NotifyingPorts) -> NotifyingPorts:
    return replace(ports, approvers=tuple(approvers)) if approvers else ports


def _with_log(content: Notification, ports: NotifyingPorts) -> Notification:
    return replace(content, log=ports.log_tail(content.log_group, content.job)) if content.job else content


def send(content: Notification, execution: str, ports: NotifyingPorts) -> int:
    """Mail a content about an execution to every approver, and return how many were reached.

    Raises:
        MailError: nobody could be reached.
    """
    return send_each(ports.mailer, _mails(_with_log(content, ports), execution, ports.approvers))


def _mails(content: Notification, arn: str, approvers: tuple[str, ...]) -> Iterator[Mail]:
    execution = (("Execution", arn.rsplit(":", 1)[-1]),) if arn else ()
    places = (*content.places, *_places(arn, content))
    values = {**content._asdict(), "places": places, "facts": (*content.facts, *execution)}
    html, text = render("notification.html", **values), render("notification.txt", **values)
    for approver in approvers:
        yield Mail(to=approver, subject=content.title, text=text, html=html)


def _places(arn: str, content: Notification) -> tuple[tuple[str, str], ...]:
    """Return where to look: label and address of the execution and of the job's log, as far as there are any."""
    places = (
        ("The execution in the Step Functions console", links.execution(arn)),
        (f"The log of {content.job} in the CloudWatch console", links.log(arn, content.log_group, content.job)),
    )
    return tuple((label, address) for label, address in places if address)


def _note(kind: str, mailed: int) -> None:
    logger.info("ending announced", extra={"kind": kind, "mailed": mailed})
    count("EndingAnnounced")
