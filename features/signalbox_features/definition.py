"""A compiled `features.yaml` becomes a definition, or a list of what contradicts itself in it.

Compiled means: fits the schema, and each step has its program as `code`. The form is JSON, so that the job needs no
YAML.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from signalbox_features import expressions
from signalbox_features.model import (
    INTEGER,
    NUMBER,
    STRING,
    TIME,
    DefinitionError,
    EventTime,
    Feature,
    FeatureDefinition,
    FeaturesError,
    Identifier,
    PandasStep,
    Rule,
    SourceColumn,
)
from signalbox_features.outputs import outputs, unfit_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from signalbox_features.model import FieldPath

    Problem = tuple[FieldPath, str]

MOST_ROWS_REFUSED = 0.01
_NUMERIC = (INTEGER, NUMBER, TIME)


def read(file: Path) -> FeatureDefinition:
    """Return the definition in a compiled file.

    Raises:
        FeaturesError: it is none; DefinitionError where it contradicts itself.
    """
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FeaturesError(
            f"{file} is no compiled definition of features ({type(error).__name__}: {error}): make it with "
            "`signalbox features check --json`"
        ) from error


def parse(given: Mapping[str, Any]) -> FeatureDefinition:
    """Return the definition of a compiled document that fits the schema.

    Raises:
        DefinitionError: it contradicts itself, in each of the places.
    """
    made = _made(given)
    problems = list(_problems(made, given))
    if problems:
        raise DefinitionError(problems)
    return made


def _made(given: Mapping[str, Any]) -> FeatureDefinition:
    rows, quarantine, ttl = given.get("rows", {}), given.get("quarantine", {}), given.get("ttl", {})
    identifier, event_time = given["identifier"], given["event_time"]
    return FeatureDefinition(
        group=given["group"],
        header=given.get("header", True),
        delimiter=given.get("delimiter", ","),
        columns=_columns(given["columns"]),
        steps=tuple(PandasStep(one["name"], one["code"], _columns(one["columns"])) for one in given.get("steps", ())),
        identifier=Identifier(identifier["name"], identifier.get("column", ""), identifier.get("made", STRING)),
        event_time=EventTime(event_time["name"], event_time.get("column", ""), event_time.get("as", "epoch")),
        features=tuple(_feature(one) for one in given["features"]),
        rules=tuple(_rule(one) for one in given.get("quality", ())),
        least_rows=rows.get("min", 1),
        most_rows=rows.get("max"),
        max_psi=given.get("drift", {}).get("psi"),
        most_rows_refused=quarantine.get("rows", MOST_ROWS_REFUSED),
        most_files_refused=quarantine.get("files", 1),
        store=given.get("store", "offline"),
        ttl=next(((unit, count) for unit, count in ttl.items()), None),
        given=given,
    )


def _columns(given: list[dict[str, str]]) -> tuple[SourceColumn, ...]:
    return tuple(SourceColumn(one["name"], one["type"]) for one in given)


def _feature(given: Mapping[str, Any]) -> Feature:
    derive = given.get("derive", "")
    return Feature(
        given["name"],
        "" if derive else given.get("column", given["name"]),
        derive,
        given.get("type", ""),
        given.get("scale", ""),
        given.get("encode", ""),
        tuple(given.get("categories", ())),
        given.get("fill"),
    )


def _rule(given: Mapping[str, Any]) -> Rule:
    flags = given.get("not_null", False), given.get("min"), given.get("max")
    return Rule(given["column"], *flags, frozenset(given.get("allowed", ())), given.get("unique", False))


def _problems(made: FeatureDefinition, given: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _repeated(made)
    kinds = made.kinds()
    for index, feature in enumerate(made.features):
        path: FieldPath = ("features", index)
        wrong = list(_wrong_source(feature, path, kinds, given["features"][index]))
        yield from wrong or _wrong_form(feature, path, kinds)
    yield from _wrong_keys(made, given, kinds)
    for index, rule in enumerate(made.rules):
        yield from _wrong_rule(rule, ("quality", index), {column.name: column.type for column in made.columns})
    if len(given.get("ttl", {"": 1})) != 1:
        yield ("ttl",), f"has to have one of its fields, such as days: {given['ttl']}"
    elif made.ttl and made.store == "offline":
        yield ("ttl",), "is about the online store, and store is offline: set store to online or both, or leave it out"
    if made.most_rows is not None and made.most_rows < made.least_rows:
        yield ("rows", "max"), f"is {made.most_rows}, less than min, which is {made.least_rows}"
    yield from unfit_outputs(list(outputs(made)))


def _repeated(made: FeatureDefinition) -> Iterator[Problem]:
    places: list[tuple[FieldPath, str]] = [(("columns", at), one.name) for at, one in enumerate(made.columns)]
    for at, step in enumerate(made.steps):
        places += [(("steps", at, "columns", within), one.name) for within, one in enumerate(step.columns)]
    seen: set[str] = set()
    for path, name in places:
        if name in seen:
            yield path, f"there is a column {name} already: name each once"
        seen.add(name)
    called = [step.name for step in made.steps]
    for at, name in enumerate(called):
        if name in called[:at]:
            yield ("steps", at, "name"), f"there is a step {name} already: name each once"


def _wrong_source(
    feature: Feature, path: FieldPath, kinds: Mapping[str, str], given: Mapping[str, Any]
) -> Iterator[Problem]:
    if not feature.derive:
        if feature.column not in kinds:
            yield (*path, "column" if "column" in given else "name"), _unknown(feature.column, kinds)
        return
    if "column" in given:
        yield (*path, "column"), "a feature has a column or derive, and not both: leave one out"
    try:
        names = expressions.parse(feature.derive).names
    except expressions.DeriveError as error:
        yield (*path, "derive"), str(error)
        return
    for name in sorted(names):
        if name not in kinds:
            yield (*path, "derive"), _unknown(name, kinds)
        elif kinds[name] not in _NUMERIC:
            yield (*path, "derive"), f"column {name} is a {kinds[name]}: an expression takes numbers"
    if not names:
        yield (*path, "derive"), "names no column: it is the same for all rows"


def _wrong_form(feature: Feature, path: FieldPath, kinds: Mapping[str, str]) -> Iterator[Problem]:
    kind = NUMBER if feature.derive else kinds[feature.column]
    if feature.scale and feature.encode:
        yield (*path, "encode"), "a feature is scaled or encoded, and not both: leave one out"
    elif feature.scale and kind not in _NUMERIC:
        yield (*path, "scale"), f"{feature.column} is a {kind}: numbers are scaled"
    elif feature.encode and feature.derive:
        yield (*path, "encode"), "an expression gives numbers, which are not encoded"
    if feature.categories and not feature.encode:
        yield (*path, "categories"), "are of an encoding: say encode: one-hot or ordinal, or leave them out"
    if feature.type and (feature.scale or feature.encode):
        yield (*path, "type"), "what is scaled or encoded has its type by that: leave it out"
    elif kind == STRING and feature.type not in ("", STRING):
        yield (*path, "type"), f"{feature.column} is a string: give the column its type"
    yield from _wrong_fill(feature, path, kind)


def _wrong_fill(feature: Feature, path: FieldPath, kind: str) -> Iterator[Problem]:
    text = isinstance(feature.fill, str)
    if feature.fill is None:
        return
    if kind in _NUMERIC and text and feature.fill != "mean":
        yield (*path, "fill"), f"is a text, and {feature.name} is a {kind}: give a number, or mean"
    elif kind == STRING and not text:
        yield (*path, "fill"), f"is a number, and {feature.name} is a string: put it in quotes"


def _wrong_keys(made: FeatureDefinition, given: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[Problem]:
    identifier, event_time = made.identifier, made.event_time
    if "made" in given["identifier"] and identifier.column:
        yield ("identifier", "made"), "an identifier has a column or is made, and not both: leave one out"
    elif "made" not in given["identifier"] and not identifier.column:
        yield ("identifier",), "say column, for the rows' own key, or made: string, for one from upload and line"
    if identifier.column and kinds.get(identifier.column) not in (STRING, INTEGER):
        told = f"is a {kinds.get(identifier.column)}: an identifier is a string or an integer"
        yield ("identifier", "column"), told if identifier.column in kinds else _unknown(identifier.column, kinds)
    if event_time.column and kinds.get(event_time.column) not in _NUMERIC:
        told = f"is a {STRING}: give the column the type time"
        yield ("event_time", "column"), told if event_time.column in kinds else _unknown(event_time.column, kinds)


def _wrong_rule(rule: Rule, path: FieldPath, kinds: Mapping[str, str]) -> Iterator[Problem]:
    if rule.column not in kinds:
        yield (*path, "column"), _unknown(rule.column, kinds)
        return
    kind = kinds[rule.column]
    if kind == STRING and (rule.min is not None or rule.max is not None):
        yield path, f"{rule.column} is a string: min and max are of numbers"
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield (*path, "min"), f"is {rule.min}, more than max, which is {rule.max}"
    wrong = [value for value in rule.allowed if isinstance(value, str) != (kind == STRING)]
    if wrong:
        yield (*path, "allowed"), f"{wrong[0]!r} can be no value of {rule.column}, which is a {kind}"
    if rule == Rule(rule.column, False, None, None, frozenset(), False):
        yield path, f"says nothing of {rule.column}: give not_null, min, max, allowed or unique"


def _unknown(name: str, kinds: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, kinds, 1)
    return f"there is no column {name}: {f'did you mean {near[0]}?' if near else 'there are ' + ', '.join(kinds)}"
