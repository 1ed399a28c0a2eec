"""`sam build` and `sam deploy`, as a person would run them, against the local cloud."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from sagemaker_local.process import LocalCloud
from signalbox_local.project import ROOT, program_environment

STACK = "signalbox"  # as samconfig.toml has it
BUCKET = "signalbox-deployments"
WHEELS = ROOT / ".cache" / "wheels"
APPROVER = "ann@example.com"


class SamError(Exception):
    """`sam` failed; the message carries what it printed."""

    def __init__(self, command: str, output: str) -> None:
        super().__init__(f"{command} failed:\n{output[-4000:]}")


def parameters(cloud: LocalCloud, **more: object) -> dict[str, str]:
    """Return the parameters that the stack gets here: short waits, and the address people reach the API under."""
    chosen: dict[str, object] = {
        "Sender": "signalbox@example.com",
        "Approvers": APPROVER,
        "PublicUrl": cloud.public_url,
        "PollSeconds": 1,
    }
    return {name: str(value) for name, value in {**chosen, **more}.items()}


def build(cloud_environment: Mapping[str, str], root: Path = ROOT) -> None:
    """Run `sam build` in a folder; the layer is installed from the wheels that were fetched, where they were.

    Raises:
        SamError: it failed.
    """
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS.as_uri()} if WHEELS.is_dir() else {}
    _sam(["build"], {**cloud_environment, **offline}, root)


def deploy(cloud: LocalCloud, values: Mapping[str, str], root: Path = ROOT, stack: str | None = None) -> dict[str, str]:
    """Run `sam deploy` in a folder that was built, and return the stack's outputs; it is `STACK` unless one is named.

    Raises:
        SamError: it failed.
    """
    s3: Any = client(cloud, "s3")
    s3.create_bucket(Bucket=BUCKET)
    overrides = [f"{name}={value}" for name, value in values.items()]
    words = ["deploy", "--config-env", "local", "--s3-bucket", BUCKET, "--parameter-overrides", *overrides]
    _sam([*words, *(("--stack-name", stack) if stack else ())], cloud.environment, root)
    return outputs(cloud, stack or STACK)


def outputs(cloud: LocalCloud, stack: str = STACK) -> dict[str, str]:
    """Return a stack's outputs."""
    found: Any = client(cloud, "cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def client(cloud: LocalCloud, service: str) -> Any:
    """Return a boto3 client of the cloud's owner."""
    keys = cloud.environment
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
        service,
        endpoint_url=cloud.url,
        region_name=keys["AWS_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )


def _sam(words: list[str], environment: Mapping[str, str], root: Path = ROOT) -> None:
    quiet = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_NEWER_VERSION": "0"}
    done = subprocess.run(
        ["sam", *words],  # found in this environment first: see program_environment
        cwd=root,
        env=program_environment({**environment, **quiet}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SamError(f"sam {words[0]}", done.stdout + done.stderr)
