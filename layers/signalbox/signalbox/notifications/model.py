"""A mail about an ending, before it is rendered."""

from typing import Literal, NamedTuple

from signalbox.words import Shortened

type Kind = Literal[
    "released",
    "rolled-back",
    "torn-down",
    "nothing-to-do",
    "superseded",
    "withdrawn",
    "rejected",
    "expired",
    "failed",
]


# A fact's label and its value.
type Fact = tuple[str, str | Shortened]
APPROVER = "you are an approver of this Signalbox"


class NotificationError(Exception):
    """There is no mail about such an ending; the message says what is wrong with it."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}: correct the payload in the state machine, or signalbox.notifications.rules")


class Notification(NamedTuple):
    """One mail's content.

    `lamp` is its colour; `quote` somebody else's words, in the style "words" for a person's and "quote" for a
    program's; `commands` are things to copy, each behind a sentence about it. `files` are sentences about the first
    files that a run did not use, of which there are `more_files`. `job` and `log_group` say where a failed
    job of SageMaker wrote, `log` has its last lines. `places` are labels and addresses beside those of execution and
    job; `because` says why somebody gets the mail.
    """

    lamp: Literal["good", "open", "bad", "quiet"]
    title: str
    lead: str
    quote: str = ""
    quote_style: Literal["quote", "words"] = "quote"
    lines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    more_files: int = 0
    commands: tuple[tuple[str, str], ...] = ()
    facts: tuple[Fact, ...] = ()
    job: str = ""
    log_group: str = ""
    log: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    because: str = APPROVER
