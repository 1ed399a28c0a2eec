"""The builder emits the JSON that SageMaker takes, and refuses what SageMaker would refuse."""

from collections.abc import Callable
from typing import Any

import pytest

from signalbox_operate.pipelines import (
    Parameter,
    Pipeline,
    PipelineError,
    Step,
    at_most,
    call_lambda,
    check,
    condition,
    fail,
    get,
    job,
    join,
    json_get,
    output_of,
    retry,
)

ROLE = "arn:aws:iam::123456789012:role/Jobs"
PARAMETERS = [Parameter("Data"), Parameter("Count", "Integer", 1), Parameter("Limit", "Float", 6.0)]


def processing(name: str, **changes: Any) -> Step:
    arguments: dict[str, Any] = {
        "AppSpecification": {"ImageUri": "image", "ContainerArguments": ["--data", get("Parameters.Data")]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": get("Parameters.Count"),
                "VolumeSizeInGB": 1,
            }
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {
                        "S3Uri": join("/", "s3://bucket", get("Execution.PipelineExecutionId")),
                        "LocalPath": "/opt/ml/processing/report",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "RoleArn": ROLE,
    }
    options = {"property_files": {"Report": ("report", "report.json")}} | changes.pop("options", {})
    return job("Processing", name, arguments | changes, **options)


def made(*steps: Step) -> dict[str, Any]:
    return Pipeline("pipeline", PARAMETERS, steps).definition()


def test_parameters_have_their_type_and_a_default_only_where_one_is_given() -> None:
    kinds = Parameter("Approval", default="Pending", choices=("Pending", "Approved"))
    assert [parameter.definition() for parameter in (*PARAMETERS, kinds)] == [
        {"Name": "Data", "Type": "String"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Limit", "Type": "Float", "DefaultValue": 6.0},
        {"Name": "Approval", "Type": "String", "DefaultValue": "Pending", "EnumValues": ["Pending", "Approved"]},
    ]


def test_a_step_carries_its_cache_its_retries_its_files_and_what_it_waits_for() -> None:
    policy = retry("Step.THROTTLING", interval=5, attempts=4)
    options = {"cache_for": "P30D", "retries": [policy], "depends_on": ["First"]}
    _, step = made(processing("First"), processing("Second", options=options))["Steps"]
    assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
    assert step["RetryPolicies"] == [
        {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 5, "BackoffRate": 2.0, "MaxAttempts": 4}
    ]
    assert step["PropertyFiles"] == [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]
    assert step["DependsOn"] == ["First"]


def test_a_condition_holds_the_steps_of_both_branches() -> None:
    value = json_get("Test", "Report", "mse.value")
    choice = condition(
        "Check",
        [at_most(value, get("Parameters.Limit"))],
        if_steps=[call_lambda("Tell", "arn:aws:lambda:us-east-1:123456789012:function:f", {"a": 1}, {"b": "String"})],
        else_steps=[fail("TooHigh", join(" ", "is", value))],
    )
    _, step = made(processing("Test"), choice)["Steps"]
    assert step["Arguments"]["Conditions"][0]["LeftValue"] == {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Test.PropertyFiles.Report"}, "Path": "mse.value"}
    }
    assert [inner["Type"] for inner in step["Arguments"]["IfSteps"]] == ["Lambda"]
    assert step["Arguments"]["IfSteps"][0]["OutputParameters"] == [{"OutputName": "b", "OutputType": "String"}]
    assert step["Arguments"]["ElseSteps"][0]["Arguments"]["ErrorMessage"]["Std:Join"]["On"] == " "


def test_a_reference_to_an_output_names_it() -> None:
    assert output_of("Test", "report") == {"Get": "Steps.Test.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}


WRONG: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "a name twice": (lambda: made(processing("A"), processing("A")), "step name 'A' is used twice"),
    "a name twice across branches": (
        lambda: made(condition("C", [], if_steps=[fail("F", "x")], else_steps=[fail("F", "y")])),
        "step name 'F' is used twice",
    ),
    "an illegal name": (lambda: made(processing("a b")), "step name 'a b' must be 1 to 64 letters"),
    "an unknown type": (lambda: made(Step("A", "Sleep", {})), "unknown type 'Sleep'"),
    "an unknown parameter": (lambda: made(processing("A", RoleArn=get("Parameters.Role"))), "'Parameters.Role'"),
    "an unknown execution variable": (lambda: made(processing("A", RoleArn=get("Execution.Role"))), "'Execution.Role'"),
    "an unknown root": (lambda: made(fail("A", get("Parameter.Data"))), "'Parameter.Data', which does not exist"),
    "an unknown step": (lambda: made(fail("A", get("Steps.B.Name"))), "refers to step 'B'"),
    "an unknown dependency": (lambda: made(processing("A", options={"depends_on": ["B"]})), "depends on step 'B'"),
    "an unknown property file": (
        lambda: made(processing("A"), fail("F", json_get("A", "Other", "x"))),
        "'PropertyFiles.Other' of step A",
    ),
    "an unknown output": (lambda: made(processing("A"), fail("F", output_of("A", "other"))), "output 'other'"),
    "a circle": (
        lambda: made(processing("A", options={"depends_on": ["B"]}), processing("B", options={"depends_on": ["A"]})),
        "steps wait for each other: A → B → A|steps wait for each other: B → A → B",
    ),
    "a missing argument": (lambda: made(job("Processing", "A", {"RoleArn": ROLE})), "not a legal CreateProcessingJob"),
    "an argument that the call does not know": (lambda: made(processing("A", Rolle=ROLE)), '"Rolle"'),
    "a value of the wrong type": (lambda: made(processing("A", RoleArn=7)), "Invalid type for parameter RoleArn"),
    "a job that waits for its own condition": (
        lambda: made(condition("C", [at_most(get("Steps.F.Name"), 1)], if_steps=[processing("F")])),
        "steps wait for each other",
    ),
    "a condition in a condition": (
        lambda: made(condition("C", [], if_steps=[condition("D", [], if_steps=[])])),
        "inside another condition",
    ),
    "a retry of a step that has none": (
        lambda: made(Step("F", "Fail", {"ErrorMessage": "x"}, options={"RetryPolicies": []})),
        "takes no retry policy",
    ),
    "a cache of a step that has none": (
        lambda: made(job("RegisterModel", "R", {"ModelPackageGroupName": "g"}, cache_for="P1D")),
        "cannot be cached",
    ),
    "too many steps": (lambda: made(*(fail(f"F{number}", "x") for number in range(51))), "51 steps are more than"),
    "too large": (lambda: made(fail("F", "x" * 1024 * 1024)), "make it smaller"),
}


@pytest.mark.parametrize(("build", "problem"), WRONG.values(), ids=WRONG.keys())
def test_a_definition_that_aws_would_refuse_is_refused_with_its_reason(
    build: Callable[[], dict[str, Any]], problem: str
) -> None:
    with pytest.raises(PipelineError, match=problem):
        build()


def test_a_definition_of_another_tool_is_checked_alike() -> None:
    waiting = {"Step": "First", "Trigger": "Completed"}
    first, second = fail("First", "x").definition(), fail("Second", "y").definition()
    check({"Parameters": [], "Steps": [first, {**second, "DependsOn": [waiting]}]})
    with pytest.raises(PipelineError, match="depends on step 'First'"):
        check({"Parameters": [], "Steps": [{**second, "DependsOn": [waiting]}]})
