"""States: the fields of their types, retriers, catchers, choices and maps."""

import json
from typing import Any

import pytest
from tests.sagemaker_local.support.asl import (
    ALL,
    CALL,
    INNER,
    PASS,
    READER,
    RULE,
    SCHEMA,
    SHORTEST,
    choice,
    foreign,
    found,
    graph,
    machine,
    mapped,
    passed,
    spread,
    task,
    wait,
)

from sagemaker_local.asl import check

NO_FIELD = [
    (kind, field)
    for field, kinds in {
        "TimeoutSeconds": "Pass Wait Choice Succeed Fail Map Parallel",
        "Catch": "Pass Wait Choice Succeed Fail",
        "Retry": "Pass Wait Choice Succeed Fail",
        "Next": "Choice Succeed Fail",
        "End": "Choice Succeed Fail",
        "ResultPath": "Wait Choice Succeed Fail",
        "InputPath": "Fail",
        "Assign": "Succeed Fail",
        "Resource": "Pass Map",
    }.items()
    for kind in kinds.split()
]
VALUE = {
    "Catch": [],
    "Retry": [],
    "Next": "Z",
    "End": True,
    "ResultPath": "$.r",
    "InputPath": "$.i",
    "Assign": {"a": 1},
}


@pytest.mark.parametrize(("kind", "field"), NO_FIELD)
def test_a_field_that_a_type_does_not_have_is_refused(kind: str, field: str) -> None:
    state = {**SHORTEST[kind], field: VALUE.get(field, 5)}
    assert f"{SCHEMA}: Field '{field}' is not supported at /States/S" in found(machine(state))


@pytest.mark.parametrize("kind", SHORTEST)
def test_the_shortest_state_of_each_type_is_taken(kind: str) -> None:
    assert found(machine(SHORTEST[kind])) == []


PATHS = "There should only be one of the following fields: [{0}, {0}Path] at /States/S"
TYPES = "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"
TIMES = "[SecondsPath, Seconds, TimestampPath, Timestamp]"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"End": True}, "These fields are required: [Type] at /States/S"),
        (
            {"Type": "Nap", "End": True},
            f"The field 'Type' should have one of these values: {TYPES} at /States/S/Type",
        ),
        ({"Type": "Task", "End": True}, "These fields are required: [Resource] at /States/S"),
        ({"Type": "Choice"}, "These fields are required: [Choices] at /States/S"),
        ({"Type": "Parallel", "End": True}, "These fields are required: [Branches] at /States/S"),
        ({"Type": "Pass"}, "This object should have only one of the following fields: [Next, End] at /States/S"),
        ({"Type": "Pass", "End": "yes", "Next": "S"}, "Expected value of type [BOOLEAN] at /States/S/End"),
        (passed(Next="S"), "There should only be one of the following fields: [Next, End] at /States/S"),
        (passed(Comment=5), "Expected value of type [STRING] at /States/S/Comment"),
        (passed(inputPath="$.a"), "Field 'inputPath' is not supported at /States/S"),
        (wait(), f"This object should have only one of the following fields: {TIMES} at /States/S"),
        (wait(Seconds=1, SecondsPath="$.s"), f"There should only be one of the following fields: {TIMES} at /States/S"),
        (wait(Seconds=-1), "Minimum value is 0 at /States/S/Seconds"),
        (wait(Seconds=100_000_000), "Maximum value is 99999999 at /States/S/Seconds"),
        (wait(Seconds=1.5), "Expected value of type Integer at /States/S/Seconds"),
        (wait(Seconds=True), "Expected value of type Integer at /States/S/Seconds"),
        (wait(Timestamp="2026-01-01 00:00:00Z"), "String does not match RFC3339 timestamp at /States/S/Timestamp"),
        (wait(Timestamp="2026-13-01T00:00:00Z"), "String does not match RFC3339 timestamp at /States/S/Timestamp"),
        (wait(Timestamp="2026-01-01T00:00:00"), "String does not match RFC3339 timestamp at /States/S/Timestamp"),
        (task(TimeoutSeconds=0), "Minimum value is 1 at /States/S/TimeoutSeconds"),
        (task(HeartbeatSeconds="5"), "Expected value of type Integer at /States/S/HeartbeatSeconds"),
        (task(TimeoutSeconds=5, TimeoutSecondsPath="$.t"), PATHS.format("TimeoutSeconds")),
        (task(HeartbeatSeconds=5, HeartbeatSecondsPath="$.t"), PATHS.format("HeartbeatSeconds")),
        (
            task(TimeoutSecondsPath="t"),
            "Value is not a Reference Path: Reference path didn't start with '$' at /States/S/TimeoutSecondsPath",
        ),
        (task(Credentials={}), "The field 'RoleArn' is required but was missing at /States/S/Credentials"),
        (task(Credentials=None), "Expected value of type [OBJECT] at /States/S/Credentials"),
        ({"Type": "Fail", "Error": 5}, "Expected value of type [STRING] at /States/S/Error"),
        ({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}, PATHS.format("Error")),
        ({"Type": "Fail", "Cause": "C", "CausePath": "$.c"}, PATHS.format("Cause")),
        (
            {"Type": "Fail", "ErrorPath": "e"},
            "Value must be a valid JSONPath or a valid intrinsic function call at /States/S/ErrorPath",
        ),
        ({"Type": "Parallel", "Branches": [], "End": True}, "Value cannot be empty at /States/S/Branches"),
        ({"Type": "Parallel", "Branches": {}, "End": True}, "Expected value of type [ARRAY] at /States/S/Branches"),
        (
            {"Type": "Parallel", "Branches": [5], "End": True},
            "Expected value of type [OBJECT] at /States/S/Branches[0]",
        ),
        (
            {"Type": "Parallel", "Branches": [{"StartAt": "In"}], "End": True},
            "These fields are required: [States] at /States/S/Branches[0]",
        ),
        (
            {"Type": "Parallel", "Branches": [{**INNER, "QueryLanguage": "JSONata"}], "End": True},
            "Field 'QueryLanguage' is not supported at /States/S/Branches[0]",
        ),
    ],
)
def test_a_state_of_another_shape_is_refused_with_the_place(state: dict[str, Any], sentence: str) -> None:
    assert found(machine(state)) == [f"{SCHEMA}: {sentence}"]


