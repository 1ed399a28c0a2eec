"""Telling people how a run ended: one mail to every approver, with what happened, where to look and what to do next."""

from dataclasses import dataclass
from typing import Any, Protocol

from signalbox.mail import Mail, Mailer, SesMailer, addresses, send_each
from signalbox.notifications import links
from signalbox.notifications.texts import Announcement, AnnouncementError, compose
from signalbox.observability import count, logger
from signalbox.templates import render

__all__ = ["AnnouncementError", "Post", "announce", "post"]


class Addresses(Protocol):
    """The settings that mails need."""

    @property
    def sender(self) -> str:
        """Return the address that mails come from."""

    @property
    def approvers(self) -> str:
        """Return the addresses that they go to, separated by commas."""


@dataclass(frozen=True)
class Post:
    """How mails are sent, and who gets them."""

    mailer: Mailer
    approvers: tuple[str, ...]
    api_url: str = ""


def post(settings: Addresses, api_url: str = "") -> Post:
    """Return the post on AWS; mails tell to call models under `api_url`.

    Raises:
        MailError: the list of approvers is wrong.
    """
    return Post(SesMailer(settings.sender), addresses(settings.approvers), api_url)


def announce(ports: Post, payload: dict[str, Any]) -> dict[str, int]:
    """Mail all approvers how a run ended. A repetition mails again: twice is better than never.

    Raises:
        AnnouncementError: the payload's kind is unknown.
        MailError: nobody could be reached.
    """
    content, arn = compose(payload, ports.api_url), str(payload.get("execution_arn") or "")
    execution = (("Execution", arn.rsplit(":", 1)[-1]),) if arn else ()
    values = {**vars(content), "places": _places(arn, content), "facts": (*content.facts, *execution)}
    html, text = render("notification.html", **values), render("notification.txt", **values)
    mails = (Mail(to=to, subject=content.title, text=text, html=html) for to in ports.approvers)
    mailed = send_each(ports.mailer, mails)
    logger.info("ending announced", extra={"kind": payload["kind"], "mailed": mailed})
    count("EndingAnnounced")
    return {"mailed": mailed}


def _places(arn: str, content: Announcement) -> tuple[tuple[str, str], ...]:
    """Return where to look: label and address of the execution and of the job's log, as far as there are any."""
    places = (
        ("The execution in the Step Functions console", links.execution(arn)),
        (f"The log of {content.job} in the CloudWatch console", links.log(arn, content.log_group, content.job)),
    )
    return tuple((label, address) for label, address in places if address)
