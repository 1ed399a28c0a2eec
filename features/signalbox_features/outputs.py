"""Which features a definition gives, and of which types: what the feature group has to have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from signalbox_features.model import FRACTIONAL, INTEGRAL, NUMBER, STORED, STRING, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from signalbox_features.model import Feature, FeatureDefinition, FieldPath

# What the offline store adds (API reference, FeatureDefinition; `event_time` is added to no group).
RESERVED = ("is_deleted", "write_time", "api_invocation_time")
_LONGEST = 64
_MOST_CATEGORIES = 1000


def category_feature(feature: str, category: str) -> str:
    """Return the name of the feature that says whether a one-hot encoded feature has a category.

    What no feature's name may have becomes an underscore, as in `sex_M`.
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{feature}_{category}").rstrip("_-")


def outputs(definition: FeatureDefinition, fitted: Mapping[str, Any] | None = None) -> Iterator[tuple[FieldPath, str]]:
    """Yield each feature of the group, with the field that it comes from.

    Without `fitted`, the features of an artefact, those of categories that the definition does not give are not known.
    """
    yield ("identifier", "name"), definition.identifier.name
    yield ("event_time", "name"), definition.event_time.name
    for index, feature in enumerate(definition.features):
        if feature.encode != "one-hot":
            yield ("features", index, "name"), feature.name
        elif feature.categories or fitted is not None:
            for category in categories(feature, fitted or {}):
                yield ("features", index, "categories"), category_feature(feature.name, category)


def unfit_outputs(named: Sequence[tuple[FieldPath, str]]) -> Iterator[tuple[FieldPath, str]]:
    """Yield what is wrong with names of features: reserved, too long, or the same to Athena, which knows no case."""
    seen: dict[str, str] = {}
    for path, name in named:
        if name.lower() in RESERVED:
            yield path, f"the offline store adds {name.lower()} itself: name the feature otherwise"
        if len(name) > _LONGEST:
            yield path, f"the feature {name} has {len(name)} characters, and may have {_LONGEST}"
        if name.lower() in seen:
            yield path, f"the features {seen[name.lower()]} and {name} are the same to Athena: name one otherwise"
        seen.setdefault(name.lower(), name)


def kinds(definition: FeatureDefinition, fitted: Mapping[str, Any]) -> dict[str, str]:
    """Return the features of the group and their types in the Feature Store, in their order.

    `fitted` are the features of an artefact, which has the categories that the definition does not give.
    """
    made = {definition.identifier.name: _identifier(definition)}
    made[definition.event_time.name] = TEXT if definition.event_time.form == "iso" else FRACTIONAL
    columns = definition.kinds()
    for feature in definition.features:
        if feature.encode == "one-hot":
            made.update((category_feature(feature.name, one), FRACTIONAL) for one in categories(feature, fitted))
        else:
            made[feature.name] = _stored(feature, NUMBER if feature.derive else columns[feature.column])
    return made


def categories(feature: Feature, fitted: Mapping[str, Any]) -> list[str]:
    """Return the categories of an encoded feature: those of the definition, else the fitted ones, in their order."""
    return list(feature.categories) or sorted(fitted[feature.name]["categories"])[:_MOST_CATEGORIES]


def _identifier(definition: FeatureDefinition) -> str:
    identifier = definition.identifier
    return STORED[definition.kinds()[identifier.column] if identifier.column else identifier.type]


def _stored(feature: Feature, kind: str) -> str:
    if feature.encode == "ordinal":
        return INTEGRAL
    return FRACTIONAL if feature.scale else STORED[feature.type or (kind or STRING)]