def test_a_name_of_more_than_80_characters_is_refused_where_it_stands() -> None:
    long = "x" * 81
    [only] = check(json.dumps(graph(long, **{long: PASS})))
    assert (only.code, only.location) == ("INVALID_STATE_NAME", f"/States/{long}")
    assert found(graph("ü" * 80, **{"ü" * 80: PASS})) == []


ALONE = "States.ALL must appear alone and at end of list"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"Retry": {}}, "Expected value of type [ARRAY] at /States/S/Retry"),
        ({"Retry": [5]}, "Expected value of type [OBJECT] at /States/S/Retry[0]"),
        ({"Retry": [{}]}, "These fields are required: [ErrorEquals] at /States/S/Retry[0]"),
        ({"Retry": [{"ErrorEquals": []}]}, "Value cannot be empty at /States/S/Retry[0]/ErrorEquals"),
        ({"Retry": [{"ErrorEquals": "E"}]}, "Expected value of type [ARRAY] at /States/S/Retry[0]/ErrorEquals"),
        ({"Retry": [{"ErrorEquals": [5]}]}, "Expected value of type [STRING] at /States/S/Retry[0]/ErrorEquals[0]"),
        ({"Retry": [{"ErrorEquals": [*ALL, "E"]}]}, f"{ALONE} at /States/S/Retry[0]/ErrorEquals"),
        ({"Retry": [{"ErrorEquals": ALL}, {"ErrorEquals": ["E"]}]}, f"{ALONE} at /States/S/Retry[0]/ErrorEquals"),
        ({"Retry": [{"ErrorEquals": ALL, "MaxAttempts": -1}]}, "Minimum value is 0 at /States/S/Retry[0]/MaxAttempts"),
        (
            {"Retry": [{"ErrorEquals": ALL, "BackoffRate": 0.5}]},
            "Minimum value is 1.0 at /States/S/Retry[0]/BackoffRate",
        ),
        (
            {"Retry": [{"ErrorEquals": ALL, "MaxDelaySeconds": 31_622_401}]},
            "Maximum value is 31622400 at /States/S/Retry[0]/MaxDelaySeconds",
        ),
        (
            {"Retry": [{"ErrorEquals": ALL, "JitterStrategy": "SOME"}]},
            "Value should be one of the following: [NONE, FULL] at /States/S/Retry[0]/JitterStrategy",
        ),
        ({"Retry": [{"ErrorEquals": ALL, "Next": "Z"}]}, "Field 'Next' is not supported at /States/S/Retry[0]"),
        ({"Catch": [{"ErrorEquals": ALL}]}, "These fields are required: [Next] at /States/S/Catch[0]"),
        (
            {"Catch": [{"ErrorEquals": ALL, "Next": "Z"}, {"ErrorEquals": ["E"], "Next": "Z"}]},
            f"{ALONE} at /States/S/Catch[0]/ErrorEquals",
        ),
        (
            {"Catch": [{"ErrorEquals": ALL, "Next": "Z", "ResultPath": "r"}]},
            "Value is not a Reference Path: Reference path didn't start with '$' at /States/S/Catch[0]/ResultPath",
        ),
        (
            {"Catch": [{"ErrorEquals": ALL, "Next": "Z", "Output": 1}]},
            f"{foreign('Output', 'JSONPath')} at /States/S/Catch[0]",
        ),
    ],
)
def test_a_retrier_or_catcher_of_another_shape_is_refused(more: dict[str, Any], sentence: str) -> None:
    assert found(machine(task(**more))) == [f"{SCHEMA}: {sentence}"]


