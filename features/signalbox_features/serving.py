"""Where a model serves: one request's values become the features that it was trained on, by the same code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from signalbox_features import definition as definitions
from signalbox_features import expressions, fitting
from signalbox_features.checks import Checks
from signalbox_features.model import RefusedRowError
from signalbox_features.steps import StepRunner
from signalbox_features.transform import Transform, based

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from signalbox_features.fitting import Artefact
    from signalbox_features.model import Feature, FeatureDefinition, Value


class FeatureServer:
    """The features of single rows.

    Args:
        definition: the compiled definition.
        artefact: what was fitted for it.
        without: features that a caller does not give, as the label.
    """

    def __init__(self, definition: FeatureDefinition, artefact: Artefact, without: Collection[str] = ()) -> None:
        self._checks, self._runner = Checks(definition), StepRunner(definition.steps)
        self._transform = Transform(definition, artefact.features)
        self._without = frozenset(without)
        kept = [feature for feature in definition.features if feature.name not in self._without]
        left = [feature for feature in definition.features if feature.name in self._without]
        self._bases = {feature.name: self._transform.bases[feature.name] for feature in kept}
        self._columns = _columns(definition, _used(kept), _used(left))

    @classmethod
    def of_files(cls, definition: str, artefact: str, without: Collection[str] = ()) -> FeatureServer:
        """Return the server of a compiled definition and its artefact in files.

        Raises:
            FeaturesError: one of them cannot be read, or they are not of each other.
        """
        read = definitions.read(Path(definition))
        return cls(read, fitting.load(Path(artefact), read), without)

    def transform_one(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Return the features of one row, by its columns: without those left out, and the record's keys.

        Raises:
            RefusedRowError: a column is missing, or the job would put the row into quarantine.
        """
        (row,) = self._runner.apply([self._checks.named(values, self._columns)])
        if isinstance(row, RefusedRowError):
            raise row
        return self._transform.features(based(self._bases, row))


def _used(features: list[Feature]) -> set[str]:
    """Return the columns that features are made of."""
    return {
        name
        for feature in features
        for name in (expressions.parse(feature.derive).names if feature.derive else (feature.column,))
    }


def _columns(definition: FeatureDefinition, used: set[str], left: set[str]) -> list[str]:
    """Return the columns of the files that a caller gives: a step may read each that is not left out."""
    columns = [column.name for column in definition.columns]
    added = {column.name for step in definition.steps for column in step.columns}
    if used & added:
        return [name for name in columns if name in used or name not in left]
    return [name for name in columns if name in used]
