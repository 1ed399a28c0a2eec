"""What is said about wrong words: how many are left, and how to approve when none is."""

from signalbox.mail import Mail
from signalbox.reviews.model import WORD_TRIES, Review
from signalbox.templates import render
from signalbox.words import package_label, package_name


def wrong_word(left: int) -> str:
    """Return what the page says of a wrong word, with so many tries left."""
    if not left:
        return "That is not the word, and it was the last try: this link approves no more."
    return f"That is not the word in your mail. You can try {'once' if left == 1 else f'{left} times'} more."


def ways_without_word(review: Review) -> str:
    """Return how somebody who is signed in to AWS approves."""
    registry = "" if review.stage else ", or approve the package in the model registry"
    return f"Whoever is signed in to AWS may approve without the word: run the command below{registry}."


def command(review: Review) -> str:
    """Return the command that approves."""
    stage = f" --stage {review.stage}" if review.stage else ""
    return f"signalbox decide {package_name(review.package)} approve{stage}"


def mail(review: Review, approver: str, to: str) -> Mail:
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
        "commands": ((ways_without_word(review), command(review)),),
        "facts": (("Model", review.model), ("Package", package_name(review.package)), ("Review", review.id)),
        "places": (),
        "log": (),
    }
    return Mail(to, str(values["title"]), render("notification.txt", **values), render("notification.html", **values))
