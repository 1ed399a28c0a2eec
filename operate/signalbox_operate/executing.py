"""Start a pipeline by hand, with other values for its parameters."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox_operate import runs
from signalbox_operate.stack import OperateError, Stack


def find(asked: str, stack: Stack, sagemaker: Any) -> str:
    """Return the SageMaker name of a pipeline: it is given whole, or without the stack's prefix.

    Raises:
        OperateError: there is none.
    """
    known, prefix = runs.pipelines(stack, sagemaker), stack.output("Prefix")
    # A pipeline of a project is named after both, and people write them with a slash.
    wanted = (asked, f"{prefix}-{asked}", f"{prefix}-{asked.replace('/', '--')}")
    found = next((name for name in wanted if name in known), None)
    if found is None:
        listed = f"the pipelines are {', '.join(known)}" if known else "nothing is deployed there yet"
        raise OperateError(f"there is no pipeline {asked!r}: {listed}")
    return found


def start(pipeline: str, values: Mapping[str, str], name: str | None, sagemaker: Any) -> str:
    """Start a pipeline and return the execution's ARN.

    The token makes the repetitions of a lost call one execution; a second command is a second run.

    Raises:
        OperateError: the pipeline has no such parameter, wants one that is not given, or SageMaker refuses the values.
    """
    _check(pipeline, values, sagemaker)
    request: dict[str, Any] = {
        "PipelineName": pipeline,
        "ClientRequestToken": uuid.uuid4().hex,
        "PipelineParameters": [{"Name": name, "Value": value} for name, value in values.items()],
    }
    if name is not None:
        if names.display(name) != name:
            raise OperateError(
                f"{name!r} is no name of a run: up to {names.DISPLAY_LIMIT} letters, digits and single hyphens"
            )
        request["PipelineExecutionDisplayName"] = name
    try:
        return str(sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ValidationException", "ResourceLimitExceeded"}:
            raise
        raise OperateError(f"nothing was started: {error.response['Error']['Message']}") from error


def _check(pipeline: str, values: Mapping[str, str], sagemaker: Any) -> None:
    known = _parameters(pipeline, sagemaker)
    unknown = sorted(values.keys() - known.keys())
    if unknown:
        listed = ", ".join(f"{name} ({_default(one)})" for name, one in sorted(known.items()))
        raise OperateError(
            f"nothing was started: {pipeline} has no parameter {', '.join(unknown)}; "
            + (f"its parameters are {listed}" if known else "it has none")
        )
    missing = sorted(name for name, one in known.items() if "DefaultValue" not in one and name not in values)
    if missing:
        raise OperateError(
            f"nothing was started: {pipeline} has no default for {', '.join(missing)}: give -p {missing[0]}=VALUE"
        )


def _parameters(pipeline: str, sagemaker: Any) -> dict[str, Mapping[str, Any]]:
    definition = json.loads(sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"])
    return {one["Name"]: one for one in definition.get("Parameters", [])}


def _default(parameter: Mapping[str, Any]) -> str:
    return repr(parameter["DefaultValue"]) if "DefaultValue" in parameter else "no default"
