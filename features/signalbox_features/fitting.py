"""Scaling, encodings and distributions are learnt once, of named data, and kept as an artefact with a version."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from signalbox_features import chunks, outputs
from signalbox_features.chunks import RefusedFile, RefusedRow
from signalbox_features.model import NUMBER, STRING, FeaturesError, RefusedRowError
from signalbox_features.statistics import Categories, Sampled, Texts
from signalbox_features.transform import based, bases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from signalbox_features.model import FeatureDefinition
    from signalbox_features.sources import SourceFile

FORMAT = 1
_VERSION_DIGITS = 16
# What of a definition is fitted; quality, stores and names of keys may change without fitting anew.
_FITTED = ("columns", "steps", "features")


class ArtefactError(FeaturesError):
    """An artefact cannot be used: it is none, was changed, or was fitted for another definition."""


class Artefact(NamedTuple):
    """What was fitted: statistics by feature. `version` is a digest of all of it."""

    version: str
    features: Mapping[str, Any]
    document: Mapping[str, Any]


def fit(definition: FeatureDefinition, sources: Sequence[SourceFile]) -> Artefact:
    """Return what is learnt of the rows of files, in one pass.

    Raises:
        FeaturesError: no row can be used, more are refused than `quarantine.rows` allows, a file cannot be read, or a
            feature has too many categories.
    """
    counted = {feature.name: _counter(definition, feature.name) for feature in definition.features}
    rows: Counter[SourceFile] = Counter()
    makers, refused, first = bases(definition), 0, ""
    for one in chunks.read(definition, sources):
        if isinstance(one, RefusedFile):
            raise FeaturesError(f"{one.source.name}: {one.told}")
        told = _told(one) if isinstance(one, RefusedRow) else ""
        if not told and not isinstance(one, RefusedRow):
            try:
                found = based(makers, one.row)
            except RefusedRowError as error:
                told = f"{one.found.source.name}, line {one.found.line}: {error}"
            else:
                rows[one.found.source] += 1
                for name, value in found.items():
                    counted[name].add(value)  # type: ignore[arg-type]  # a number or a text, as its column is
        if told:
            refused, first = refused + one.found.lines, first or told
    _check(definition, sum(rows.values()), refused, first)
    _check_known(definition, counted)
    document = {
        "format": FORMAT,
        "definition": digest(definition),
        "fitted_on": [{"file": one.name, "version": one.version, "rows": rows[one]} for one in sources],
        "rows": sum(rows.values()),
        "refused": refused,
        "features": {name: counter.fitted() for name, counter in counted.items()},
    }
    return _artefact(definition, {**document, "version": _version(document)})


def _counter(definition: FeatureDefinition, name: str) -> Sampled | Categories:
    feature = next(one for one in definition.features if one.name == name)
    kind = NUMBER if feature.derive else definition.kinds()[feature.column]
    if feature.encode:
        return Categories(name, feature.categories or None)
    return Texts(name) if kind == STRING else Sampled()


def _told(one: RefusedRow) -> str:
    return f"{one.found.source.name}, line {one.found.line}: {'; '.join(told for _, told in one.problems)}"


def _check(definition: FeatureDefinition, used: int, refused: int, first: str) -> None:
    total = used + refused
    if not used:
        raise FeaturesError(f"there is no row to fit on{f': {first}' if first else ''}")
    if refused / total > definition.most_rows_refused:
        raise FeaturesError(
            f"{refused:,} of {total:,} rows cannot be used, more than the share of "
            f"{definition.most_rows_refused:g} that quarantine.rows allows; the first is {first}"
        )


def _check_known(definition: FeatureDefinition, counted: Mapping[str, Sampled | Categories]) -> None:
    for feature in definition.features:
        if not counted[feature.name].count and (feature.scale or feature.encode or feature.fill == "mean"):
            raise FeaturesError(f"feature {feature.name} has no value in any row: nothing of it can be fitted")


def digest(definition: FeatureDefinition) -> str:
    """Return a digest of what of a definition is fitted."""
    kept = {name: definition.given.get(name, []) for name in _FITTED}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:_VERSION_DIGITS]


def _version(document: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in document.items() if name != "version"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:_VERSION_DIGITS]


def save(artefact: Artefact, file: Path) -> None:
    """Write an artefact, at once or not at all."""
    beside = file.with_name(f"{file.name}.new")
    beside.write_text(json.dumps(artefact.document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(file)


def load(file: Path, definition: FeatureDefinition) -> Artefact:
    """Return the artefact in a file, which has to be one of a definition.

    Raises:
        ArtefactError: there is none, it was changed by hand, or the definition has changed since.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        made, features, version = document["definition"], document["features"], document["version"]
    except OSError as error:
        raise ArtefactError(f"there is no {file}: fit the features first, with `signalbox features fit`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{file} is no artefact ({error!r}): fit the features anew") from error
    if document.get("format") != FORMAT or version != _version(document) or not isinstance(features, dict):
        raise ArtefactError(f"{file} was changed since it was fitted, or by another version: fit the features anew")
    if made != digest(definition):
        raise ArtefactError(
            f"{file} was fitted for other columns, steps or features than the definition has now: fit the features "
            "anew, on purpose, with `signalbox features fit`"
        )
    return _artefact(definition, document)


def _artefact(definition: FeatureDefinition, document: Mapping[str, Any]) -> Artefact:
    wrong = [told for _, told in outputs.unfit_outputs(list(outputs.outputs(definition, document["features"])))]
    if wrong:
        raise ArtefactError(f"{'; '.join(wrong)}: give the categories of the feature in features.yaml")
    return Artefact(document["version"], document["features"], document)
