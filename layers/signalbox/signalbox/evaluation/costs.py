"""What a training has cost, and what its endpoints will: time, instances and a price that somebody has read."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from signalbox.evaluation import prices
from signalbox.stages import Stage

if TYPE_CHECKING:
    from signalbox.contracts.training import Fleet
    from signalbox.evaluation.documents import Cost

_HOUR = 3600  # seconds
MONTH = 730  # hours: a year's 8,760 by twelve


def of(region: str, fleet: "Fleet | None", seconds: float, stages: Iterable[Stage]) -> "list[Cost]":
    """Return the costs of a training and of a month of each stage's endpoint, as far as their prices are known.

    `fleet` is what the training ran on for `seconds`, None where that is not known.
    """
    found = [_endpoint(region, stage) for stage in stages if stage.hosting == "realtime"]
    if fleet is not None and seconds > 0:
        found = [_cost(region, "training", fleet, seconds / _HOUR), *found]
    return [cost for cost in found if cost is not None]


def _endpoint(region: str, stage: Stage) -> "Cost | None":
    fleet: Fleet = {"instance_type": stage.instance_type, "instance_count": stage.instance_count}
    cost = _cost(region, "hosting", fleet, MONTH)
    return None if cost is None else {**cost, "stage": stage.name}


def _cost(region: str, use: prices.Use, fleet: "Fleet", hours: float) -> "Cost | None":
    price = prices.find(region, use, fleet["instance_type"])
    if price is None:
        return None
    return {
        "use": use,
        "stage": "",
        "dollars": round(price.dollars * fleet["instance_count"] * hours, 4),
        "hours": hours,
        "instance_type": fleet["instance_type"],
        "instance_count": fleet["instance_count"],
        "dollars_an_hour": price.dollars,
        "source": price.source,
        "read": price.read,
    }
