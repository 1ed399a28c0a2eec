"""What fields hold: paths, templates, functions, expressions and resources."""

from typing import Any

import pytest
from tests.sagemaker_local.support.asl import (
    CALL,
    FUNCTION,
    RULE,
    SCHEMA,
    choice,
    foreign,
    found,
    jsonata,
    machine,
    mapped,
    passed,
    spread,
    task,
)


@pytest.mark.parametrize(
    "path",
    [
        "$",
        "$.a",
        "$.a.b-c",
        "$['a b'].c",
        '$["a"]',
        "$.a[0]",
        "$.a[-1]",
        "$.a[0:2]",
        "$.a[*].b",
        "$..a",
        "$.*",
        "$..*",
        "$.a[?(@.b == 'x]')].c",
        "$.[?(@.a < 1)].b",
        "$.a.length()",
        "$$",
        "$$.Execution.Id",
        "$kept",
        "$kept.a[0]",
        None,
        "$.a[0,1]",
        "$['a','b']",
        "$.@type",
        "$$.Map.Item.Value",
        "States.Format('{}', $.a)",
        "$.größe",
    ],
)
def test_a_path_of_the_input_the_context_or_a_variable_is_taken(path: str | None) -> None:
    assert found(machine(passed(InputPath=path, OutputPath=path))) == []


@pytest.mark.parametrize(
    "path", ["", "a", "$.", "$..", "$.a.", "$.a b", "$[", "$[]", "$.a[", "$.a[?(@.b]", "{% $x %}", "States.Nope($)", 5]
)
def test_what_is_no_path_is_refused(path: Any) -> None:
    sentence = "Value must be a valid JSONPath or a valid intrinsic function call at /States/S/InputPath"
    assert found(machine(passed(InputPath=path))) == [f"{SCHEMA}: {sentence}"]


@pytest.mark.parametrize("path", ["$.a[*]", "$..a", "$.a[?(@.b)]", "$.a[0:2]", "$.a[0,1]", "$$.Task", "$.a.length()"])
def test_a_result_goes_to_one_node_only(path: str) -> None:
    assert found(machine(passed(ResultPath=path))) == [
        f"{SCHEMA}: Value is not a Reference Path at /States/S/ResultPath"
    ]


