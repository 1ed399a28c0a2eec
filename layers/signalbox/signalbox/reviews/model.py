"""What a review is: one question to a person, kept as one item, decided once."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, cast

from signalbox import moments

if TYPE_CHECKING:
    from signalbox.contracts.reviews import DecisionWord, ReviewDecision, ReviewKind

Status = Literal["open", "approved", "rejected", "expired", "superseded", "overturned"]
Answer = Literal["", "sent", "closed"]
type Texts = Mapping[str, str | tuple[str, ...]]
_LISTS = ("approvers", "mailed", "guesses")
DECIDED: tuple[Status, ...] = ("approved", "rejected")
REASON_LIMIT = 1000
WORD_TRIES = 5  # wrong words of one approver, after which their link approves no more


class ReviewError(Exception):
    """A review cannot be requested, found or decided as asked; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class DecisionNotPassedOnError(Exception):
    """A decision is kept, but the registry or the waiting task did not take it; whoever sends it again repeats that."""

    def __init__(self, package: str, error: Exception) -> None:
        super().__init__(f"the decision on {package} is kept, but was not passed on; send it again: {error}")


class Review(NamedTuple):
    """One review. All values are texts (absent: empty), as they are stored.

    `guesses` has an approver's address once for each wrong word that came by their link.
    `answer` is how the waiting task was answered: "sent", or "closed" where it waited no more. `registered_at` and
    `answered_at` mark the second and third step of a decision as done; a step without its mark is repeated.
    """

    id: str
    kind: "ReviewKind"
    stage: str
    model: str
    package: str
    execution_arn: str
    token: str
    evidence: str
    approvers: tuple[str, ...]
    created_at: str
    expires_at: str
    status: Status = "open"
    mailed: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    by: str = ""
    at: str = ""
    reason: str = ""
    origin: str = ""
    source_ip: str = ""
    user_agent: str = ""
    registered_at: str = ""
    answered_at: str = ""
    answer: Answer = ""
    superseded_by: str = ""
    overturned_from: str = ""
    overturned_by: str = ""
    overturned_at: str = ""

    def status_at(self, now: datetime) -> Status:
        """Return the status a person sees: an open review past its end counts as expired, closed or not yet."""
        if self.status == "open" and moments.text_of(now) >= self.expires_at:
            return "expired"
        return self.status

    def tries_left(self, approver: str) -> int:
        """Return how many more words an approver may try."""
        return max(0, WORD_TRIES - self.guesses.count(approver))

    @property
    def unfinished(self) -> bool:
        """Say whether a decision still has to be passed on to the registry or to the waiting machine."""
        return self.status in DECIDED and not self.answered_at

    @property
    def unregistered(self) -> bool:
        """Say whether the registry still has to hear of what was decided here, or of the expiry."""
        decided_here = self.status == "expired" or (self.status in DECIDED and self.origin != "registry")
        return self.kind == "package" and decided_here and not self.registered_at

    def decision(self) -> "ReviewDecision":
        """Return what the waiting machine is told: an overturned decision is a rejection, no decision is an expiry."""
        by, at = self.by, self.at
        if self.status == "overturned":  # whatever was decided before, this execution is to stop
            by, at = self.overturned_by, self.overturned_at
        return {"review": self.id, "decision": self._word, "by": by, "at": at, "reason": self.reason}

    @property
    def _word(self) -> "DecisionWord":
        match self.status:
            case "approved":
                return "approved"
            case "rejected" | "overturned":
                return "rejected"
            case _:
                return "expired"

    def texts(self) -> dict[str, str]:
        """Return the fields as texts, without the empty ones."""
        return {name: value for name, value in texts(self._asdict()).items() if value}

    @classmethod
    def of(cls, values: Mapping[str, str | int]) -> Self:
        """Return the review whose `texts` are in `values`; names that it does not know are left out."""
        read: dict[str, str | tuple[str, ...]] = {"stage": "", "approvers": (), "evidence": ""}
        for name in cls._fields & values.keys():
            value = str(values[name])
            read[name] = tuple(value.split(",")) if name in _LISTS else value
        return cls(**cast("dict[str, str]", read))  # type: ignore[arg-type]  # the stored texts are what texts() wrote


def texts(values: Texts) -> dict[str, str]:
    """Return `values` with tuples of addresses joined by commas, which no address of ours has."""
    return {name: ",".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
