"""A template with Model, EndpointConfig and Endpoint: made, updated with replacement, deleted; nothing is left."""

import io
import os
import tarfile
from pathlib import Path

import boto3

BODY = (Path(__file__).parent / "hosting.yaml").read_text()
bucket = os.environ["BUCKET"]
stacks, sagemaker, runtime = (boto3.client(name) for name in ("cloudformation", "sagemaker", "sagemaker-runtime"))
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as archive:
    member = tarfile.TarInfo("slope.txt")
    member.size = 1
    archive.addfile(member, io.BytesIO(b"2"))
boto3.client("s3").put_object(Bucket=bucket, Key="hosting/model.tar.gz", Body=packed.getvalue())


def parameters(factor: str) -> list[dict[str, str]]:
    """Return the stack's parameters."""
    values = {
        "Role": os.environ["ROLE"],
        "Image": os.environ["REGISTRY"] + "/hard-coded:1",
        "Data": f"s3://{bucket}/hosting/model.tar.gz",
        "Factor": factor,
    }
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def answer() -> float:
    """Ask the stack's endpoint."""
    (stack,) = stacks.describe_stacks(StackName="hosting")["Stacks"]
    name = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}["Name"]
    return float(runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body="20")["Body"].read())


def models() -> list[str]:
    """Return the names of all models of the stack."""
    return [one["ModelName"] for one in sagemaker.list_models(NameContains="hosting")["Models"]]


stacks.create_stack(StackName="hosting", TemplateBody=BODY, Parameters=parameters("1"))
stacks.get_waiter("stack_create_complete").wait(StackName="hosting", WaiterConfig={"Delay": 1})
assert answer() == 40
before = models()
stacks.update_stack(StackName="hosting", TemplateBody=BODY, Parameters=parameters("10"))
stacks.get_waiter("stack_update_complete").wait(StackName="hosting", WaiterConfig={"Delay": 1})
assert answer() == 400
assert len(models()) == 1, models()
assert models() != before, "the model was not replaced"
stacks.delete_stack(StackName="hosting")
stacks.get_waiter("stack_delete_complete").wait(StackName="hosting", WaiterConfig={"Delay": 1})
assert not models()
assert not sagemaker.list_endpoints(NameContains="hosting")["Endpoints"]
assert not sagemaker.list_endpoint_configs(NameContains="hosting")["EndpointConfigs"]
