"""Whole definitions: their text, their ways and their names."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sagemaker_local.support.asl import (
    ALL,
    FUNCTION,
    INNER,
    PASS,
    READER,
    RULE,
    SCHEMA,
    SHORTEST,
    TARGET,
    choice,
    found,
    graph,
    machine,
    mapped,
    spread,
    task,
    wait,
)

from sagemaker_local.asl import check


def test_a_text_that_is_no_json_object_is_no_definition() -> None:
    for text in ("not a definition", "{'StartAt': 1}", '{"StartAt": NaN}', "", "{"):
        [only] = check(text)
        assert only.code == "INVALID_JSON_DESCRIPTION", text
    for text in ("[]", '""', "null", "3"):
        [only] = check(text)
        assert (only.code, only.message) == (SCHEMA, "Definition must be a valid JSON object"), text


def test_a_definition_that_is_nested_without_end_is_refused_and_not_an_error_of_ours() -> None:
    deep = "[" * 300_000
    assert [one.code for one in check(f'{{"StartAt": {deep}')] == ["TOO_DEEPLY_NESTED"]
    inside = json.dumps(graph(A=PASS))
    for _ in range(2000):
        inside = f'{{"StartAt": "A", "States": {{"A": {{"Type": "Parallel", "End": true, "Branches": [{inside}]}}}}}}'
    assert {one.code for one in check(inside)} <= {"DUPLICATE_STATE_NAME", "TOO_DEEPLY_NESTED"}


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ({}, "These fields are required: [States, StartAt] at /"),
        ({"StartAt": "S"}, "These fields are required: [States] at /"),
        ({"States": {"S": PASS}}, "These fields are required: [StartAt] at /"),
        ({"StartAt": "S", "States": []}, "Expected value of type [OBJECT] at /States"),
        ({"StartAt": 1, "States": {"S": PASS}}, "Expected value of type [STRING] at /StartAt"),
        ({"StartAt": "S", "States": {"S": []}}, "Expected value of type [OBJECT] at /States/S"),
        (machine(PASS, Coment="c"), "Field 'Coment' is not supported at /"),
        (machine(PASS, Version="2.0"), "Value should be one of the following: [1.0] at /Version"),
        (machine(PASS, TimeoutSeconds=-1), "Minimum value is 0 at /TimeoutSeconds"),
        (machine(PASS, TimeoutSeconds="1"), "Expected value of type Integer at /TimeoutSeconds"),
        (machine(PASS, QueryLanguage=5), "Expected value of type [STRING] at /QueryLanguage"),
        (
            machine(PASS, QueryLanguage="jsonata"),
            "Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage",
        ),
    ],
)
def test_a_machine_of_another_shape_is_refused_with_the_place(definition: dict[str, Any], sentence: str) -> None:
    assert found(definition) == [f"{SCHEMA}: {sentence}"]


def to(target: str) -> dict[str, Any]:
    return {"Type": "Pass", "Next": target}


def handed(target: str) -> dict[str, Any]:
    return task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": target}])


@pytest.mark.parametrize(
    ("definition", "sentences"),
    [
        (
            graph(A=to("C"), B=PASS),
            [
                f"{TARGET}: Missing 'Next' target: C at /States/A/Next",
                f'{TARGET}: State "B" is not reachable. at /States/B',
            ],
        ),
        (
            graph("Nope", A=PASS),
            [
                f"{TARGET}: Missing 'Next' target: Nope at /StartAt",
                f'{TARGET}: State "A" is not reachable. at /States/A',
            ],
        ),
        (graph(A=to("B"), B=to("A")), ["MISSING_END_STATE: Workflow has no terminal state at null"]),
        (graph(A=to("B"), B=to("A"), C=PASS), [f'{TARGET}: State "C" is not reachable. at /States/C']),
        (
            graph(A=to("A"), B=to("A")),
            ["MISSING_END_STATE: Workflow has no terminal state at null"],
        ),
        (
            graph(A=PASS, B=to("C"), C=to("B")),
            [f'{TARGET}: State "{name}" is not reachable. at /States/{name}' for name in "BC"],
        ),
        (graph(A=handed("Ghost")), [f"{TARGET}: Missing 'Next' target: Ghost at /States/A/Catch[0]/Next"]),
        (
            graph(A=choice({**RULE, "Next": "Ghost"}, Default="Z"), Z=PASS),
            [f"{TARGET}: Missing 'Next' target: Ghost at /States/A/Choices[0]/Next"],
        ),
        (
            graph(A=choice(RULE, Default="Ghost"), Z=PASS),
            [f"{TARGET}: Missing 'Next' target: Ghost at /States/A/Default"],
        ),
        (
            graph(A=mapped(ItemProcessor=graph("W", W=to("A")))),
            [f"{TARGET}: Missing 'Next' target: A at /States/A/ItemProcessor/States/W/Next"],
        ),
        (
            graph(A={"Type": "Parallel", "End": True, "Branches": [INNER, graph("W", W=PASS, Ghost=PASS)]}),
            [f'{TARGET}: State "Ghost" is not reachable. at /States/A/Branches[1]/States/Ghost'],
        ),
        (
            graph("In", In=mapped()),
            ["DUPLICATE_STATE_NAME: Duplicate State name: In at /States/In/ItemProcessor/States/In"],
        ),
    ],
)
def test_a_way_that_leads_nowhere_is_named(definition: dict[str, Any], sentences: list[str]) -> None:
    assert found(definition) == sentences


def test_a_map_may_turn_round_for_ever_and_labels_are_there_once() -> None:
    assert found(graph(A=mapped(ItemProcessor=graph("W", W=to("W"))))) == []
    twice = graph(A=mapped(Label="l", Next="B") | {"End": False}, B=mapped(Label="l", ItemProcessor=graph("W", W=PASS)))
    assert found(twice) == ["DUPLICATE_LABEL_NAME: Duplicate Label name: l at /States/B/Label"]


POLLER = graph(
    "Submit",
    Submit=task(Next="Wait", ResultPath="$.guid", Retry=[{"ErrorEquals": ALL, "IntervalSeconds": 1, "BackoffRate": 2}])
    | {"End": False},
    Wait=wait(SecondsPath="$.seconds", Next="Status") | {"End": False},
    Status=task(Next="Complete?", InputPath="$.guid", ResultPath="$.status", TimeoutSecondsPath="$.limit")
    | {"End": False},
    **{
        "Complete?": choice(
            {"Variable": "$.status", "StringEquals": "FAILED", "Next": "Failed", "Comment": "it failed"},
            {
                "Or": [
                    {"Variable": "$.status", "StringMatches": "SUCC*"},
                    {"Not": {"Variable": "$.status", "IsPresent": True}},
                    {
                        "And": [
                            {"Variable": "$.n", "NumericGreaterThanPath": "$.m"},
                            {"Variable": "$$.State.RetryCount", "IsNumeric": True},
                        ]
                    },
                ],
                "Next": "Done",
            },
            Default="Wait",
        )
    },
    Failed={"Type": "Fail", "ErrorPath": "$.error", "CausePath": "States.Format('{}', $.cause)"},
    Done={"Type": "Succeed", "OutputPath": "$.status"},
)
SAGA = graph(
    "Both",
    Both={
        "Type": "Parallel",
        "Branches": [
            graph("Hotel", Hotel=task()),
            graph("Flight", Flight=task(HeartbeatSeconds=30, TimeoutSeconds=60)),
        ],
        "ResultSelector": {"all.$": "$[*].id"},
        "Catch": [{"ErrorEquals": ["States.TaskFailed", "Own"], "ResultPath": "$.error", "Next": "Cancel"}],
        "Next": "Done",
    },
    Cancel=task("arn:aws:states:::dynamodb:deleteItem", Parameters={"TableName": "t", "Key": {"pk": {"S.$": "$.id"}}}),
    Done={"Type": "Succeed"},
)
SPREAD = graph(
    "Files",
    Files=spread(
        "EXPRESS",
        ItemReader={
            **READER,
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItemsPath": "$.most"},
        },
        ItemBatcher={"MaxItemsPerBatch": 10, "BatchInput": {"day.$": "$.day"}},
        ItemSelector={"value.$": "$$.Map.Item.Value"},
        ResultWriter={"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}},
        ToleratedFailurePercentage=5,
        MaxConcurrency=100,
        Label="files-1",
    ),
)
APPROVAL = {
    "QueryLanguage": "JSONata",
    "StartAt": "Ask",
    "TimeoutSeconds": 86_400,
    "Version": "1.0",
    "States": {
        "Ask": task(
            "arn:aws:states:::lambda:invoke.waitForTaskToken",
            Arguments={"FunctionName": FUNCTION, "Payload": {"token": "{% $states.context.Task.Token %}"}},
            TimeoutSeconds="{% $states.input.seconds %}",
            Assign={"answer": "{% $states.result %}", "größe": 1},
            Output="{% $states.result %}",
            Next="Answer?",
            Catch=[
                {"ErrorEquals": ALL, "Assign": {"failure": "{% $states.errorOutput %}"}, "Output": {}, "Next": "Failed"}
            ],
        )
        | {"End": False},
        "Answer?": choice({"Condition": "{% $answer.approved %}", "Next": "Each"}, Default="Failed", Assign={"a": 1}),
        "Each": mapped(
            Items=[1, 2], MaxConcurrency="{% 2 %}", ItemSelector={"i": "{% $states.context.Map.Item.Value %}"}
        ),
        "Failed": {"Type": "Fail", "Error": "{% $failure.Error %}", "Cause": "plain"},
    },
}


@pytest.mark.parametrize("definition", [POLLER, SAGA, SPREAD, APPROVAL])
def test_a_machine_as_people_write_it_is_taken(definition: dict[str, Any]) -> None:
    assert found(definition) == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=3)
    | st.sampled_from(["$.a", "S", "{% a %}", *ALL]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Type",
                    "Choices",
                    "Catch",
                    "Retry",
                    "Branches",
                    "ItemProcessor",
                    "States",
                    "StartAt",
                    "Next",
                    "ErrorEquals",
                    "And",
                    "Not",
                    "Variable",
                    "Assign",
                    "Output",
                    "ItemReader",
                    "ReaderConfig",
                    "QueryLanguage",
                    "Credentials",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(SHORTEST)),
    more=st.dictionaries(st.sampled_from(["Choices", "Catch", "Branches", "Next"]), JSON),
    top=JSON,
)
def test_whatever_is_given_is_answered(kind: str, more: dict[str, Any], top: Any) -> None:
    for definition in (machine({**SHORTEST[kind], **more}), {"StartAt": top, "States": {"S": top}}, top):
        assert all(one.code for one in check(json.dumps(definition)))
