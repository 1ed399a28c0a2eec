"""Mails: who gets them, and how they are sent."""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from signalbox import plain
from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, translated
from signalbox.observability import count, logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import BodyTypeDef, ContentTypeDef, MessageHeaderTypeDef

_ADDRESS = r"[^\s,;<>\"@]+@[^\s,;<>\"@]+\.[^\s,;<>\"@.]+"
_IN_TEXT = r"([^\s,;:<>()\"'@])[^\s,;:<>()\"'@]*(@[^\s,;:<>()\"'@]+)"
_SUBJECT_LIMIT = 200
# The tag by which SES counts what becomes of mails; the template's MailEvents names it as the metrics' dimension.
MAILS_TAG = "mails"


def nobody(_model: str) -> tuple[str, ...]:
    """Return no addresses: a model whose project names no approvers of its own."""
    return ()


class MailError(Exception):
    """A mail could not be sent, or an address is none; the message says which, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Mail(NamedTuple):
    """One mail to one person."""

    to: str
    subject: str
    text: str
    html: str


class Mailer(Protocol):
    """What sends mails."""

    def send(self, mail: Mail) -> None:
        """Send one mail. Raises MailError, and ServiceBusyError where a repetition is likely to help."""


class SesMailer:
    """Amazon SES, version 2 of its API.

    Answers go to `reply_to`. What becomes of the mails (bounces, complaints) is counted by the configuration set, under
    the tag that has its name. Programs that answer mails by themselves leave these alone (RFC 3834).
    """

    def __init__(self, sender: str, reply_to: str, settings: str, ses: "SESV2Client | None" = None) -> None:
        self._sender, self._reply_to, self._settings = sender, reply_to, settings
        self._ses: SESV2Client = ses or clients.client("sesv2")

    def send(self, mail: Mail) -> None:
        """Send one mail. Raises MailError, and ServiceBusyError where a repetition is likely to help."""
        about = masked(f"from {self._sender} to {mail.to}")
        body: BodyTypeDef = {"Text": _utf8(mail.text), "Html": _utf8(mail.html)}
        headers: Sequence[MessageHeaderTypeDef] = [{"Name": "Auto-Submitted", "Value": "auto-generated"}]
        try:
            with translated("ses:SendEmail"):
                self._ses.send_email(
                    FromEmailAddress=self._sender,
                    ReplyToAddresses=[self._reply_to],
                    Destination={"ToAddresses": [mail.to]},
                    Content={
                        "Simple": {"Subject": _utf8(subject_line(mail.subject)), "Body": body, "Headers": headers}
                    },
                    ConfigurationSetName=self._settings,
                    EmailTags=[{"Name": MAILS_TAG, "Value": self._settings}],
                )
        except CallRefusedError as error:
            advice = (
                "See that the sender is a verified identity, and the receiver too while the account is in the sandbox"
            )
            # Without its cause, whose text has the addresses.
            raise MailError(f"SES did not take the mail {about}: {masked(str(error))}. {advice} of SES") from None
        except ServiceBusyError as error:
            raise ServiceBusyError(f"ses:SendEmail {about}", masked(error.reason)) from None


def addresses(text: str) -> tuple[str, ...]:
    """Return the addresses in a list separated by commas, each once.

    Raises:
        MailError: there is none, or one of them is not a plain address.
    """
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise MailError("the list of approvers is empty: give at least one address in the Approvers parameter")
    for address in found:
        if not re.fullmatch(_ADDRESS, address):
            message = f"{address!r} is not a mail address: give plain addresses (name@example.com), separated by commas"
            raise MailError(message)
    return found


def masked(text: str) -> str:
    """Return a text with the first letter and the domain of each address: more people read logs and executions."""
    return re.sub(_IN_TEXT, "\\1\N{HORIZONTAL ELLIPSIS}\\2", text)


def send_each(mailer: Mailer, mails: Iterable[Mail], sent: Callable[[Mail], None] | None = None) -> int:
    """Send all mails, calling `sent` after each, and return how many were; a bad address does not stop the others.

    Raises:
        ServiceBusyError: nobody could be reached, and somebody may be a moment later.
        MailError: nobody could be reached; the message has every reason.
    """
    reached = 0
    problems: list[MailError | ServiceBusyError] = []
    for mail in mails:
        try:
            mailer.send(mail)
        except (MailError, ServiceBusyError) as error:
            problems.append(error)
            logger.warning("mail not sent", extra={"reason": str(error)})
            count("MailFailed")
        else:
            reached += 1
            if sent is not None:
                sent(mail)
    if problems and not reached:
        passing = [problem for problem in problems if isinstance(problem, ServiceBusyError)]
        raise passing[0] if passing else MailError("; ".join(map(str, problems)))
    return reached


def subject_line(subject: str) -> str:
    """Return a subject as one line of at most 200 characters."""
    return " ".join(plain.line(subject).split())[:_SUBJECT_LIMIT]


def _utf8(text: str) -> "ContentTypeDef":
    return {"Data": text, "Charset": "UTF-8"}
