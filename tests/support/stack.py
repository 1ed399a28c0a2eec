"""A deployed stack, as CloudFormation describes it, for tests of the command line."""

from typing import Any

from tests.support.botocore_strict import RecordingClient, client_error

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:signalbox-mlops"
OUTPUTS = {
    "StagesParameter": "/signalbox/stages",
    "Prefix": "signalbox",
    "DataBucket": "signalbox-data",
    "ArtifactsBucket": "signalbox-artifacts",
    "ReleasesTable": "releases",
    "ReviewsTable": "reviews",
    "PipelineRoleArn": "arn:aws:iam::123456789012:role/signalbox-PipelineRole",
    "JobRoleArn": "arn:aws:iam::123456789012:role/signalbox-JobRole",
    "KeyArn": "arn:aws:kms:us-east-1:123456789012:key/stack",
    "MlopsMachineArn": MACHINE,
    "ReleaseMachineArn": MACHINE.replace("mlops", "release"),
    "UploadsTable": "signalbox-uploads",
    "RunsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/signalbox-runs.fifo",
    "PushesTable": "signalbox-pushes",
    "InvokeUrl": "https://abc123.execute-api.us-east-1.amazonaws.com/stages/{stage}/invocations",
    "ReviewUrl": "http://127.0.0.1:4566/public",
}


class CloudFormation(RecordingClient):
    """CloudFormation with one stack, `signalbox`."""

    def __init__(
        self,
        status: str = "CREATE_COMPLETE",
        outputs: dict[str, str] = OUTPUTS,
        parameters: dict[str, str] | None = None,
    ) -> None:
        super().__init__("cloudformation")
        self.status = status
        self.parameters = parameters or {}
        self.outputs = outputs

    def _describe_stacks(self, **request: Any) -> dict[str, Any]:
        if request["StackName"] != "signalbox":
            raise client_error("ValidationError", f"Stack with id {request['StackName']} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        stack = {"StackName": "signalbox", "StackStatus": self.status, "CreationTime": 0}
        return {"Stacks": [{**stack, "Outputs": outputs, "Parameters": parameters}]}
