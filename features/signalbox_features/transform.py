"""A row becomes features, by a definition and the artefact that was fitted for it: in the job and where it serves.

First come the bases, each feature's value before it is scaled or encoded; what is fitted is fitted on them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from signalbox_features import expressions, outputs
from signalbox_features.model import INTEGER, NUMBER, STRING, TIME, RefusedRowError
from signalbox_features.values import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signalbox_features.model import Feature, FeatureDefinition, Value

    Row = Mapping[str, Value]
    Base = Callable[[Row], Value]
    Made = Callable[[Value], "list[tuple[str, Value]]"]

_IDENTIFIER_DIGITS = 32
_LARGEST = 2**63


def bases(definition: FeatureDefinition) -> dict[str, Base]:
    """Return what gives each feature's base, by the feature's name, in the definition's order."""
    return {feature.name: _base(feature) for feature in definition.features}


def based(makers: Mapping[str, Base], row: Row) -> dict[str, Value]:
    """Return the bases of a row.

    Raises:
        RefusedRowError: an expression has no result.
    """
    found: dict[str, Value] = {}
    for name, make in makers.items():
        try:
            found[name] = make(row)
        except (ArithmeticError, ValueError) as error:
            raise RefusedRowError([("derive", f"{name} has no value for this row ({error})")]) from None
    return found


def _base(feature: Feature) -> Base:
    if feature.derive:
        return _derived(expressions.parse(feature.derive).evaluate)
    column = feature.column
    return lambda row: row[column]


def _derived(evaluate: Base) -> Base:
    def base(row: Row) -> Value:
        value = evaluate(row)
        if value is not None and not -LARGEST <= value <= LARGEST:  # type: ignore[operator]  # of numbers
            raise ArithmeticError(f"the result is {value}")
        return value

    return base


class Transform:
    """The features of a definition, as an artefact has fitted them; `names` are those of the group, in its order."""

    def __init__(self, definition: FeatureDefinition, fitted: Mapping[str, Any]) -> None:
        kinds = definition.kinds()
        self.bases = bases(definition)
        self.names = list(outputs.kinds(definition, fitted))[2:]  # after identifier and event time
        self._made = {
            feature.name: _made(feature, NUMBER if feature.derive else kinds[feature.column], fitted.get(feature.name))
            for feature in definition.features
        }

    def features(self, found: Mapping[str, Value]) -> dict[str, Value]:
        """Return the features of the bases of one row, of all or of some features of the definition.

        Raises:
            RefusedRowError: a value is not of the type that its feature has.
        """
        return {name: value for base, value_of in found.items() for name, value in self._made[base](value_of)}


def _made(feature: Feature, kind: str, fitted: Mapping[str, Any] | None) -> Made:
    fill = _fill(feature, fitted)
    if feature.encode == "one-hot":
        return _one_hot(feature, fill, fitted)
    change = _ordinal(feature, fitted) if feature.encode else _scaled(feature, fitted) or _cast(feature, kind)
    name = feature.name

    def made(value: Value) -> list[tuple[str, Value]]:
        value = fill if value is None else value
        return [(name, None if value is None else change(value))]

    return made


def _fill(feature: Feature, fitted: Mapping[str, Any] | None) -> Value:
    if feature.fill == "mean" and fitted and fitted["kind"] == "number":
        return fitted["mean"]  # type: ignore[no-any-return]  # a number of the artefact, or none
    return feature.fill


def _one_hot(feature: Feature, fill: Value, fitted: Mapping[str, Any] | None) -> Made:
    known = outputs.categories(feature, {feature.name: fitted})
    names = [(outputs.category_feature(feature.name, category), category) for category in known]

    def made(value: Value) -> list[tuple[str, Value]]:
        value = fill if value is None else value
        text = None if value is None else str(value)  # a category that is not known is none of them: all are 0
        return [(name, 1.0 if text == category else 0.0) for name, category in names]

    return made


def _ordinal(feature: Feature, fitted: Mapping[str, Any] | None) -> Callable[[Any], Value]:
    places = {category: place for place, category in enumerate(outputs.categories(feature, {feature.name: fitted}))}
    return lambda value: places.get(str(value))


def _scaled(feature: Feature, fitted: Mapping[str, Any] | None) -> Callable[[Any], Value] | None:
    if not feature.scale or fitted is None:
        return None
    standard = feature.scale == "standard"
    off = fitted["mean"] if standard else fitted["min"]
    by = fitted["std"] if standard else fitted["max"] - fitted["min"]
    by = by or 1.0  # all fitted values are the same: only moved
    name = feature.name

    def scaled(value: float) -> float:
        found: float = (value - off) / by
        if not -LARGEST <= found <= LARGEST:
            raise RefusedRowError([("range", f"{name} is {value!r}, too far from what was fitted to be scaled")])
        return found

    return scaled


def _cast(feature: Feature, kind: str) -> Callable[[Any], Value]:
    wanted = feature.type or kind
    if wanted == STRING:
        return str
    if wanted == INTEGER:
        return lambda value: _whole(feature.name, value)
    return float if wanted in (NUMBER, TIME) else str


def _whole(name: str, value: float) -> int:
    if not float(value).is_integer() or not -_LARGEST <= value < _LARGEST:
        raise RefusedRowError([("type", f"{name} is {value!r}, wants a whole number of 64 bits")])
    return int(value)


def made_identifier(kind: str, name: str, version: str, line: int) -> Value:
    """Return the identifier of a row without a key of its own: the same for the same row of the same object version.

    A text has 128 bits of a digest. An integer has 63: of a thousand million rows, two share one in one case of
    twenty.
    """
    digest = hashlib.sha256(f"{name}\0{version}\0{line}".encode("utf-8", "surrogatepass")).hexdigest()
    return int(digest[:16], 16) >> 1 if kind == INTEGER else digest[:_IDENTIFIER_DIGITS]