ONE = (
    "The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/S/Choices[0]"
)
X = {"Variable": "$.x"}


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([], "Value cannot be empty at /States/S/Choices"),
        ([5], "Expected value of type [OBJECT] at /States/S/Choices[0]"),
        ([{**X, "IsNull": True}], "These fields are required: [Next] at /States/S/Choices[0]"),
        ([{"Next": "Z"}], ONE),
        ([{**RULE, "Not": {**X, "IsNull": True}}], ONE),
        (
            [{**X, "Next": "Z"}],
            "This object should have only one of the following fields: [StringEquals, ...] at /States/S/Choices[0]",
        ),
        (
            [{**X, "Next": "Z", "IsNull": True, "IsString": True}],
            "There should only be one of the following fields: [IsNull, IsString] at /States/S/Choices[0]",
        ),
        (
            [{**X, "Next": "Z", "NumericEquals": "1"}],
            "Expected value of type [NUMBER] at /States/S/Choices[0]/NumericEquals",
        ),
        (
            [{**X, "Next": "Z", "StringEquals": 1}],
            "Expected value of type [STRING] at /States/S/Choices[0]/StringEquals",
        ),
        (
            [{**X, "Next": "Z", "BooleanEquals": "true"}],
            "Expected value of type [BOOLEAN] at /States/S/Choices[0]/BooleanEquals",
        ),
        (
            [{**X, "Next": "Z", "TimestampLessThan": "today"}],
            "String does not match RFC3339 timestamp at /States/S/Choices[0]/TimestampLessThan",
        ),
        ([{**X, "Next": "Z", "Equals": 1, "IsNull": True}], "Field 'Equals' is not supported at /States/S/Choices[0]"),
        (
            [{"Variable": "States.ArrayLength($.x)", "NumericEquals": 0, "Next": "Z"}],
            "Value is not a Reference Path: Reference path didn't start with '$' at /States/S/Choices[0]/Variable",
        ),
        ([{"And": [], "Next": "Z"}], "Value cannot be empty at /States/S/Choices[0]/And"),
        ([{"Or": [RULE], "Next": "Z"}], "Field 'Next' is not supported at /States/S/Choices[0]/Or[0]"),
        ([{"Not": [RULE], "Next": "Z"}], "Expected value of type [OBJECT] at /States/S/Choices[0]/Not"),
        (
            [{"Condition": "{% true %}", "Next": "Z"}],
            f"{foreign('Condition', 'JSONPath')} at /States/S/Choices[0]",
        ),
    ],
)
def test_a_choice_rule_of_another_shape_is_refused(rules: list[Any], sentence: str) -> None:
    assert found(machine(choice(*rules))) == [f"{SCHEMA}: {sentence}"]


