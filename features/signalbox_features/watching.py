"""What a run sees of its features: their distribution before and after, and how far they are from what was fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signalbox_features.statistics import Categories, Numbers, psi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signalbox_features.model import FeatureDefinition, Value


class Watched:
    """The distributions of a run, beside those of an artefact."""

    def __init__(self, definition: FeatureDefinition, fitted: Mapping[str, Any], stored: Mapping[str, str]) -> None:
        """Watch the features of a definition; `stored` are the types of those that it gives."""
        self._fitted = fitted
        self._texts = {feature.name for feature in definition.features if fitted[feature.name]["kind"] == "category"}
        self._before: dict[str, Numbers | Categories] = {
            name: Categories(name, one["categories"]) if name in self._texts else Numbers(one["edges"])
            for name, one in fitted.items()
        }
        keys = (definition.identifier.name, definition.event_time.name)
        self._after = {name: Numbers() for name, kind in stored.items() if kind != "String" and name not in keys}

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
        return {"features": before, "after": {name: numbers.summary() for name, numbers in self._after.items()}}


def _told(counted: Numbers | Categories) -> dict[str, Any]:
    found = counted.summary()
    return {**found, "shares": counted.shares()} if isinstance(counted, Numbers) else found
