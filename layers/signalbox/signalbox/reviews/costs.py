"""What a training has cost and what an endpoint costs, as a person reads it, with its price and where that is from."""

from collections.abc import Mapping

from signalbox import plain
from signalbox.words import day, money

type Shown = tuple[str, str]
_MOST = 12
_TEXT_LIMIT = 120


def kept(report: Mapping[str, object]) -> list[Shown]:
    """Return labels and texts of a report's costs; reports of earlier versions have none."""
    found = report.get("costs")
    return [_shown(cost) for cost in found[:_MOST] if isinstance(cost, dict)] if isinstance(found, list) else []


def _shown(cost: Mapping[str, object]) -> Shown:
    """Return one cost.

    Raises:
        KeyError, ValueError: it is not one of `evaluation.model.Cost`.
    """
    stage, kind = _text(cost["stage"]), _text(cost["instance_type"])
    label, span = (f"Endpoint in {stage}", " a month") if stage else ("Training cost", "")
    source = f"{_text(cost['source'])}, {day(_text(cost['read']))}"
    price = f"{cost['instance_count']} × {kind} at ${cost['dollars_an_hour']} an hour ({source})"
    return label, f"{money(float(str(cost['dollars'])))}{span}: {price}"


def _text(value: object) -> str:
    return plain.line(str(value))[:_TEXT_LIMIT]
