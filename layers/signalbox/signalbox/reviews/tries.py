"""What is said about wrong words: how many are left, and how to approve when none is."""

from signalbox.reviews.model import Review
from signalbox.words import package_name


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
