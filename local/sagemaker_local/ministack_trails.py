"""The trails that CloudTrail's API knows: ministack 1.5.33 keeps them, and those of stacks are put among them.

It records no events of S3 by itself and checks no policies; `cloudtrail` does both, for trails of either origin.
"""

from collections.abc import Callable
from typing import Any

from sagemaker_local.ministack import trails

type Check = Callable[[str, dict[str, Any]], tuple[str, str] | None]


def put_trail(trail: dict[str, Any], selectors: list[dict[str, Any]]) -> None:
    """Let CloudTrail's API know a trail, by the members of its shape `Trail` and `IsLogging`, and its selectors."""
    trails._trails[trail["Name"]] = trail
    trails._event_selectors[trail["Name"]] = selectors or trails._DEFAULT_EVENT_SELECTORS


def forget_trail(name: str) -> None:
    """Let CloudTrail's API forget a trail."""
    trails._trails.pop(name, None)
    trails._event_selectors.pop(name, None)


def logging_selectors() -> list[dict[str, Any]]:
    """Return the selectors of all trails that log, however they were made; classic and advanced ones."""
    names = [name for name, trail in trails._trails.items() if trail.get("IsLogging")]
    return [selector for name in names for selector in trails._event_selectors.get(name, [])]


def before_trails(check: Check) -> None:
    """Let `check(operation, request)` answer the API with an error's code and message; None lets it through."""
    for operation in ("CreateTrail", "UpdateTrail", "PutEventSelectors"):
        trails._DISPATCH[operation] = _checked(operation, trails._DISPATCH[operation], check)


def _checked(operation: str, handle: Any, check: Check) -> Any:
    def checked(request: dict[str, Any]) -> Any:
        refused = check(operation, request)
        return trails._err(*refused) if refused else handle(request)

    return checked
