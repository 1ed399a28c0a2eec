"""The deployed stack as its users meet it: the bucket, the mail, the page, the registry, the endpoint."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_local import inbox
from sagemaker_local.process import LocalCloud
from signalbox_local import deploy
from signalbox_local.browser import Browser
from signalbox_local.project import ROOT, program_environment

# Two clouds run beside each other, on two cores.
PATIENCE = 180.0
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
IRIS = f"{REGISTRY}/iris-decision-tree:test"
# The stack is called `signalbox`: with another prefix, whatever is named after the stack is not found, or is denied.
PREFIX = "team-a"
PIPELINE = f"{PREFIX}-abalone"
PARAMETERS = {"UploadEvents": "both", "Prefix": PREFIX}


@dataclass
class World:
    """What the scenarios share. Each scenario uses a model name of its own, so that none meets another's mails."""

    cloud: LocalCloud
    outputs: dict[str, str]
    iris: Path
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return a client of the cloud's owner."""
        return self._clients.setdefault(service, deploy.client(self.cloud, service))

    def wait_for[Found](self, what: str, look: Callable[[], Found | None], limit: float = PATIENCE) -> Found:
        """Return what `look` finds first; the wait is bounded, and says what did not happen."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.2)
        failures = [inbox.text(mail) for mail in self.mails("failed")]
        told = "\n".join([*self.subjects(), *failures])
        raise AssertionError(f"{what} did not happen within {limit:.0f} seconds. The mails so far:\n{told}")

    # --- mails ---
    def mails(self, *words: str) -> list[dict[str, Any]]:
        """Return the mails whose subject has all the words, oldest first, whatever their case."""
        return [mail for mail in self.cloud.mails() if all(w.lower() in inbox.subject(mail).lower() for w in words)]

    def subjects(self) -> list[str]:
        """Return all subjects so far."""
        return [inbox.subject(mail) for mail in self.cloud.mails()]

    def mail(self, *words: str, number: int = 1) -> dict[str, Any]:
        """Return the `number`th mail about something as soon as it is there."""

        def found() -> dict[str, Any] | None:
            mails = self.mails(*words)
            return mails[number - 1] if len(mails) >= number else None

        return self.wait_for(f"mail {number} about {words}", found)

    def approve(self, mail: dict[str, Any]) -> None:
        """Approve on the page, as a person with a browser would."""
        page = Browser().decide(mail, "approve", "the numbers are good")
        assert page.status_code == 200, page.text

    def reject(self, mail: dict[str, Any], reason: str) -> None:
        """Reject on the page."""
        page = Browser().decide(mail, "reject", reason)
        assert page.status_code == 200, page.text

    # --- training an image ---
    def put_iris(self, model: str) -> None:
        """Put iris data where the image entry looks for a model's data."""
        for part in ("train", "test"):
            key = f"models/{model}/{part}/data.csv"
            self.client("s3").upload_file(str(self.iris / part / "iris.csv"), self.outputs["DataBucket"], key)

    def start(self, given: dict[str, Any], name: str) -> str:
        """Start the mlops machine and return the execution's ARN."""
        machine = self.outputs["MlopsMachineArn"]
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=json.dumps(given)
        )
        return str(started["executionArn"])

    def train(self, model: str, commit: str, image: str = IRIS, **hyperparameters: str) -> str:
        """Train an image for a model and return the execution's ARN."""
        self.put_iris(model)
        given = {"image": image, "commit": commit, "model": model, "problem": "multiclass"}
        return self.start({**given, "hyperparameters": hyperparameters}, f"{model}-{commit}")

    def release(self, model: str, commit: str, version: int, image: str = IRIS, **hyperparameters: str) -> str:
        """Train, approve, and approve for prod; return the execution's ARN when it has succeeded."""
        execution = self.train(model, commit, image, **hyperparameters)
        self.approve(self.mail("approve", f"{model} version {version}"))
        self.approve(self.mail("to prod", f"{model} version {version}"))
        self.succeeded(execution)
        return execution

    def ended(self, execution: str) -> dict[str, Any]:
        """Return the description of an execution when it has ended."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        return self.wait_for(f"the end of {execution}", look)

    def succeeded(self, execution: str) -> None:
        """Wait until an execution has ended, well."""
        found = self.ended(execution)
        assert found["status"] == "SUCCEEDED", f"{found['status']}: {found.get('error')} {found.get('cause')}"

    # --- registry and endpoints ---
    def group(self, model: str) -> str:
        """Return a model's package group."""
        return f"{self.outputs['Prefix']}-{model}"

    def has_group(self, model: str) -> bool:
        """Tell whether a model has a package group."""
        found = self.client("sagemaker").list_model_package_groups(NameContains=self.group(model))
        return bool(found["ModelPackageGroupSummaryList"])

    def packages(self, model: str) -> list[dict[str, Any]]:
        """Return the summaries of a model's packages, oldest first."""
        found = self.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self.group(model), SortBy="CreationTime", SortOrder="Ascending", MaxResults=100
        )
        summaries: list[dict[str, Any]] = found["ModelPackageSummaryList"]
        return summaries

    def package(self, model: str, version: int) -> dict[str, Any]:
        """Return the description of a package."""
        arn = self.packages(model)[version - 1]["ModelPackageArn"]
        found: dict[str, Any] = self.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return found

    def decide_in_registry(self, model: str, version: int, status: str) -> None:
        """Decide about a package in the registry, as with Studio or the AWS command line."""
        arn = self.packages(model)[version - 1]["ModelPackageArn"]
        self.client("sagemaker").update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=f"{status} in the registry"
        )

    def endpoint(self, model: str, stage: str) -> dict[str, Any] | None:
        """Return the description of a stage's endpoint; None where there is none."""
        sagemaker = self.client("sagemaker")
        try:
            found: dict[str, Any] = sagemaker.describe_endpoint(
                EndpointName=f"{self.outputs['Prefix']}-{model}-{stage}"
            )
        except sagemaker.exceptions.ClientError:
            return None
        return found

    def live_package(self, model: str, stage: str) -> str | None:
        """Return the package that a stage's endpoint serves."""
        endpoint, sagemaker = self.endpoint(model, stage), self.client("sagemaker")
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return None
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        served = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return str(served["Containers"][0]["ModelPackageName"])

    def predict(self, stage: str, model: str, body: str) -> bytes:
        """Ask a stage's model through the API, signed, by the command line."""
        return self.signalbox("invoke", stage, "--model", model, "--data", body)

    def signalbox(self, *words: str, folder: Path = ROOT) -> bytes:
        """Run the operator's command line in a folder."""
        done = subprocess.run(
            [sys.executable, "-m", "signalbox_operate", *words],
            env=program_environment(self.cloud.environment),
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=PATIENCE * 2,  # what follows an execution that never ends would never end
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def rows(self) -> list[list[str]]:
        """Return the held-out iris rows, label first."""
        return [line.split(",") for line in (self.iris / "test" / "iris.csv").read_text().splitlines()]
