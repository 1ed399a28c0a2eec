"""What a run sees of its features: their distribution before and after, and how far they are from what was fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signalbox_features import outputs
from signalbox_features.model import RefusedRowError
from signalbox_features.statistics import Categories, Numbers, psi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox_features.model import FeatureDefinition, Value
    from signalbox_features.transform import Transform


_UNSCALED: dict[str, Any] = {"count": 0, "edges": (), "shares": ()}


class Watched:
    """The distributions of a run, beside those of an artefact."""

    def __init__(self, definition: FeatureDefinition, fitted: Mapping[str, Any], transform: Transform) -> None:
        """Watch the features of a definition, which `transform` makes by what was `fitted`."""
        self._fitted = fitted
        self._texts = {feature.name for feature in definition.features if fitted[feature.name]["kind"] == "category"}
        self._before: dict[str, Numbers | Categories] = {
            name: Categories(name, one["categories"]) if name in self._texts else Numbers(one["edges"])
            for name, one in fitted.items()
        }
        stored = outputs.kinds(definition, fitted)
        numbers = [name for name in transform.names if stored[name] != "String"]
        self._scaled = {name: _scaled(fitted[name], name, transform) for name in numbers if name in self._binned()}
        self._after = {name: Numbers(self._scaled.get(name, _UNSCALED)["edges"]) for name in numbers}

    def _binned(self) -> set[str]:
        return {name for name, counted in self._before.items() if isinstance(counted, Numbers)}

    def add(self, bases: Mapping[str, Value], features: Mapping[str, Value]) -> None:
        """Count one row."""
        for name, value in bases.items():
            self._before[name].add(value)  # type: ignore[arg-type]  # a number or a text, as it was fitted
        for name, numbers in self._after.items():
            numbers.add(features[name])  # type: ignore[arg-type]  # the Feature Store's numbers are ours

    def drift(self) -> dict[str, float | None]:
        """Return the population stability index of each feature; None where there are too few rows."""
        return {name: self._psi(name, counted) for name, counted in self._before.items()}

    def _psi(self, name: str, counted: Numbers | Categories) -> float | None:
        if isinstance(counted, Numbers):
            return psi(self._fitted[name], counted.shares(), counted.nulls, counted.count)
        # "" is the category of no text.
        return psi(self._fitted[name], {**counted.counts, "": counted.others}, counted.nulls, counted.count)

    def summary(self) -> dict[str, Any]:
        """Return each feature's distribution: fitted, before, and after for each that it gives; JSON."""
        drift = self.drift()
        before = {
            name: {
                "kind": self._fitted[name]["kind"],
                "fitted": {key: value for key, value in self._fitted[name].items() if key != "kind"},
                "before": _told(counted),
                "psi": drift[name],
            }
            for name, counted in self._before.items()
        }
        return {"features": before, "after": {name: self._told_after(name, one) for name, one in self._after.items()}}

    def _told_after(self, name: str, numbers: Numbers) -> dict[str, Any]:
        if name not in self._scaled:
            return numbers.summary()
        return {**numbers.summary(), "shares": numbers.shares(), "fitted": self._scaled[name]}


def _scaled(fitted: Mapping[str, Any], name: str, transform: Transform) -> dict[str, Any]:
    """Return the fitted bins of a feature as they are after the transformation, which keeps their order."""
    try:
        low, high, *edges = [
            transform.features({name: edge})[name] for edge in (fitted["min"], fitted["max"], *fitted["edges"])
        ]
    except RefusedRowError:  # a bound that no value of the feature can have, such as a fraction of a whole number
        return _UNSCALED
    return {"count": fitted["count"], "min": low, "max": high, "edges": edges, "shares": fitted["shares"]}


def _told(counted: Numbers | Categories) -> dict[str, Any]:
    found = counted.summary()
    return {**found, "shares": counted.shares()} if isinstance(counted, Numbers) else found
