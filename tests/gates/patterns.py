"""EventBridge's patterns, read and matched by the local cloud's implementation (its private functions, wrapped here).

It agrees with AWS event-ruler in all but the most deeply nested patterns; a test pins what we rely on.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import eventbridge


def pattern_error(pattern: Mapping[str, Any]) -> str | None:
    """Return why EventBridge refuses the pattern, or None."""
    error = eventbridge._event_pattern_error(json.dumps(pattern))  # wrapped once, pinned by a test
    return None if error is None else str(error)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Say whether the pattern lets the event through."""
    given = eventbridge._event_from_test_payload(dict(event))  # wrapped once, pinned by a test
    return bool(eventbridge._matches_pattern(json.dumps(pattern), given))  # wrapped once, pinned by a test