CONFIG = "/States/S/ItemProcessor/ProcessorConfig"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            {"Type": "Map", "End": True},
            "This object should have only one of the following fields: [ItemProcessor, Iterator] at /States/S",
        ),
        (
            mapped(ItemSelector={}, Parameters={}),
            "There should only be one of the following fields: [ItemSelector, Parameters] at /States/S",
        ),
        (mapped(MaxConcurrency=-1), "Minimum value is 0 at /States/S/MaxConcurrency"),
        (mapped(MaxConcurrency=1, MaxConcurrencyPath="$.m"), PATHS.format("MaxConcurrency")),
        (
            mapped(MaxConcurrencyPath="$$.Execution.Input.n"),
            "Value is not a Reference Path at /States/S/MaxConcurrencyPath",
        ),
        (mapped(ItemsPath="$.a[*]"), "Value is not a Reference Path at /States/S/ItemsPath"),
        (mapped(ToleratedFailurePercentage=100.5), "Maximum value is 100.0 at /States/S/ToleratedFailurePercentage"),
        (
            mapped(ItemProcessor={**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}),
            "These fields are required: [ExecutionType] at /States/S/ItemProcessor/ProcessorConfig",
        ),
        (
            mapped(ItemProcessor={**INNER, "ProcessorConfig": {"Mode": "INLINE", "ExecutionType": "STANDARD"}}),
            "Field 'ExecutionType' is not supported at /States/S/ItemProcessor/ProcessorConfig",
        ),
        (
            spread("SLOW"),
            f"Value should be one of the following: [STANDARD, EXPRESS] at {CONFIG}/ExecutionType",
        ),
        (
            mapped(ItemProcessor={**INNER, "ProcessorConfig": {"Mode": "inline"}}),
            f"Value should be one of the following: [INLINE, DISTRIBUTED] at {CONFIG}/Mode",
        ),
        (
            mapped(ItemProcessor={**INNER, "ProcessorConfig": 5}),
            "Expected value of type [OBJECT] at /States/S/ItemProcessor/ProcessorConfig",
        ),
        (spread(ItemReader={}), "These fields are required: [Resource] at /States/S/ItemReader"),
        (spread(ItemReader=5), "Expected value of type [OBJECT] at /States/S/ItemReader"),
        (
            spread(ItemReader={**READER, "Resource": "arn:aws:states:::s3:putObject"}),
            "The field 'Resource' does not match any of the allowed values at /States/S/ItemReader/Resource",
        ),
        (
            spread(ItemReader={**READER, "ReaderConfig": {"InputType": "CSV"}}),
            "The field 'CSVHeaderLocation' is required at /States/S/ItemReader/ReaderConfig",
        ),
        (
            spread(ItemReader={**READER, "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}}),
            "These fields are required: [CSVHeaders] at /States/S/ItemReader/ReaderConfig",
        ),
        (
            spread(ItemReader={**READER, "ReaderConfig": {"InputType": "JSON", "CSVHeaderLocation": "FIRST_ROW"}}),
            "Field 'CSVHeaderLocation' is not supported at /States/S/ItemReader/ReaderConfig/CSVHeaderLocation",
        ),
        (
            spread(ItemReader={**READER, "ReaderConfig": {"MaxItems": 100_000_001}}),
            "Maximum value is 100000000 at /States/S/ItemReader/ReaderConfig/MaxItems",
        ),
        (
            spread(ItemBatcher={"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.m"}),
            PATHS.format("MaxItemsPerBatch") + "/ItemBatcher",
        ),
        (
            spread(ItemBatcher={"BatchInput": {"a.$": "b"}}),
            f"The value for the field 'a.$' {CALL} at /States/S/ItemBatcher/BatchInput",
        ),
        (
            mapped(ItemProcessor={**INNER, "QueryLanguage": "JSONata"}),
            "Field 'QueryLanguage' is not supported at /States/S/ItemProcessor",
        ),
    ],
)
def test_a_map_of_another_shape_is_refused(state: dict[str, Any], sentence: str) -> None:
    assert found(machine(state)) == [f"{SCHEMA}: {sentence}"]


@pytest.mark.parametrize("label", ["a b", "a*", "l" * 41, "a:b", "\n"])
def test_a_label_has_the_characters_of_a_name(label: str) -> None:
    assert [one.code for one in check(json.dumps(machine(spread(Label=label))))] == ["INVALID_LABEL_NAME"]
