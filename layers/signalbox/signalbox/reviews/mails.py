"""The mails of a review: the one that asks, and the one which says that a link approves no more."""

from signalbox.mail import Mail
from signalbox.reviews import pages, tries
from signalbox.reviews.model import WORD_TRIES, Review
from signalbox.templates import render
from signalbox.words import package_label, package_name


def asking(review: Review, approver: str, link: str, word: str) -> Mail:
    """Return the mail that asks one approver; `link` is the page's address with their key, `word` approves there."""
    values = pages.asked(review) | {
        "approver": approver,
        "word": word,
        "approve": f"{link}&choice=approve",
        "reject": f"{link}&choice=reject",
        "expires_at": review.expires_at,
    }
    return Mail(
        to=approver,
        subject=f"{pages.question(review)} {values['lead'] if review.evidence else ''}",
        text=render("review_mail.txt", **values),
        html=render("review_mail.html", **values),
    )


def used_up(review: Review, approver: str, to: str) -> Mail:
    """Return the mail which says that the link of `approver` approves no more."""
    name = f"{review.model} {package_label(review.package)}"
    subject = f"{name}{f' for {review.stage}' if review.stage else ''}"
    values = {
        "lamp": "bad",
        "title": f"{subject}: a link approves no more",
        "lead": f"A wrong word was typed {WORD_TRIES} times by the link of {approver}, so it can only reject now.",
        "quote": "",
        "quote_style": "words",
        "lines": (
            "The links of the other approvers work as before.",
            f"If that was not {approver}: somebody, or a program that fills in forms, has the link, but not the mail.",
        ),
        "commands": ((tries.ways_without_word(review), tries.command(review)),),
        "facts": (("Model", review.model), ("Package", package_name(review.package)), ("Review", review.id)),
        "places": (),
        "log": (),
        "files": (),
        "more_files": 0,
        "because": "you are an approver of this Signalbox",
    }
    return Mail(to, str(values["title"]), render("notification.txt", **values), render("notification.html", **values))
