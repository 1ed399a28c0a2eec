"""The commit that a model comes from, beside that of the live model, as a person reads them."""

from signalbox import words
from signalbox.words import Shortened

type Facts = list[tuple[str, str | Shortened]]


def facts(own: str, live: str) -> Facts:
    """Return labels and values, as far as either commit is known; the live model's only where it is another one."""
    if own and live and _same(own, live):
        short = words.short_commit(own)
        return [("Commit", _either(f"{short}, the same as the live model's", f"{own}, the same as the live model's"))]
    found = [("Commit", words.commit(own)), ("Commit of the live model", words.commit(live))]
    return [(label, value) for label, value in found if value] + _comparison(own, live)


def _comparison(own: str, live: str) -> Facts:
    """Return the command that shows what has changed; none where a text is no commit's id, which a shell could read."""
    if not (words.is_commit(own) and words.is_commit(live)):
        return []
    short = f"git diff {words.short_commit(live)}..{words.short_commit(own)}"
    return [("What has changed", Shortened(short, f"git diff {live}..{own}"))]


def _same(own: str, live: str) -> bool:
    """Say whether two texts name one commit: an id may be written short."""
    if not (words.is_commit(own) and words.is_commit(live)):
        return own == live
    first, second = own.lower(), live.lower()
    return first.startswith(second) or second.startswith(first)


def _either(short: str, full: str) -> str | Shortened:
    return short if short == full else Shortened(short, full)
