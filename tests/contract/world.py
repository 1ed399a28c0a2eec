"""What the contract tests do with a cloud: roles with policies, functions, machines, models, waiting."""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from sagemaker_local.server import ACCOUNT, REGION
from tests.sagemaker_local.support.jobs import tar_gz

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

PATIENCE = 30.0
"""Seconds that anything here may take at most."""
# Requests go out unchecked, so that the service's own answer is seen, once, and to the address that is given.
_CONFIG = Config(
    retries={"max_attempts": 0},
    s3={"addressing_style": "path"},
    parameter_validation=False,
    inject_host_prefix=False,
)


def image(name: str) -> str:
    """Return the URI of an image of the test's containers folder."""
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}:latest"


def arn(resource: str) -> str:
    """Return the ARN of a SageMaker resource."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{resource}"


def allow(*actions: str, resource: str | list[str] = "*") -> dict[str, Any]:
    """Return a statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def name(kind: str) -> str:
    """Return a name that nothing has."""
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def code(error: "ClientError") -> str:
    """Return an error's code."""
    return str(error.response["Error"]["Code"])


def until[T](found: Callable[[], T | None]) -> T:
    """Return what `found` returns, as soon as it is neither None nor false; fail the test if it takes too long."""
    end = time.monotonic() + PATIENCE
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.1)


@dataclass(frozen=True)
class World:
    """A cloud at an address, as who knows its owner's secret sees it."""

    url: str
    secret: str

    def client(self, service: str, keys: tuple[str, str, str | None] | None = None, region: str = REGION) -> Any:
        """Return a client, of the owner or of the holder of `keys`."""
        key, secret, token = keys or (ACCOUNT, self.secret, None)
        return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
            service,
            endpoint_url=self.url,
            region_name=region,
            config=_CONFIG,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    def role(self, *statements: Mapping[str, Any], service: str = "sagemaker.amazonaws.com") -> str:
        """Make a role that a service may assume, and return its ARN."""
        iam, role = self.client("iam"), name("role")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        owner = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust, owner]})
        made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=policy)
        return str(made)

    def as_role(self, role: str, service: str) -> Any:
        """Return a client that acts as a role."""
        keys = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return self.client(service, (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]))

    def function(self, source: str) -> str:
        """Make a function of a module's source with a `handler`, and return its ARN."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", source)
        made = self.client("lambda").create_function(
            FunctionName=name("function"),
            Runtime="python3.13",
            Handler="app.handler",
            Role=self.role(allow("*"), service="lambda.amazonaws.com"),
            Code={"ZipFile": packed.getvalue()},
        )
        return str(made["FunctionArn"])

    def run_machine(self, definition: Mapping[str, Any], *statements: Mapping[str, Any]) -> dict[str, Any]:
        """Run a machine under a role with these statements to its end, and return the execution's description."""
        states = self.client("stepfunctions")
        role = self.role(*statements, service="states.amazonaws.com")
        machine = states.create_state_machine(name=name("machine"), definition=json.dumps(definition), roleArn=role)
        started = states.start_execution(stateMachineArn=machine["stateMachineArn"], input="{}")["executionArn"]

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=started)
            return found if found["status"] != "RUNNING" else None

        return until(ended)

    def bucket(self, files: Mapping[str, bytes] | None = None) -> str:
        """Make a bucket with some objects."""
        s3, bucket = self.client("s3"), name("bucket")
        s3.create_bucket(Bucket=bucket)
        for key, body in (files or {}).items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        return bucket

    def model(self, repository: str = "echo", *rights: str) -> str:
        """Make a model of one of the test's images, with data and a role that may read them and do `rights`."""
        bucket, model = self.bucket({"model.tar.gz": tar_gz({"model": "1"})}), name("model")
        container = {"Image": image(repository), "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
        self.client("sagemaker").create_model(
            ModelName=model, PrimaryContainer=container, ExecutionRoleArn=self.role(allow("s3:*", *rights))
        )
        return model

    def config(self, repository: str = "echo", *rights: str) -> str:
        """Make an endpoint configuration of one variant, whose role may do `rights` too."""
        config = name("config")
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": self.model(repository, *rights),
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.client("sagemaker").create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
        return config

    def endpoint(self, config: str) -> str:
        """Make an endpoint, wait until it is in service or failed, and return its name."""
        endpoint = name("endpoint")
        self.client("sagemaker").create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        self.settled(endpoint)
        return endpoint

    def settled(self, endpoint: str) -> dict[str, Any]:
        """Wait until an endpoint is in service or failed, and describe it."""

        def found() -> dict[str, Any] | None:
            answer: dict[str, Any] = self.client("sagemaker").describe_endpoint(EndpointName=endpoint)
            return answer if answer["EndpointStatus"] in ("InService", "Failed") else None

        return until(found)
