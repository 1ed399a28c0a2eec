"""InputFilter, OutputFilter and JoinSource of batch transform."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.jobs.filters import FilterError, RecordFormat, check, join, kind_of, select

ROW = "a,b,c,d,e,f"


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("$", ROW),
        ("$[0]", "a"),
        ("$[-1]", "f"),
        ("$[1:]", "b,c,d,e,f"),
        ("$[1:4]", "b,c,d,e"),  # the documented example: the second to the fifth column
        ("$[:2]", "a,b,c"),
        ("$[-2:]", "e,f"),
        ("$[1:-1]", "b,c,d,e,f"),
        ("$[0,-1]", "a,f"),
        ("$[0,4:]", "a,e,f"),
        ("$[2, 0]", "c,a"),
    ],
)
def test_a_csv_filter_chooses_columns_and_a_slice_includes_its_upper_bound(path: str, chosen: str) -> None:
    assert select(path, ROW, "csv") == chosen


def test_a_quoted_csv_field_is_one_column_and_is_quoted_again() -> None:
    assert select("$[1:]", '1,"Smith, Ada",x', "csv") == '"Smith, Ada",x'


@pytest.mark.parametrize("path", ["$[6]", "$[-7]", "$[3:6]"])
def test_an_index_that_the_row_does_not_have_is_an_error(path: str) -> None:
    with pytest.raises(FilterError, match="of a record of 6"):
        select(path, ROW, "csv")


@pytest.mark.parametrize("path", ["$.a", "$['a']", "$[0][1]", "[0]", "$[", "$[x]", "$..a", "$[0]x", ""])
def test_a_csv_filter_that_is_no_index_path_is_refused(path: str) -> None:
    with pytest.raises(FilterError):
        check(path, "csv")


DOCUMENT = json.dumps({"id": 7, "features": {"x": [1, 2, 3], "y": "z"}, "SageMakerOutput": 0.5})


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("$.features", {"x": [1, 2, 3], "y": "z"}),
        ("$.features.y", "z"),
        ("$['features']['x']", [1, 2, 3]),
        ('$["id"]', 7),
        ("$.features.x[0]", 1),
        ("$.features.x[0,2]", [1, 3]),
        ("$.features.x[1:]", [2, 3]),
        ("$['id','SageMakerOutput']", {"id": 7, "SageMakerOutput": 0.5}),
    ],
)
def test_a_json_filter_follows_keys_and_indexes(path: str, chosen: object) -> None:
    assert json.loads(select(path, DOCUMENT, "json")) == chosen


@pytest.mark.parametrize("path", ["$.nothing", "$.id.deeper", "$.features.x['a']", "$.features.x[9]"])
def test_a_json_filter_that_does_not_fit_the_record_is_an_error(path: str) -> None:
    with pytest.raises(FilterError):
        select(path, DOCUMENT, "json")


def test_a_record_that_is_not_json_is_an_error() -> None:
    with pytest.raises(FilterError, match="needs JSON"):
        select("$.a", "{broken", "json")


def test_records_of_other_content_types_can_be_neither_filtered_nor_joined() -> None:
    with pytest.raises(FilterError, match="text/csv"):
        check("$[0]", "text")
    with pytest.raises(FilterError, match="text/csv"):
        join("a", "b", "text")


def test_a_csv_join_puts_the_prediction_behind_the_input() -> None:
    assert join("9,M,0.4", "8.7", "csv") == "9,M,0.4,8.7"


def test_a_json_join_adds_a_key_or_wraps_what_is_no_object() -> None:
    assert json.loads(join('{"id": 1}', "[0.5]", "json")) == {"id": 1, "SageMakerOutput": [0.5]}
    assert json.loads(join("[1, 2]", "0.5", "json")) == {"SageMakerInput": [1, 2], "SageMakerOutput": 0.5}


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/csv; charset=utf-8", "csv"),
        ("application/json", "json"),
        ("application/jsonlines", "json"),
        ("text/libsvm", "text"),
        (None, "text"),
    ],
)
def test_the_content_type_says_how_records_are_read(content_type: str | None, kind: RecordFormat) -> None:
    assert kind_of(content_type) == kind


FIELDS = st.lists(
    st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=5), min_size=2, max_size=6
)


@given(FIELDS)
def test_first_column_and_rest_together_are_the_row(fields: list[str]) -> None:
    quoted = ",".join('"' + field.replace('"', '""') + '"' for field in fields)

    everything = select("$[0:]", quoted, "csv")

    assert f"{select('$[0]', quoted, 'csv')},{select('$[1:]', quoted, 'csv')}" == everything
