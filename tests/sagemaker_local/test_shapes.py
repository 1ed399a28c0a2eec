"""botocore's models as the judge: what they refuse, in AWS's words; what an answer has of a record; times."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.model import Shape, ShapeResolver

from sagemaker_local.core.shapes import problems, project, service_model, to_wire

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_MODEL: Any = {
    "All": {
        "type": "structure",
        "required": ["Name"],
        "members": {
            "Name": {"shape": "Name"},
            "Names": {"shape": "Names"},
            "Counts": {"shape": "Counts"},
            "Share": {"shape": "Share"},
            "Yes": {"shape": "Yes"},
            "When": {"shape": "When"},
            "Body": {"shape": "Body"},
            "Any": {"shape": "Any"},
        },
    },
    "Name": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z]+"},
    "Names": {"type": "list", "member": {"shape": "Name"}, "max": 2},
    "Counts": {"type": "map", "key": {"shape": "Kind"}, "value": {"shape": "Count"}, "max": 1},
    "Kind": {"type": "string", "enum": ["Good", "Bad"]},
    "Count": {"type": "integer", "min": 1, "max": 9},
    "Share": {"type": "double"},
    "Yes": {"type": "boolean"},
    "When": {"type": "timestamp"},
    "Body": {"type": "blob", "max": 3},
    "Any": {"type": "structure", "members": {}, "document": True},
}
ALL: Shape = ShapeResolver(_MODEL).get_shape_by_name("All")


def found(**value: Any) -> list[str]:
    return problems(ALL, {"Name": "ab", **value})


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\u2028b", "a\tb"])
def test_a_metadata_value_is_one_line_of_letters_numbers_and_separators(text: str) -> None:
    value = service_model("sagemaker").shape_for("CustomerMetadataValue")
    assert problems(value, "é 1\u00a0/=+-@") == []
    assert bool(problems(value, text)) is (text != "a\u2028b")


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\x85b", "a\u2028b"])
def test_a_dot_is_no_line_break_of_any_kind(text: str) -> None:
    value = service_model("sagemaker").shape_for("HyperParameterValue")
    assert problems(value, "a.b\t") == []
    assert "regular expression" in problems(value, text)[0]


def test_what_fits_has_no_problem() -> None:
    fitting = {"Names": ["ab", "abcd"], "Counts": {"Good": 9}, "Share": 1, "Yes": False, "Body": b"123"}
    assert found(**fitting, When=NOW, Any={"whatever": [1]}) == []
    assert found(Names=None, When=1.5) == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"Name": None}, "Name: is missing"),
        ({"Other": 1}, "Other: is not a member of All"),
        ({"Name": 7}, "Name: a string is expected, not 7"),
        ({"Names": "ab"}, "Names: a list is expected, not 'ab'"),
        ({"Counts": []}, "Counts: a map is expected, not []"),
        ({"Share": True}, "Share: a number (double) is expected, not True"),
        ({"Counts": {"Good": 1.5}}, "Counts['Good']: a number (integer) is expected, not 1.5"),
        ({"Yes": "true"}, "Yes: true or false is expected, not 'true'"),
        ({"When": []}, "When: a time is expected, not []"),
        ({"Name": "a"}, "Value at 'Name' failed to satisfy constraint: Member must have value or length greater"),
        (
            {"Names": ["ab", "abcde"]},
            "Value at 'Names[1]' failed to satisfy constraint: Member must have value or length less",
        ),
        ({"Names": ["ab"] * 3}, "Value at 'Names' failed"),
        ({"Name": "a-b"}, "Value 'a-b' at 'Name' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"Counts": {"Ugly": 1}}, "Member must satisfy enum value set: [Good, Bad]"),
        ({"Counts": {"Good": 0}}, "Value at 'Counts['Good']' failed"),
        ({"Body": b"1234"}, "Value at 'Body' failed"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(value: dict[str, Any], sentence: str) -> None:
    (only,) = found(**value)
    assert sentence in only


def test_every_problem_is_told_and_not_only_the_first() -> None:
    assert len(found(Name="A-", Names=["x", "y", "z"], Other=1)) == 6


@pytest.mark.parametrize("request_", [[], "text", 7, None])
def test_a_request_that_is_no_structure_is_refused(request_: Any) -> None:
    assert problems(ALL, request_) == [f"the request: a structure is expected, not {request_!r}"]


def test_an_answer_has_the_members_of_its_shape_that_the_record_has() -> None:
    assert project(ALL, {"Name": "ab", "Names": None, "Secret": 1, "Share": 0.5}) == {"Name": "ab", "Share": 0.5}


def test_times_go_over_the_wire_as_epoch_seconds_wherever_they_stand() -> None:
    shape = cast("Any", service_model("sagemaker").operation_model("DescribeTrainingJob").output_shape)
    moves = [{"Status": "Starting", "StartTime": NOW}]
    wire = to_wire(shape, {"CreationTime": NOW, "SecondaryStatusTransitions": moves, "HyperParameters": {"a": "1"}})
    assert wire == {
        "CreationTime": NOW.timestamp(),
        "SecondaryStatusTransitions": [{"Status": "Starting", "StartTime": NOW.timestamp()}],
        "HyperParameters": {"a": "1"},
    }
    assert to_wire(shape, {"FailureReason": None}) == {}
