"""A function stops while it still has time to say so, and goes on with the next message."""

from collections.abc import Callable

from signalbox.uploads.model import RunPostponedError

# How many milliseconds a function has left (`get_remaining_time_in_millis` of Lambda's context).
type MillisecondsLeft = Callable[[], int]

# What is begun with so much left ends in time: some transactions, or some hundred questions to S3, and a request.
ENOUGH = 15_000
# Uploads that are moved between two looks at the time: three transactions, far less than half the delay of a request.
AT_ONCE = 99


def check(left: MillisecondsLeft, doing: str) -> None:
    """Go on only where there is time left.

    Raises:
        RunPostponedError: there is not; whoever handles it asks for the rest.
    """
    if left() < ENOUGH:
        raise RunPostponedError(doing)
