"""Steps and references of definitions: the sentences that refuse the wrong ones."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.sagemaker_local.support.pipeline_steps import (
    FILE,
    MSE,
    compare,
    condition,
    fail,
    get,
    invoke,
    model,
    processing,
    read,
    refusal,
    register,
    training,
    transform,
    with_argument,
)

from sagemaker_local.pipelines.definition import REFUSED_STEP_TYPES

NESTED = condition("inner", [compare("Equals", 1, 1)])
BAD_STEPS: list[tuple[Any, str]] = [
    (3, "Step None: Name must match"),
    ({"Type": "Fail"}, "Step None: Name must match"),
    (fail("a b"), "Step 'a b': Name must match"),
    ({**fail("a"), "Type": "Tuning"}, "Step 'a': steps of type Tuning are not emulated here."),
    ({**fail("a"), "Type": "Magic"}, "Step 'a': Type 'Magic' is unknown."),
    (fail("a", DependOn=["b"]), "Step 'a': 'DependOn' is not a member of a step."),
    ({"Name": "a", "Type": "Fail"}, "Step 'a': Arguments must be an object."),
    (fail("a", DependsOn="b"), "Step 'a': DependsOn must be a list."),
    (fail("a", DependsOn=[3]), "Step 'a': DependsOn must hold names of steps, not 3."),
    (fail("a", DependsOn=[{"Step": "b", "Trigger": "Failed"}]), "Step 'a': DependsOn with the trigger 'Failed' is not"),
    (fail("a", DependsOn=["b"]), "Step 'a': it depends on step 'b', which does not exist."),
    (fail("a", DependsOn=["a"]), "the steps depend on each other in a circle: a -> a."),
    (condition("c", [compare("Equals", 1, 1)], [NESTED]), "Step 'inner': a Condition step cannot lie inside"),
    ({**condition("c", [compare("Equals", 1, 1)]), "Arguments": {"IfSteps": 3}}, "a branch must be a list."),
    (with_argument(condition("c", [compare("Equals", 1, 1)]), "Else", []), "Step 'c': 'Else' is not a member of the"),
    # What a step is made of.
    (with_argument(fail("a"), "Message", "x"), "Step 'a': the Arguments of a Fail step must be an ErrorMessage"),
    (fail("a", 3), "Step 'a': the Arguments of a Fail step must be an ErrorMessage"),
    (fail("a", FunctionArn="x"), "Step 'a': FunctionArn belongs to Lambda steps only."),
    ({"Name": "a", "Type": "Lambda"}, "Step 'a': FunctionArn is missing."),
    (invoke("a", {"x": [1]}), "Step 'a': argument 'x' must be a string, a number or a boolean."),
    (invoke("a", outputs=[("x", "List")]), "Step 'a': OutputParameters must be a list of OutputName and OutputType"),
    ({**invoke("a"), "OutputParameters": {"x": 1}}, "Step 'a': OutputParameters must be a list of OutputName"),
    (invoke("a", outputs=[("x", "Float"), ("x", "Float")]), "Step 'a': OutputParameters has one OutputName twice."),
    (invoke("a", outputs=[(f"x{n}", "Float") for n in range(51)]), "Step 'a': OutputParameters has more than 50"),
    (training("a", PropertyFiles=[FILE]), "Step 'a': only Processing steps have PropertyFiles."),
    (processing("a", PropertyFiles=[{**FILE, "OutputName": "in"}]), "Step 'a': property file 'Report': there is no"),
    (
        processing("a", PropertyFiles=[{"OutputName": "out"}]),
        "Step 'a': a property file must have FilePath, OutputName",
    ),
    (with_argument(processing("a", PropertyFiles=[FILE]), "ProcessingOutputConfig", None), "Step 'a': property file"),
    (
        with_argument(processing("a", PropertyFiles=[FILE]), "ProcessingOutputConfig", {"Outputs": 3}),
        "Step 'a': property file 'Report': there is no output 'out'",
    ),
    (processing("a", PropertyFiles={"Report": FILE}), "Step 'a': PropertyFiles must be a list."),
    ({**fail("a"), "Type": ["Fail"]}, "Step 'a': Type must be a string, not ['Fail']."),
    (fail("a", DisplayName=3), "Step 'a': DisplayName must be a string of at most 256 characters."),
    (fail("a", Description="x" * 3073), "Step 'a': Description must be a string of at most 3072 characters."),
    # Caching and retries.
    (model("a", CacheConfig={"Enabled": True}), "Step 'a': steps of type Model cannot be cached."),
    (processing("a", CacheConfig=True), "Step 'a': CacheConfig must be an object with Enabled, true or false."),
    (processing("a", CacheConfig={"Enabled": True, "Expires": "P1D"}), "Step 'a': CacheConfig: 'Expires' is not a"),
    (processing("a", CacheConfig={"Enabled": True, "ExpireAfter": "1d"}), "Step 'a': CacheConfig: ExpireAfter '1d' is"),
    (fail("a", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}]), "Step 'a': steps of type Fail take no"),
    (training("a", RetryPolicies={"MaxAttempts": 1}), "Step 'a': RetryPolicies must be a list of objects."),
    (training("a", RetryPolicies=[{"ExceptionType": ["Any"]}]), "Step 'a': RetryPolicies: ExceptionType 'Any' is"),
    (training("a", RetryPolicies=[{"MaxAttempts": 1}]), "Step 'a': RetryPolicies: ExceptionType is missing."),
    (
        training("a", RetryPolicies=[{"ExceptionType": "Step.THROTTLING", "MaxAttempts": 1, "ExpireAfterMin": 1}]),
        "Step 'a': RetryPolicies: MaxAttempts and ExpireAfterMin exclude each other.",
    ),
    (
        training("a", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}]),
        "Step 'a': RetryPolicies: MaxAttempts must be a number from 1 to 20, not 21.",
    ),
    (
        training("a", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "Attempts": 2}]),
        "Step 'a': RetryPolicies: 'Attempts' is not a member.",
    ),
    # Arguments against the request.
    (with_argument(processing("a"), "RoleArn", None), "Step 'a': Arguments.RoleArn: is missing."),
    (with_argument(processing("a"), "Role", "x"), "Step 'a': Arguments.Role: is not a member of CreateProcessingJob"),
    (with_argument(processing("a"), "ProcessingJobName", "x"), "Step 'a': ProcessingJobName is made by the service"),
    (with_argument(training("a"), "HyperParameters", {"eta": 3}), "Step 'a': Arguments.HyperParameters.eta: a string"),
    (with_argument(training("a"), "InputDataConfig", "x"), "Step 'a': Arguments.InputDataConfig: a list is expected"),
    (with_argument(register("a"), "ModelApprovalStatus", "Yes"), "Step 'a': Value 'Yes' at 'Arguments.ModelApproval"),
    # References.
    (fail("a", get("Parameters.No")), "Step 'a': 'Parameters.No': there is no parameter 'No'."),
    (fail("a", get("Execution.No")), "Step 'a': 'Execution.No': the execution has no 'No'."),
    (fail("a", get("Steps.b.ModelName")), "Step 'a': it depends on step 'b', which does not exist."),
    (fail("a", get("Steps.b")), "Step 'a': 'Steps.b' is not a reference to"),
    (fail("a", get("x[")), "Step 'a': 'x[' is not a path."),
    (fail("a", {"Get": 3}), "Step 'a': Get must carry a string, not 3."),
    (fail("a", {"Std:Join": {"Values": "x"}}), "Step 'a': Std:Join must be an object of On (a string) and Values"),
    (fail("a", {"Std:Join": ["x"]}), "Step 'a': Std:Join must be an object of On (a string) and Values"),
    (fail("a", {"Std:JsonGet": {"Path": "x"}}), "Step 'a': Std:JsonGet must be an object of PropertyFile or S3Uri"),
    (fail("a", {"Std:JsonGet": {"S3Uri": "x", "Path": 3}}), "Step 'a': the Path of Std:JsonGet must be a string"),
    (fail("a", {"Std:JsonGet": {"S3Uri": "x", "Path": "a..b"}}), "Step 'a': 'a..b' is not a path."),
    (
        fail("a", {"Std:JsonGet": {"PropertyFile": "Steps.b.ModelName", "Path": "x"}}),
        "Step 'a': 'Steps.b.ModelName' is not a property file",
    ),
    (fail("a", get("Steps.b.PropertyFiles.R")), "Step 'a': 'Steps.b.PropertyFiles.R' is a property file, which only"),
]


@pytest.mark.parametrize(("step", "sentence"), BAD_STEPS, ids=[sentence[:60] for _, sentence in BAD_STEPS])
def test_a_wrong_step_is_refused_by_name(step: Any, sentence: str) -> None:
    assert refusal(step).startswith(sentence)


TARGETS: list[tuple[Any, str, str | None]] = [
    (processing("t"), "Steps.t.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri", None),
    (processing("t"), "Steps.t.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri", None),
    (processing("t"), "Steps.t.Environment['stage']", None),
    (processing("t"), "Steps.t.ProcessingOutputs['out']", "DescribeProcessingJobResponse has no 'ProcessingOutputs'"),
    (processing("t"), "Steps.t.ProcessingJobName.X", "ProcessingJobName has no 'X'"),
    (training("t"), "Steps.t.ModelArtifacts.S3Uri", "ModelArtifacts has no 'S3Uri'"),
    (transform("t", "m"), "Steps.t.TransformOutput.S3OutputPath", None),
    (register("t"), "Steps.t.ModelPackageArn", None),
    (model("t"), "Steps.t.ModelName", None),
    (invoke("t", outputs=[("rows", "Integer")]), "Steps.t.OutputParameters['rows']", None),
    (invoke("t", outputs=[("rows", "Integer")]), "Steps.t.OutputParameters['cols']", "has no such output parameter"),
    (invoke("t", outputs=[("rows", "Integer")]), "Steps.t.Rows", "has no such output parameter"),
    (fail("t"), "Steps.t.ErrorMessage", "a Fail step has no such property"),
    (condition("t", [compare("Equals", 1, 1)]), "Steps.t.Outcome", None),
    (condition("t", [compare("Equals", 1, 1)]), "Steps.t.Result", "a Condition step has no such property"),
]


@pytest.mark.parametrize(("target", "path", "problem"), TARGETS)
def test_a_reference_must_lead_to_something_that_its_step_answers(target: Any, path: str, problem: str | None) -> None:
    user = fail("user", {"Std:Join": {"Values": [get(path)]}})

    if problem is None:
        assert "t" in read(target, user).steps["user"].dependencies
    else:
        assert problem in refusal(target, user)


@pytest.mark.parametrize("files", [None, {"Report": FILE}, [3], [{**FILE, "PropertyFileName": "Other"}]])
def test_a_property_file_must_be_declared_by_its_step(files: Any) -> None:
    evaluate = processing("evaluate", PropertyFiles=files)

    assert "step 'evaluate' has no property file 'Report'" in refusal(evaluate, fail("a", MSE))


TYPES: list[tuple[str, Any, str | None]] = [
    ("Integer", lambda v: with_argument(transform("a", "m"), "MaxPayloadInMB", v), None),
    ("String", lambda v: with_argument(transform("a", "m"), "MaxPayloadInMB", v), "[Parameters.P] to argument of type"),
    ("Float", lambda v: with_argument(transform("a", "m"), "MaxPayloadInMB", v), "[Parameters.P] to argument of type"),
    ("String", lambda v: training("a", rate=v), None),
    ("Float", lambda v: training("a", rate=v), "Cannot assign property reference [Parameters.P] to argument of type"),
    ("Boolean", lambda v: with_argument(training("a"), "EnableNetworkIsolation", v), None),
    ("String", lambda v: with_argument(training("a"), "EnableNetworkIsolation", v), "[Parameters.P] to argument"),
]


@pytest.mark.parametrize(("kind", "make", "problem"), TYPES)
def test_a_parameter_must_be_of_the_type_of_its_argument(
    kind: str, make: Callable[[Any], Any], problem: str | None
) -> None:
    declared = [{"Name": "P", "Type": kind}]

    if problem is None:
        assert read(make(get("Parameters.P")), parameters=declared)
    else:
        assert problem in refusal(make(get("Parameters.P")), parameters=declared)


def test_joined_text_and_facts_of_the_execution_are_no_numbers() -> None:
    joined = with_argument(transform("a", "m"), "MaxPayloadInMB", {"Std:Join": {"Values": ["6"]}})
    fact = with_argument(transform("b", "m"), "MaxPayloadInMB", get("Execution.PipelineName"))

    problem = refusal(joined, fact)

    assert "Step 'a': Arguments.MaxPayloadInMB: Cannot assign Std:Join to argument" in problem
    assert "Step 'b': Arguments.MaxPayloadInMB: Cannot assign property reference [Execution.PipelineName]" in problem


def test_a_value_read_from_json_may_stand_for_anything() -> None:
    value = {"Std:JsonGet": {"S3Uri": "s3://b/k.json", "Path": "size"}}

    assert read(with_argument(transform("a", "m"), "MaxPayloadInMB", value))


CONDITIONS: list[tuple[Any, str]] = [
    ([], "Conditions must be a list of at least one condition"),
    (None, "Conditions must be a list of at least one condition"),
    ([3], "a condition must be an object whose Type is one of Equals"),
    ([{"Type": "Near"}], "not 'Near'"),
    ([{"Type": "Equals", "LeftValue": 1}], "condition Equals must have LeftValue and RightValue, not LeftValue"),
    ([compare("Equals", None, 1)], "condition Equals compares strings, numbers and booleans, not None"),
    ([{"Type": "In", "QueryValue": 1, "Values": 1}], "condition In must have a list of Values"),
    ([{"Type": "In", "QueryValue": 1, "Values": [[]]}], "condition In compares strings, numbers and booleans, not []"),
    ([{"Type": "Not", "Condition": 3}], "a condition must be an object"),
    ([{"Type": "Or", "Conditions": []}], "Conditions must be a list of at least one condition"),
]


@pytest.mark.parametrize(("conditions", "problem"), CONDITIONS)
def test_a_wrong_condition_is_refused(conditions: Any, problem: str) -> None:
    assert problem in refusal(condition("check", conditions))


@pytest.mark.parametrize("kind", sorted(REFUSED_STEP_TYPES))
def test_a_step_of_a_type_that_is_not_emulated_is_refused_by_name_whatever_it_skips(kind: str) -> None:
    step = {**fail("a"), "Type": kind, "SkipCheck": True}
    assert f"Step 'a': steps of type {kind} are not emulated here." in refusal(step)