CALLS = [
    "States.UUID()",
    "States.Array()",
    "States.Format('It\\'s {} of {}', $.a, $$.Execution.Name)",
    "States.Array($.a[0,1], States.MathAdd(1, -2), true, null, 1.5)",
    "States.JsonMerge($.a, $b, false)",
    "States.ArrayLength($.a[?(@.b == ')')])",
    "States.StringToJson('\\{\"a\": 1\\}') ",
    "States.Hash(States.Base64Decode($.a), 'SHA-256')",
]
NO_CALLS = [
    "States.Nope($.a)",
    "States.Format('a",
    "States.Format('a', b)",
    'States.StringToJson(\'{"a": \\"b\\"}\')',
    "States.UUID",
    "States.UUID() x",
    "States.Array(1,)",
    "States.Array(,1)",
    "States.Array(1 2)",
    "States.Format($.a[",
    "States.Format(",
    "text",
    5,
    None,
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_an_intrinsic_function_is_taken(call: str) -> None:
    assert found(machine(passed(Parameters={"deep": [{"a.$": call}], "literal": "States.Nope("}))) == []


@pytest.mark.parametrize("call", NO_CALLS)
def test_a_templates_field_holds_a_path_or_a_call(call: Any) -> None:
    sentence = f"{SCHEMA}: The value for the field 'a.$' {CALL} at /States/S/"
    assert found(machine(passed(Parameters={"a.$": call}))) == [f"{sentence}Parameters"]
    assert found(machine(passed(Parameters={"deep": [{"a.$": call}]}))) == [f"{sentence}Parameters/deep[0]"]
    for field in ("Parameters", "ResultSelector", "Assign"):
        state: dict[str, Any] = {field: {"a.$": call}}
        assert found(machine(task(**state))) == [f"{sentence}{field}"]


BARE = "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported."
HYPHEN = "INVALID_VARIABLE_NAME: Invalid variable name 'a-b': the variable name contains invalid characters."


@pytest.mark.parametrize("field", ["InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector"])
def test_a_field_of_jsonpath_is_refused_in_a_state_of_jsonata(field: str) -> None:
    assert found(jsonata(task(**{field: "$.a"}))) == [f"{SCHEMA}: {foreign(field, 'JSONata')} at /States/S"]


@pytest.mark.parametrize(("field", "value"), [("Arguments", {"a": 1}), ("Output", 1)])
def test_a_field_of_jsonata_is_refused_in_a_state_of_jsonpath(field: str, value: Any) -> None:
    assert found(machine(task(**{field: value}))) == [f"{SCHEMA}: {foreign(field, 'JSONPath')} at /States/S"]
    assert found(machine(task(**{field: value, "QueryLanguage": "JSONata"}))) == []


def test_a_map_does_not_hand_its_language_on_and_a_state_keeps_to_the_machines() -> None:
    inner = {"StartAt": "In", "States": {"In": passed(Output=1)}}
    state = mapped(QueryLanguage="JSONata", Items="{% [1] %}", ItemProcessor=inner)
    assert found(machine(state)) == [f"{SCHEMA}: {foreign('Output', 'JSONPath')} at /States/S/ItemProcessor/States/In"]
    back = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/S"
    assert found(jsonata(passed(QueryLanguage="JSONPath", Output=1))) == [f"{SCHEMA}: {back}"]


@pytest.mark.parametrize(
    ("state", "finding"),
    [
        (passed(Output="{% /+/ %}"), "INVALID_JSONATA_EXPRESSION: nothing to repeat at position 0 at /States/S/Output"),
        (passed(Output="{% 1 + %}"), "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/S/Output"),
        (
            passed(Output={"v": ["{% phone %}"]}),
            f"{BARE} at /States/S/Output/v[0]",
        ),
        (
            passed(Output="{% $states.input.a"),
            f"{SCHEMA}: JSONata string must start with {{% and end with %}} at /States/S/Output",
        ),
        (task(Arguments="plain"), f"{SCHEMA}: Expected value of type [OBJECT] at /States/S/Arguments"),
        (task(TimeoutSeconds="5"), f"{SCHEMA}: Expected value of type Integer at /States/S/TimeoutSeconds"),
        (
            passed(Assign={"states": 1}),
            "RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /States/S/Assign",
        ),
        (
            passed(Assign={"a-b": 1}),
            f"{HYPHEN} at /States/S/Assign",
        ),
        (
            choice({"Condition": "yes", "Next": "Z"}),
            f"{SCHEMA}: JSONata string must start with {{% and end with %}} at /States/S/Choices[0]/Condition",
        ),
        (
            choice(RULE),
            f"{SCHEMA}: {foreign('Variable', 'JSONata')} at /States/S/Choices[0]",
        ),
    ],
)
def test_an_expression_that_is_none_is_refused(state: dict[str, Any], finding: str) -> None:
    assert found(jsonata(state)) == [finding]


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.a",
        "$map($states.input.a, function($v) { $v.b })",
        "$states.input[b = 'x'].c",
        "$states.input.(a + b)",
        "$sum($kept.a)",
        "($a := 1; $a + 1)",
        "$states.input{k: v}",
        "$merge([$a, {'x': $b}])",
        "$now() ~> $string()",
        "[1..3]",
    ],
)
def test_an_expression_that_begins_with_a_variable_is_taken(expression: str) -> None:
    assert found(jsonata(passed(Output={"v": f"{{% {expression} %}}"}))) == []


def test_what_looks_like_an_expression_is_plain_text_elsewhere() -> None:
    assert found(jsonata(passed(Comment="{% no"))) == []
    assert found(machine(passed(Result={"a": "{% 1 + %}"}))) == []


