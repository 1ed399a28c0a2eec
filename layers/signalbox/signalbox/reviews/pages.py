"""What a review says on its pages."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from signalbox.reviews import evidence, lineage, tries, untested
from signalbox.reviews.model import REASON_LIMIT, Review
from signalbox.templates import render
from signalbox.words import package_label, package_name, when

if TYPE_CHECKING:
    from signalbox.words import Shortened

type Values = dict[str, object]
type Choice = Literal["approve", "reject"]
_LAMPS = {"approved": "good", "rejected": "bad"}
_WHERE = {"registry": ", in the model registry", "command": ", by the command line"}
_ASK_AGAIN = "start the release machine with it to be asked again."
_NO_WORKFLOW = "The workflow that asked was no longer waiting when the decision came."


def question(review: Review) -> str:
    """Return the question that a review puts to people."""
    return f"Release {_name(review)} to {review.stage}?" if review.stage else f"Approve {_name(review)}?"


def asked(review: Review) -> Values:
    """Return what the mail and the form show of a review that is asked for."""
    shown = evidence.shown(review.evidence)
    lead = shown.headline or "No evaluation report came with this package."
    return _about(review, shown) | {"title": question(review), "lead": lead}


def form(
    review: Review, approver: str, *, key: str, nonce: str, choice: Choice, reason: str = "", problem: str = ""
) -> str:
    """Return the page that shows the evidence and takes the decision."""
    return render(
        "review_form.html",
        **asked(review),
        approver=approver,
        key=key,
        nonce=nonce,
        choice=choice,
        reason=reason,
        problem=problem,
        limit=REASON_LIMIT,
        tries_left=review.tries_left(approver),
        without_word=tries.ways_without_word(review),
        command=tries.command(review),
        expires_at=review.expires_at,
        consequence=_consequence(review),
    )


def closed(review: Review, approver: str, now: datetime, *, key: str = "", nonce: str = "") -> str:
    """Return the page of a review that is open no more; a nonce is given where it still has to be passed on."""
    status = review.status_at(now)
    title, lead, lines = _ending(review, status, approver)
    return render(
        "review_closed.html",
        **_about(review, evidence.shown(review.evidence)),
        lamp=_LAMPS.get(status, "quiet"),
        title=title,
        lead=lead,
        lines=lines,
        reason=review.reason if status in ("approved", "rejected", "overturned") else "",
        key=key,
        nonce=nonce,
        foot=f"You are looking at this as {approver}.",
    )


def note(title: str, lead: str, *, typed: str = "", again: str = "", choice: str = "approve") -> str:
    """Return a page that says what is wrong; `again` is the key for a link back to the review."""
    return render("note.html", lamp="quiet", title=title, lead=lead, typed=typed, again=again, choice=choice)


def asked_again(review: Review, *, typed: str, again: str) -> str:
    """Return the page for an approval by a mail that is not the newest about its question."""
    lead = f"{_name(review)} was tested again, and another mail asks about it, with newer figures. Approve there."
    return note("A newer mail asks about this", f"{lead} You can reject here too.", typed=typed, again=again)


def _about(review: Review, shown: evidence.ShownEvidence) -> Values:
    facts: list[tuple[str, str | Shortened]] = [("Model", review.model), ("Package", package_name(review.package))]
    if review.stage:
        facts.append(("Stage", review.stage))
    if review.evidence:
        facts += [("Problem", shown.problem)] if shown.problem else []
        facts += untested.facts(shown.untested) if shown.untested else lineage.rows(shown.lineage, shown.rows)
        facts += shown.lives
        facts += [("Training job", shown.job), ("Training time", shown.took)] if shown.job else []
        facts += [*shown.costs, *lineage.facts(shown.lineage)]
        facts += shown.commits
    facts.append(("Asked", when(review.created_at)))
    return {"evidence": shown, "facts": facts, "places": lineage.places(shown.lineage, review.execution_arn)}


def _name(review: Review) -> str:
    return f"{review.model} {package_label(review.package)}"


def _consequence(review: Review) -> str:
    if review.stage:
        return f"Approving releases it to {review.stage}; rejecting leaves {review.stage} as it is."
    return "Approving starts its release; rejecting keeps it from every stage."


def _ending(review: Review, status: str, approver: str) -> tuple[str, str, list[str]]:
    """Return the title, the first sentence and further ones of a review that is over."""
    name = _name(review) + (f" for {review.stage}" if review.stage else "")
    if status == "expired":
        lead = f"Nobody had decided by {when(review.expires_at)}, so it counts as rejected."
        return f"The review of {name} has expired", lead, [_second_thoughts(review)]
    if status == "superseded":
        lead = "The workflow asked again, by a newer mail with new links. Please use that one."
        return f"A newer mail has replaced this review of {name}", lead, []
    decided = review.overturned_from if status == "overturned" else status
    who = "You" if review.by == approver else review.by
    lead = f"{who} {decided} it on {when(review.at)}{_WHERE.get(review.origin, '')}."
    if status == "overturned":
        other = "rejected" if decided == "approved" else "approved"
        line = f"{review.overturned_by} {other} it in the model registry on {when(review.overturned_at)}."
        return f"The decision on {name} was overturned", lead, [line, "What the registry says counts."]
    return f"{name} is {decided}", lead, _outlook(review)


def _second_thoughts(review: Review) -> str:
    if review.stage:
        return f"That did not change the package's own approval: {_ASK_AGAIN}"
    return "To release it after all, approve it in the model registry."


def _outlook(review: Review) -> list[str]:
    if review.unfinished:  # the form to pass it on says so
        return []
    if review.answer == "closed":
        return [_NO_WORKFLOW, _without_workflow(review)]
    if review.status == "approved":
        return [f"That let its release to {review.stage} go on." if review.stage else "That let its release go on."]
    return [f"That left {review.stage} as it was." if review.stage else "That kept it from every stage."]


def _without_workflow(review: Review) -> str:
    """Say what a decision does that no waiting workflow took: it had been stopped or had failed, or was late for it."""
    if review.status == "rejected":
        return (
            f"That left {review.stage} as it was."
            if review.stage
            else "The model registry took the rejection all the same."
        )
    if review.stage:
        return f"If its release was stopped or failed, it does not go to {review.stage}: {_ASK_AGAIN}"
    return "The model registry took the approval all the same, and that started its release."
