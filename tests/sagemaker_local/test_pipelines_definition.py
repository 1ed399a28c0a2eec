"""Definitions: what is accepted, and the sentence that refuses the rest."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from tests.sagemaker_local.support.pipeline_steps import (
    FILE,
    MSE,
    compare,
    condition,
    document,
    fail,
    get,
    invoke,
    processing,
    read,
    refusal,
    register,
    training,
    with_argument,
)

from sagemaker_local.core.errors import ApiError
from sagemaker_local.pipelines.definition import parse
from sagemaker_local.pipelines.model import Branch


def test_dependencies_are_those_written_those_referred_to_and_the_condition_of_a_branch() -> None:
    check = condition("check", [compare("Equals", MSE, 1)], [register("good")], [fail("bad")])
    definition = read(
        processing("prepare"),
        training("train", get("Steps.prepare.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")),
        processing("evaluate", PropertyFiles=[FILE], DependsOn=["train", {"Step": "prepare"}]),
        {**check, "DependsOn": None},
    )

    assert {name: set(step.dependencies) for name, step in definition.steps.items()} == {
        "prepare": set(),
        "train": {"prepare"},
        "evaluate": {"train", "prepare"},
        "check": {"evaluate"},
        "good": {"check"},
        "bad": {"check"},
    }
    assert definition.steps["bad"].branch == Branch("check", False)


def test_members_that_newer_tools_write_are_accepted() -> None:
    experiment = {"ExperimentName": get("Execution.PipelineName"), "TrialName": get("Parameters.Trial")}
    definition = read(
        invoke("a", DisplayName="A", Description="first", RetryPolicies=None, CacheConfig=None),
        parameters=[{"Name": "Trial", "Type": "String", "DefaultValue": "t", "EnumValues": ["t", "u"]}],
        Metadata={},
        MlflowConfig=None,
        PipelineExperimentConfig=experiment,
    )

    assert definition.experiment == experiment
    assert definition.parameters["Trial"].choices == ("t", "u")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "It is not JSON: "),
        ("[]", "It must be a JSON object."),
        ('{"Steps": [], "steps": []}', "'steps' is not a member of a definition."),
        ('{"Version": "2019-01-01", "Steps": []}', "Version must be 2020-12-01, not '2019-01-01'."),
        ('{"Steps": []}', "Steps must be a list of at least one step."),
        ("{}", "Steps must be a list of at least one step."),
        ('{"Parameters": {"a": 1}, "Steps": []}', "Parameters must be a list."),
        (" " * 1_048_577, "It is larger than 1048576 bytes."),
    ],
)
def test_a_text_that_is_no_definition_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse(text)

    assert caught.value.message.removeprefix("Unable to parse pipeline definition. ").startswith(sentence)


@pytest.mark.parametrize(
    ("declaration", "sentence"),
    [
        ("x", "Parameter 'x': must be an object."),
        ({"Type": "String"}, r"Parameter 'None': Name must match [A-Za-z0-9\-_]{1,256}."),
        ({"Name": "a b", "Type": "String"}, r"Parameter 'a b': Name must match [A-Za-z0-9\-_]{1,256}."),
        ({"Name": "p", "Type": "Text"}, "Parameter 'p': Type must be String, Integer, Float or Boolean, not 'Text'."),
        ({"Name": "p", "Type": "String", "Default": 1}, "Parameter 'p': 'Default' is not a member of a parameter."),
        ({"Name": "p", "Type": "String", "EnumValues": []}, "Parameter 'p': EnumValues must be a list of at least one"),
        ({"Name": "p", "Type": "Integer", "DefaultValue": "1"}, "Parameter 'p': '1' is not of type Integer."),
        ({"Name": "p", "Type": "Integer", "DefaultValue": True}, "Parameter 'p': True is not of type Integer."),
        ({"Name": "p", "Type": "Boolean", "DefaultValue": 1}, "Parameter 'p': 1 is not of type Boolean."),
        ({"Name": "p", "Type": "String", "DefaultValue": "x" * 1025}, "Parameter 'p': DefaultValue is longer than"),
        (
            {"Name": "p", "Type": "String", "DefaultValue": "z", "EnumValues": ["x", "y"]},
            "Parameter 'p': DefaultValue 'z' is not one of EnumValues.",
        ),
    ],
)
def test_a_parameter_that_is_declared_wrongly_is_refused(declaration: Any, sentence: str) -> None:
    assert refusal(invoke("a"), parameters=[declaration]).startswith(sentence)


def test_a_parameter_declared_twice_is_refused() -> None:
    twice = [{"Name": "p", "Type": "String"}] * 2

    assert refusal(invoke("a"), parameters=twice) == "Parameter 'p' is declared twice."


def test_more_parameters_than_the_quota_are_refused() -> None:
    many = [{"Name": f"p{number}", "Type": "String"} for number in range(201)]

    assert refusal(invoke("a"), parameters=many) == "It has more than 200 parameters."


def test_more_steps_than_the_quota_are_refused_and_steps_of_branches_count() -> None:
    inner = [invoke(f"s{number}") for number in range(50)]

    assert refusal(condition("c", [compare("Equals", 1, 1)], inner)) == "It has 51 steps, more than 50."


def test_a_name_that_is_used_twice_is_refused_wherever_the_steps_lie() -> None:
    check = condition("check", [compare("Equals", 1, 1)], [fail("a")])

    assert refusal(invoke("a"), check) == "Step 'a': the name is used twice."


def test_steps_that_wait_for_each_other_are_refused() -> None:
    a = training("a", get("Steps.b.ModelArtifacts.S3ModelArtifacts"))

    assert refusal(a, training("b", DependsOn=["c"]), invoke("c", DependsOn=["a"])).startswith(
        "the steps depend on each other in a circle: "
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (get("Steps.a.OutputParameters['x']"), "'Steps.a.OutputParameters['x']' is the property of a step"),
        (get("Parameters.No"), "there is no parameter 'No'"),
        (get("No"), "'No' is not a reference"),
    ],
)
def test_a_wrong_experiment_is_refused(value: Any, problem: str) -> None:
    config = {"ExperimentName": value}

    assert problem in refusal(invoke("a", outputs=[("x", "String")]), PipelineExperimentConfig=config)


def test_all_problems_of_all_steps_are_told_at_once() -> None:
    problem = refusal(with_argument(processing("a"), "RoleArn", None), fail("b", get("Parameters.No")))

    assert "Step 'a': Arguments.RoleArn: is missing; Step 'b': " in problem


WHOLE = document(
    processing("evaluate", inputs=[get("Parameters.Uri")], PropertyFiles=[FILE], CacheConfig={"Enabled": True}),
    training("train", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}], DependsOn=["evaluate"]),
    invoke("count", {"a": 1}, [("rows", "Integer")], DisplayName="Count"),
    condition(
        "check",
        [
            compare("LessThan", MSE, get("Steps.count.OutputParameters['rows']")),
            {"Type": "Not", "Condition": {"Type": "In", "QueryValue": 1, "Values": [2]}},
            {"Type": "Or", "Conditions": [compare("Equals", 1, 1)]},
        ],
        [register("register", data=get("Steps.train.ModelArtifacts.S3ModelArtifacts"))],
        [fail("fail", {"Std:Join": {"On": " ", "Values": ["over", MSE]}})],
    ),
    parameters=[{"Name": "Uri", "Type": "String", "DefaultValue": "s3://b/k", "EnumValues": ["s3://b/k"]}],
    PipelineExperimentConfig={"ExperimentName": get("Execution.PipelineName")},
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) inside a value."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [(value, key) for key, _ in items] + [place for _, item in items for place in places(item)]


PLAIN: some.SearchStrategy[Any] = some.none() | some.booleans() | some.integers(-1, 3) | some.text(max_size=3)
KEYS = some.sampled_from(["Get", "Name", "Step", "Type"])
ODD = PLAIN | some.lists(PLAIN, max_size=2) | some.dictionaries(KEYS, PLAIN, max_size=2)


@settings(max_examples=50)
@given(number=some.integers(0, len(places(WHOLE)) - 1), odd=ODD)
@example(number=0, odd="2020-12-01")
def test_whatever_stands_anywhere_in_a_definition_it_is_read_or_refused(number: int, odd: Any) -> None:
    changed = json.loads(json.dumps(WHOLE))
    container, key = places(changed)[number]
    container[key] = odd
    try:
        definition = parse(json.dumps(changed))
    except ApiError as error:
        assert error.code == "ValidationException"  # noqa: PT017  # both ends are allowed
    else:
        assert definition.steps
