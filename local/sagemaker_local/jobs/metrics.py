"""Metrics that a training job prints, found by the regular expressions of its MetricDefinitions."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagemaker_local.runtime.lines import Lines


def final(log: Path, definitions: Sequence[Mapping[str, str]], at: datetime | None = None) -> list[dict[str, Any]]:
    """Return FinalMetricDataList: of each metric the last value that the log has, if it has one."""
    values = scan(Lines(log).all(), definitions)
    return [
        {"MetricName": name, "Value": value, "Timestamp": at or datetime.now(UTC)} for name, value in values.items()
    ]


def scan(lines: Iterable[str], definitions: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Return the last value of each metric; a match that is not a number is passed over."""
    scanner, values = Scanner(definitions), dict[str, float]()
    for line in lines:
        values.update(scanner.values(line))
    return values


class Scanner:
    """Finds the values of metrics in lines."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]

    def values(self, line: str) -> dict[str, float]:
        """Return the metrics that a line has numbers of."""
        values: dict[str, float] = {}
        for name, pattern in self._patterns:
            match = pattern.search(line)
            if match is None or not match.groups():
                continue
            try:
                values[name] = float(match[1])
            except (TypeError, ValueError):
                continue
        return values