UNKNOWN = "is not recognized. The value is not a valid resource ARN, or the resource is not available in this region."


@pytest.mark.parametrize(
    "resource",
    [
        FUNCTION,
        f"{FUNCTION}:3",
        "arn:aws-cn:lambda:cn-north-1:1:function:f",
        "arn:aws:states:eu-west-1:1:activity:a",
        *(
            f"arn:aws:states:::{call}"
            for call in [
                "lambda:invoke",
                "lambda:invoke.waitForTaskToken",
                "sqs:sendMessage.waitForTaskToken",
                "sns:publish",
                "events:putEvents",
                "states:startExecution.sync:2",
                "states:startExecution.sync",
                "sagemaker:createTransformJob.sync",
                "dynamodb:getItem",
                "sagemaker:createEndpoint",
                "glue:startJobRun.sync",
                "ecs:runTask.waitForTaskToken",
                "http:invoke",
                "eks:call",
                "aws-sdk:sagemaker:describeModelPackage",
                "aws-sdk:sfn:stopExecution",
                "aws-sdk:eventbridge:putEvents",
                "aws-sdk:cloudwatchlogs:putLogEvents",
                "aws-sdk:s3:putObject",
                "aws-sdk:cognitoidentityprovider:adminGetUser",
                "aws-sdk:newservice:doSomething",
                "aws-sdk:lambda:invoke.waitForTaskToken",
                "athena:startQueryExecution.sync",
            ]
        ),
    ],
)
def test_a_resource_that_step_functions_knows_is_taken(resource: str) -> None:
    assert found(machine(task(resource))) == []


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:s3:::bucket",
        "arn:aws:states:us-east-1:1:stateMachine:m",
        "arn:aws:sqs:us-east-1:1:q",
        *(
            f"arn:aws:states:::{call}"
            for call in [
                "dynamodb:query",
                "lambda:invoke.sync",
                "sqs:sendMessage.sync",
                "lambda:listFunctions",
                "sagemaker:createTransformJob.sync:2",
                "sagemaker:createTrainingJob.waitForTaskToken",
                "nothing:doIt",
                "aws-sdk:s3:putObjects",
                "aws-sdk:sqs:sendMessage.sync",
                "lambda:invoke.waitforTaskToken",
                "lambda",
                "sns:Publish",
            ]
        ),
    ],
)
def test_a_resource_that_step_functions_does_not_know_is_refused(resource: str) -> None:
    sentence = f"The resource provided {resource} {UNKNOWN} at /States/S/Resource"
    assert found(machine(task(resource))) == [f"{SCHEMA}: {sentence}"]


@pytest.mark.parametrize("resource", ["f", "", "${FunctionArn}", 5, None])
def test_a_resource_is_an_arn(resource: Any) -> None:
    assert found(machine(task(resource))) == [f"{SCHEMA}: Value is not a valid resource ARN at /States/S/Resource"]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (task("arn:aws:states:us-east-1:1:activity:a"), "does not support Activity ARN at /States/S/Resource"),
        (
            task("arn:aws:states:::states:startExecution.sync"),
            "does not support '.sync' service integration at /States/S/Resource",
        ),
        (
            task("arn:aws:states:::sns:publish.waitForTaskToken"),
            "does not support '.waitForTaskToken' service integration  at /States/S/Resource",
        ),
    ],
)
def test_an_express_machine_waits_for_nobody(state: dict[str, Any], sentence: str) -> None:
    assert found(machine(state)) == []
    assert found(machine(state), express=True) == [f"{SCHEMA}: Express state machine {sentence}"]


def test_an_express_machine_has_no_distributed_map() -> None:
    sentence = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
    place = "/States/S/ItemProcessor/ProcessorConfig/Mode"
    assert found(machine(spread()), express=True) == [f"{SCHEMA}: {sentence} at {place}"]
