"""Moments as texts: one spelling in every table, so that texts sort as moments do."""

import re
from datetime import UTC, datetime, timedelta

# How long tables remember what is over. Longer than any event or message comes late, longer than an execution of a
# machine may last (a year), and so long that the same season of the year before can still be asked for.
KEPT = timedelta(days=400)
_MILLISECONDS = r"[0-9]+(\.[0-9]+)?"


def text_of(moment: datetime) -> str:
    """Return a moment in UTC as `2026-03-01T10:20:30.000000Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment_of(text: str) -> datetime:
    """Return the moment in a text, in UTC.

    Read are `text_of`'s own spelling, every other ISO 8601 text with its zone (tables of earlier versions have some),
    and milliseconds since 1970, which some of SageMaker's events have.

    Raises:
        ValueError: it is none of these; the message says what to give instead.
    """
    try:
        if re.fullmatch(_MILLISECONDS, text):
            return datetime.fromtimestamp(float(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):  # so the platform says that no calendar has the moment
        raise ValueError(f"{text!r} is not an ISO time: give one such as 2026-11-20T10:00:14Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: give one such as 2026-11-20T10:00:14Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is in no year from 1 to 9999: give a time such as 2026-11-20T10:00:14Z") from None


def expiry(moment: datetime) -> int:
    """Return the `expires` of an item about something that was over at a moment: seconds since 1970, for DynamoDB."""
    return int((moment + KEPT).timestamp())


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)
