"""Scaling and encodings are fitted once and applied unchanged: in training and in serving to the last bit."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies
from sklearn.preprocessing import StandardScaler
from tests.support.abalone import lines
from tests.support.features import abalone, definition, file, fitted, quarantine, records, rows, run

from signalbox_features import chunks, expressions, fitting, outputs, statistics, values
from signalbox_features.expressions import DeriveError
from signalbox_features.fitting import ArtefactError
from signalbox_features.model import FeaturesError, RefusedRowError
from signalbox_features.serving import FeatureServer
from signalbox_features.values import WrongTypeError

NUMBERS = strategies.floats(-1e6, 1e6)


def one(made: Any, tmp_path: Path, *fitted_on: str, **row: Any) -> dict[str, Any]:
    return FeatureServer(made, fitted(made, tmp_path, *fitted_on)).transform_one(
        {"id": "x", "sex": "F", "length": 1, **row}
    )


def test_training_and_serving_have_the_same_values_in_every_row_of_abalone(tmp_path: Path) -> None:
    table = lines(4177)
    source = file(tmp_path, "\n".join(table) + "\n", "abalone.csv")
    made = abalone()
    artefact = fitting.fit(made, [source])
    done = run(made, artefact, [source], tmp_path)
    server = FeatureServer(made, artefact, without=["rings"])
    names = [column.name for column in made.columns]

    trained = records(tmp_path)
    served = [server.transform_one(dict(zip(names[:-1], cells[:-1], strict=True))) for cells in csv.reader(table)]

    assert done.problems == []
    assert len(trained) == len(served) == 4177
    assert all("rings" not in one for one in served)
    assert all(float(row[name]) == one[name] for row, one in zip(trained, served, strict=True) for name in one)


def test_abalone_is_scaled_as_scikit_learn_scales_it(tmp_path: Path) -> None:
    table = lines(500)
    source = file(tmp_path, "\n".join(table) + "\n", "abalone.csv")
    run(abalone(), fitting.fit(abalone(), [source]), [source], tmp_path)
    wanted = StandardScaler().fit_transform([[float(cell) for cell in row[1:8]] for row in csv.reader(table)])

    measures = [feature.name for feature in abalone().features if feature.scale]
    found = [[float(record[name]) for name in measures] for record in records(tmp_path)]
    assert [value for row in found for value in row] == pytest.approx([value for row in wanted for value in row])


def test_a_value_has_the_same_feature_in_any_file(tmp_path: Path) -> None:
    made = definition()
    artefact = fitted(made, tmp_path)
    run(made, artefact, [file(tmp_path, rows("a,F,5")), file(tmp_path, rows("b,M,5", "c,M,900"), "b.csv")], tmp_path)

    first, second, _ = records(tmp_path)
    assert first["length"] == second["length"] == "3.0"  # fitted on 1 and 3: mean 2, standard deviation 1


@pytest.mark.parametrize(
    ("feature", "row", "wanted"),
    [
        ({"name": "length", "scale": "minmax"}, {"length": 2}, {"length": 0.5}),
        ({"name": "length"}, {"length": "2.50"}, {"length": 2.5}),
        ({"name": "length"}, {"length": None}, {"length": None}),
        ({"name": "length", "fill": 0}, {"length": ""}, {"length": 0.0}),
        ({"name": "length", "fill": "mean"}, {"length": None}, {"length": 2.0}),
        ({"name": "length", "scale": "standard", "fill": "mean"}, {"length": None}, {"length": 0.0}),
        ({"name": "whole", "column": "length", "type": "integer"}, {"length": 3.0}, {"whole": 3}),
        ({"name": "said", "column": "length", "type": "string"}, {"length": 3.5}, {"said": "3.5"}),
        ({"name": "area", "derive": "length ** 2 * 3"}, {"length": 2}, {"area": 12.0}),
        ({"name": "area", "derive": "log1p(length)"}, {"length": None}, {"area": None}),
        ({"name": "sex"}, {"sex": " F "}, {"sex": "F"}),
        ({"name": "sex", "encode": "one-hot"}, {"sex": "M"}, {"sex_F": 0.0, "sex_M": 1.0}),
        ({"name": "sex", "encode": "one-hot"}, {"sex": "unknown"}, {"sex_F": 0.0, "sex_M": 0.0}),
        ({"name": "sex", "encode": "one-hot"}, {"sex": None}, {"sex_F": 0.0, "sex_M": 0.0}),
        ({"name": "sex", "encode": "one-hot", "fill": "M"}, {"sex": None}, {"sex_F": 0.0, "sex_M": 1.0}),
        ({"name": "sex", "encode": "one-hot", "categories": ["X", "F"]}, {"sex": "F"}, {"sex_X": 0.0, "sex_F": 1.0}),
        ({"name": "sex", "encode": "ordinal"}, {"sex": "M"}, {"sex": 1}),
        ({"name": "sex", "encode": "ordinal"}, {"sex": "unknown"}, {"sex": None}),
        ({"name": "n", "column": "length", "encode": "one-hot"}, {"length": 3}, {"n_1_0": 0.0, "n_3_0": 1.0}),
    ],
)
def test_a_feature_is_what_its_definition_says(
    tmp_path: Path, feature: dict[str, Any], row: dict[str, Any], wanted: dict[str, Any]
) -> None:
    made = definition(features=[feature])
    found = one(made, tmp_path, **row)
    assert found == wanted
    assert list(map(type, found.values())) == list(map(type, wanted.values()))
    kinds = {float: "Fractional", int: "Integral", str: "String"}
    stored = outputs.kinds(made, fitted(made, tmp_path).features)
    assert all(stored[name] == kinds[type(value)] for name, value in wanted.items() if value is not None)


@pytest.mark.parametrize(
    ("change", "row", "told"),
    [
        ({}, {"length": "long"}, "length is 'long', wants a number"),
        ({}, {"length": True}, "length is 'True', wants a number"),
        ({}, {"sex": ["F"]}, "sex is \"['F']\", wants a text"),
        ({"quality": [{"column": "length", "max": 9}]}, {"length": 10}, "length is 10.0, wants at most 9"),
        ({"features": [{"name": "l", "derive": "log(length)"}]}, {"length": 0}, "l has no value for this row"),
        ({"features": [{"name": "l", "derive": "length ** 900"}]}, {"length": 1e9}, "l has no value for this row"),
        ({"features": [{"name": "l", "derive": "1 / length"}]}, {"length": 0}, "l has no value for this row"),
        ({"features": [{"name": "l", "derive": "length * 1e99"}]}, {"length": 99}, "l has no value for this row"),
        ({"features": [{"name": "l", "derive": "(length - 1) * 1e308"}]}, {"length": 99}, "(the result is inf)"),
        (
            {"features": [{"name": "l", "column": "length", "type": "integer"}]},
            {"length": 1.5},
            "l is 1.5, wants a whole",
        ),
    ],
)
def test_what_the_job_would_put_into_quarantine_is_refused_in_serving(
    tmp_path: Path, change: dict[str, Any], row: dict[str, Any], told: str
) -> None:
    with pytest.raises(RefusedRowError) as refused:
        one(definition(**change), tmp_path, **row)
    assert told in str(refused.value)


def test_a_request_names_what_it_lacks(tmp_path: Path) -> None:
    made = definition()
    with pytest.raises(RefusedRowError, match=r"^length, sex is missing|^sex, length is missing"):
        FeatureServer(made, fitted(made, tmp_path)).transform_one({})


def test_a_step_gives_training_and_serving_the_same_values(tmp_path: Path) -> None:
    step = {"name": "s", "code": "df['area'] = df['length'] ** 2", "columns": [{"name": "area", "type": "number"}]}
    made = definition(steps=[step], features=[{"name": "area", "scale": "standard"}])
    artefact = fitted(made, tmp_path)
    run(made, artefact, [file(tmp_path, rows("a,F,1.5", "b,M,2", "c,M,"))], tmp_path)

    served = FeatureServer(made, artefact)
    asked = [served.transform_one({"id": "", "sex": "", "length": length})["area"] for length in (1.5, 2, None)]
    assert [record["area"] for record in records(tmp_path)] == [values.text(value) for value in asked]
    assert asked == [-0.6875, -0.25, None]  # fitted on 1 and 9


STEP = [{"name": "area", "type": "number"}]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("df['area'] = df['length'] - df['length'].mean()", "area of the first row is 0.0 alone and -1.0 among others"),
        ("df = df.dropna()", "step s has to leave df with a row for each row that it got"),
        ("area = 1", "step s leaves no column area"),
        ("df = 3", "step s has to leave df with a row for each row"),
    ],
)
def test_a_step_that_looks_at_other_rows_or_loses_some_ends_the_run(tmp_path: Path, code: str, told: str) -> None:
    made = definition(
        steps=[{"name": "s", "code": code, "columns": STEP}],
        features=[{"name": "area"}],
    )
    with pytest.raises(FeaturesError) as refused:
        fitted(made, tmp_path, "a,F,1", "b,M,3", "c,F,")
    assert told in str(refused.value)


def test_a_row_that_a_step_fails_on_is_in_quarantine_and_the_others_are_used(tmp_path: Path) -> None:
    code = "df['area'] = [10 / one for one in df['length'].tolist()]"
    made = definition(steps=[{"name": "s", "code": code, "columns": STEP}], features=[{"name": "area"}])
    run(made, fitted(made, tmp_path), [file(tmp_path, rows("a,F,1", "b,M,0", "c,F,5"))], tmp_path)

    (kept,) = quarantine(tmp_path)
    assert (kept["line"], kept["reason"], kept["told"]) == (
        3,
        "step",
        "a step fails: ZeroDivisionError: float division by zero",
    )
    assert [record["area"] for record in records(tmp_path)] == ["10.0", "2.0"]


def test_rows_that_wait_for_a_step_are_few_where_they_are_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_LARGEST", 30)
    code = "chunks.append(len(df))\ndf['area'] = df['length']"
    made = definition(steps=[{"name": "s", "code": code, "columns": STEP}], features=[{"name": "area"}])
    lengths: list[int] = []
    monkeypatch.setattr("builtins.chunks", lengths, raising=False)
    fitted(made, tmp_path, *(f"{'k' * 14},F,{number}" for number in range(6)))
    assert [length for length in lengths if length > 1] == [2, 2, 2]


def test_a_value_that_scaling_makes_far_too_large_is_refused(tmp_path: Path) -> None:
    made = definition(features=[{"name": "length", "scale": "minmax"}])
    with pytest.raises(RefusedRowError, match=r"length is 1e\+99, too far from what was fitted to be scaled"):
        one(made, tmp_path, "a,F,0", "b,F,1e-9", length=1e99)


def test_numbers_of_any_size_that_is_taken_have_moments_and_drift(tmp_path: Path) -> None:
    made = definition(features=[{"name": "length", "scale": "standard"}])
    lines = [f"{number}{sign},F,{sign}1e100" for number in range(2_000) for sign in ("", "-")]
    artefact = fitted(made, tmp_path, *lines)
    assert artefact.features["length"]["std"] == pytest.approx(1e100)
    done = run(made, artefact, [file(tmp_path, rows(*lines))], tmp_path)
    assert done.report["features"]["length"]["psi"] == pytest.approx(0)
    assert {record["length"] for record in records(tmp_path)} == {"1.0", "-1.0"}


def test_an_artefact_says_what_it_was_fitted_on_and_has_the_same_version_each_time(tmp_path: Path) -> None:
    made = definition()
    artefact = fitted(made, tmp_path)

    assert artefact.document["fitted_on"] == [{"file": "fitted.csv", "version": "1", "rows": 2}]
    assert artefact.document["rows"] == 2
    assert fitted(made, tmp_path) == artefact
    assert fitted(made, tmp_path, "a,F,1", "b,M,4").version != artefact.version
    fitting.save(artefact, tmp_path / "fitted.json")
    assert fitting.load(tmp_path / "fitted.json", made) == artefact


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": [{"name": "length"}]}, "was fitted for other columns, steps or features"),
        ({"columns": [{"name": n, "type": "string"} for n in ("id", "sex", "length", "age")]}, "was fitted for other"),
    ],
)
def test_an_artefact_of_another_definition_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    fitting.save(fitted(definition(), tmp_path), tmp_path / "fitted.json")
    changed = {"features": [{"name": "sex"}], **change}
    with pytest.raises(ArtefactError, match=told):
        fitting.load(tmp_path / "fitted.json", definition(**changed))


def test_an_artefact_outlives_a_change_of_quality(tmp_path: Path) -> None:
    fitting.save(fitted(definition(), tmp_path), tmp_path / "fitted.json")
    stricter = definition(quality=[{"column": "sex", "not_null": True}], rows={"min": 9})
    assert fitting.load(tmp_path / "fitted.json", stricter).document["rows"] == 2


def test_an_artefact_that_was_changed_or_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fitted.json"
    with pytest.raises(ArtefactError, match="fit the features first"):
        fitting.load(path, definition())
    fitting.save(fitted(definition(), tmp_path), path)
    document = json.loads(path.read_text())
    document["features"]["length"]["mean"] = 7
    path.write_text(json.dumps(document))
    with pytest.raises(ArtefactError, match="was changed since it was fitted"):
        fitting.load(path, definition())


@pytest.mark.parametrize(
    ("change", "lines", "told"),
    [
        ({}, ["a,F,x"], "there is no row to fit on: fitted.csv, line 2: length is 'x'"),
        ({"quarantine": {"rows": 0.1}}, ["a,F,1", "b,F,x"], "1 of 2 rows cannot be used, more than the share of 0.1"),
        ({}, ["a,F,"], "feature length has no value in any row"),
        (
            {"features": [{"name": "i", "column": "id", "encode": "one-hot"}]},
            [f"k{number},F,1" for number in range(1001)],
            "feature i has more than 1,000 different values",
        ),
        (
            {"features": [{"name": "sex", "encode": "one-hot"}, {"name": "length"}]},
            ["a,m f,1", "b,m/f,1"],
            "the features sex_m_f and sex_m_f are the same to Athena",
        ),
    ],
)
def test_what_nothing_can_be_learnt_of_is_refused(
    tmp_path: Path, change: dict[str, Any], lines: list[str], told: str
) -> None:
    with pytest.raises(FeaturesError) as refused:
        fitted(definition(**change), tmp_path, *lines)
    assert told in str(refused.value)


def test_fitting_on_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(FeaturesError, match=r"^a\.csv: is UTF-16"):
        fitting.fit(definition(), [file(tmp_path, "id".encode("utf-16"))])


@examples(strategies.lists(NUMBERS, min_size=1, max_size=5000))
def test_moments_of_a_stream_are_those_of_all_its_values(found: list[float]) -> None:
    numbers = statistics.Sampled()
    for value in found:
        numbers.add(value)
    figures = numbers.summary()

    mean = math.fsum(found) / len(found)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in found) / len(found))
    assert figures["count"] == len(found)
    assert (figures["min"], figures["max"]) == (min(found), max(found))
    assert figures["mean"] == pytest.approx(mean, rel=1e-9, abs=1e-6)
    assert figures["std"] == pytest.approx(std, rel=1e-9, abs=1e-6)


def test_a_stream_longer_than_its_sample_keeps_its_quantiles_about_right_and_the_same_each_time() -> None:
    def fit() -> dict[str, Any]:
        numbers = statistics.Sampled()
        for value in range(100_000):
            numbers.add(float(value * 7919 % 100_000))
        return numbers.fitted()

    first = fit()
    assert first == fit()
    assert first["edges"] == pytest.approx([10_000 * part for part in range(1, 10)], abs=1_500)
    assert sum(first["shares"]) == pytest.approx(1)


def test_drift_counts_the_missing_and_the_unknown_as_bins_of_their_own() -> None:
    number = {"kind": "number", "shares": [0.5, 0.5], "null_share": 0.2}
    assert statistics.psi(number, [0.5, 0.5], 20, 80) == pytest.approx(0)
    half = statistics.psi(number, [0.5, 0.5], 50, 50)
    assert half == pytest.approx(2 * (0.25 - 0.4) * math.log(0.25 / 0.4) + (0.5 - 0.2) * math.log(0.5 / 0.2))

    category = {"kind": "category", "categories": {"F": 50, "M": 50}, "others": 0, "count": 100, "null_share": 0}
    assert statistics.psi(category, {"F": 60, "M": 60}, 0, 120) == pytest.approx(0)
    unknown = statistics.psi(category, {"F": 40, "M": 40, "": 20}, 0, 100)
    assert unknown == pytest.approx(2 * -0.1 * math.log(0.8) + (0.2 - 1e-4) * math.log(0.2 / 1e-4))
    assert statistics.psi(category, {"F": 99}, 0, 99) is None


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "length.real", "length if 1 else 2", "[length]", "f(length)", "length > 1", "'a' * 3",
        "log(length, 2)", "min(length)", "length and 1", "(lambda: 1)()", "log(length=1)", "1 +", "length @ 2", "True",
        "(" * 300 + "length" + ")" * 300, "length" + " + 1" * 200,
    ],
)  # fmt: skip
def test_an_expression_is_arithmetic_and_nothing_else(text: str) -> None:
    with pytest.raises(DeriveError):
        expressions.parse(text)


def test_an_expression_has_the_order_of_arithmetic() -> None:
    made = expressions.parse("-a ** 2 + max(b, 2, a) / sqrt(4) - abs(+b)")
    assert made.names == {"a", "b"}
    assert made.evaluate({"a": 3, "b": -1}) == -9 + 3 / 2 - 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-27T12:00:00Z", 1_795_780_800.0),
        ("2026-11-27 13:00:00+01:00", 1_795_780_800.0),
        ("2026-11-27T12:00:00.250Z", 1_795_780_800.25),
        ("2026-11-27T07:00-0500", 1_795_780_800.0),
        ("2026-11-27", 1_795_737_600.0),
        (" ", None),
    ],
)
def test_a_time_is_read_with_its_zone(text: str, wanted: float | None) -> None:
    assert values.moment(text) == wanted


@pytest.mark.parametrize("text", ["2026-11-27T12:00:00", "27.11.2026", "2026-13-01", "1795780800", "2026-11-27T25:00Z"])
def test_a_time_without_a_zone_or_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(WrongTypeError, match="wants a time with its zone"):
        values.moment(text)


@examples(strategies.floats(-1e100, 1e100))
def test_a_number_that_was_written_is_read_as_the_same(number: float) -> None:
    assert values.reader("number")(values.text(number)) == number


@examples(strategies.floats(0, 4_000_000_000))
def test_a_time_that_was_written_is_read_as_the_same_to_the_millisecond(seconds: float) -> None:
    assert values.moment(values.iso(seconds)) == pytest.approx(seconds, abs=0.0011)
