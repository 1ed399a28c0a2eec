"""`make fidelity`: run what others wrote for SageMaker on the local cloud, and say of each case how it went.

The software development kits and toolkits are large and disagree about versions: each lives in an environment of its
own under `.cache/fidelity`, made once from its lock file. What they found is pinned by small tests elsewhere.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import boto3
from rich.console import Console
from rich.table import Table

from sagemaker_local.process import LocalCloud, Options
from tests.support import abalone

type Outcome = Literal["worked", "refused by name", "not run here", "differs"]

_HERE = Path(__file__).parent
_ENVIRONMENTS = Path(".cache/fidelity").absolute()
_CASE_SECONDS = 900
_REFUSED = re.compile(r"[^\n]*not emulated[^\n]*")
_KEPT = ("PATH", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Case:
    """A program in `cases`, and what of this machine it needs besides Python."""

    program: str
    about: str
    needs: str = ""

    @property
    def environment(self) -> str:
        """Return the name of the environment that it runs in."""
        return self.program.partition("_")[0]


CASES = (
    Case("sdk2_estimator", "SDK v2: an estimator with source_dir is fitted, deployed and asked"),
    Case("sdk2_hard_coded", "SDK v2: a container with /opt/ml, algo-1 and 8080 written down"),
    Case("sdk2_training_toolkit", "SDK v2: the sagemaker-training toolkit as train"),
    Case("sdk2_model_server", "SDK v2: multi-model-server as serve", needs="java"),
    Case("sdk2_hosting", "SDK v2: data capture, and asynchronous inference"),
    Case("sdk2_abalone", "SDK v2: the pipeline definition of its abalone example"),
    Case("sdk2_cloudformation", "CloudFormation: Model, EndpointConfig, Endpoint; update, delete"),
    Case("sdk3_model_trainer", "SDK v3: a ModelTrainer with source code"),
)


def outcome_of(status: int, output: str) -> tuple[Outcome, str]:
    """Return how a case went, and the line that says why."""
    if status == 0:
        return "worked", ""
    refused = _REFUSED.search(output)
    if refused:
        return "refused by name", refused[0].strip()
    lines = [line for line in output.splitlines() if line.strip()]
    return "differs", lines[-1].strip() if lines else f"exit status {status}"


def run(case: Case, python: Path, variables: dict[str, str], folder: Path) -> tuple[Outcome, str]:
    """Run a case to its end; what it printed is kept beside it."""
    if case.needs and not shutil.which(case.needs):
        return "not run here", f"{case.needs} is not installed"
    log = folder / f"{case.program}.log"
    with log.open("w") as output:
        try:
            done = subprocess.run(
                [python, _HERE / "cases" / f"{case.program}.py"],
                env={name: os.environ[name] for name in _KEPT if name in os.environ} | variables,
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_CASE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "differs", f"did not end within {_CASE_SECONDS} seconds"
    return outcome_of(done.returncode, log.read_text(errors="replace"))


def environment(name: str) -> Path:
    """Make an environment where it is not there yet, and return its Python."""
    place = _ENVIRONMENTS / name
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "sync", "--quiet", "--frozen", "--project", _HERE / name, "--python", sys.executable],
        env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(place)},
        check=True,
    )
    return place / "bin" / "python"


def prepare(cloud: LocalCloud, folder: Path) -> dict[str, str]:
    """Make what an account has before its first job, a bucket and a role; return the variables of the cases."""
    session = boto3.Session(
        aws_access_key_id=cloud.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud.environment["AWS_REGION"],
    )
    s3, iam = session.client("s3", endpoint_url=cloud.url), session.client("iam", endpoint_url=cloud.url)
    account = session.client("sts", endpoint_url=cloud.url).get_caller_identity()["Account"]
    bucket = f"sagemaker-{cloud.environment['AWS_REGION']}-{account}"
    s3.create_bucket(Bucket=bucket)
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    # As AmazonSageMakerFullAccess and the bucket's own statement do; nothing but this cloud is behind the stars.
    rights = {
        "Effect": "Allow",
        "Action": ["s3:*", "logs:*", "cloudwatch:*", "sagemaker:*", "ecr:*", "iam:PassRole", "ec2:*"],
        "Resource": "*",
    }
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (trust, rights)]
    role = iam.create_role(RoleName="SageMakerExecutionRole", AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName="SageMakerExecutionRole", PolicyName="rights", PolicyDocument=documents[1])
    rows, table = folder / "rows.csv", folder / "abalone.csv"
    rows.write_text("".join(f"{2 * x},{x}\n" for x in range(40)))
    table.write_text("\n".join(abalone.lines(4177)) + "\n")
    return cloud.environment | {
        "HOME": str(folder),
        "BUCKET": bucket,
        "ROLE": role,
        "REGISTRY": f"{account}.dkr.ecr.{cloud.environment['AWS_REGION']}.amazonaws.com",
        "ROWS": str(rows),
        "ABALONE": str(table),
    }


def main(wanted: list[str], say: Callable[[str], None]) -> list[tuple[Case, Outcome, str]]:
    """Run the cases that are named, or all, and return how each went."""
    cases = [case for case in CASES if not wanted or case.program in wanted]
    say("Making the environments of the cases: about 600 MB to download the first time ...")
    pythons = {name: environment(name) for name in sorted({case.environment for case in cases})}
    folder = Path(tempfile.mkdtemp(prefix="fidelity-"))
    found = list[tuple[Case, Outcome, str]]()
    with LocalCloud(Options(folder / "cloud", containers=_HERE / "containers")) as cloud:
        variables = prepare(cloud, folder)
        for case in cases:
            say(f"{case.program} ...")
            found.append((case, *run(case, pythons[case.environment], variables, folder)))
    say(f"What the cases printed is in {folder}")
    return found


if __name__ == "__main__":
    CONSOLE = Console(highlight=False, soft_wrap=True)
    FOUND = main(sys.argv[1:], CONSOLE.print)
    TABLE = Table("case", "how it went", "why")
    for CASE, OUTCOME, WHY in FOUND:
        TABLE.add_row(CASE.about, OUTCOME, WHY)
    Console(width=160, highlight=False).print(TABLE)
    sys.exit(any(OUTCOME == "differs" for _, OUTCOME, _ in FOUND))
