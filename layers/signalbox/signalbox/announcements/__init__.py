"""Telling people how a run ended: one mail to every approver, with what happened, where to look and what to do next."""

from dataclasses import dataclass
from typing import Any

from signalbox.announcements.texts import AnnouncementError, compose
from signalbox.mail import Mail, Mailer, SesMailer, addresses, send_each
from signalbox.observability import count, logger
from signalbox.settings import Announce
from signalbox.templates import render

__all__ = ["AnnouncementError", "Post", "announce", "console", "post"]

_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


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
    content, arn = compose(payload), str(payload.get("execution_arn") or "")
    execution = (("Execution", arn.rsplit(":", 1)[-1]),) if arn else ()
    values = {**vars(content), "console": console(arn), "facts": (*content.facts, *execution)}
    html, text = render("announcement.html", **values), render("announcement.txt", **values)
    mails = (Mail(to=to, subject=content.title, text=text, html=html) for to in ports.approvers)
    mailed = send_each(ports.mailer, mails)
    logger.info("ending announced", extra={"kind": payload["kind"], "mailed": mailed})
    count("EndingAnnounced")
    return {"mailed": mailed}


def console(execution_arn: str) -> str:
    """Return the address of an execution in the Step Functions console, "" for what is no ARN."""
    # arn:<partition>:states:<region>:<account>:execution:<machine>:<name>
    parts = execution_arn.split(":", 7)
    if len(parts) < 8 or parts[0] != "arn":  # noqa: PLR2004  # the parts above
        return ""
    domain = f"{parts[3]}.{_CONSOLES.get(parts[1], 'console.aws.amazon.com')}"
    return f"https://{domain}/states/home?region={parts[3]}#/v2/executions/details/{execution_arn}"
