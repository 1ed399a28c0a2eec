"""The steps of the demo, each of which waits for its outcome: from data to predictions of the live model."""

import itertools
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_local import inbox
from sagemaker_local.process import LocalCloud
from signalbox_local import deploy
from signalbox_local.demo.terminal import Step, StepError, Terminal, wait_for
from signalbox_local.project import program_environment

if TYPE_CHECKING:
    from signalbox_local.demo.reviewers import Reviewer

_STEP_SECONDS = 300


@dataclass
class Demo:
    """What the steps share: the cloud, the stack's outputs, the terminal, and who approves."""

    cloud: LocalCloud
    terminal: Terminal
    reviewer: "Reviewer"
    outputs: Mapping[str, str]
    _read: int = field(default=0)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the cloud's owner."""
        return deploy.client(self.cloud, service)

    def signalbox(self, *words: str) -> str:
        """Run the operator's command line and return what it prints.

        Raises:
            StepError: it failed; the message is what it printed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "signalbox_operate", *words],
            env=program_environment(self.cloud.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepError(f"signalbox {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def run_pipeline(self, file: Path) -> None:
        """Upload a file, and follow the run that it starts until its model is registered.

        Raises:
            StepError: the run failed, with SageMaker's own words.
        """
        with self.terminal.step(f"signalbox upload {file.name}") as step:
            step.report(self.signalbox("upload", str(file)).splitlines()[-1])
        with self.terminal.step("The upload is recorded; after the quiet window one pipeline run starts") as step:
            run = wait_for("a pipeline run", lambda: self.runs("abalone"), 60)[0]
            step.report(run["PipelineExecutionDisplayName"])
        with self.terminal.step("The pipeline preprocesses, trains, evaluates, checks and registers the model") as step:
            self._follow(run["PipelineExecutionArn"], step)

    def runs(self, pipeline: str) -> list[dict[str, Any]]:
        """Return the runs of a pipeline by its short name, the newest first."""
        name = f"{self.outputs['Prefix']}-{pipeline}"
        found = self.client("sagemaker").list_pipeline_executions(
            PipelineName=name, SortBy="CreationTime", SortOrder="Descending"
        )
        return list(found["PipelineExecutionSummaries"])

    def run_again(self, pipeline: str, before: int) -> None:
        """Follow the run that a push asks for, where there were so many `before`.

        Raises:
            StepError: there is none, or it failed.
        """
        with self.terminal.step("The pipeline runs at this commit, over the data of its last run") as step:
            wait_for("the run that the push asks for", lambda: len(self.runs(pipeline)) > before, 60)
            self._follow(self.runs(pipeline)[0]["PipelineExecutionArn"], step)

    def _follow(self, arn: str, step: Step) -> None:
        sagemaker = self.client("sagemaker")

        def ended() -> Any:
            listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
            done = [one["StepName"] for one in listed["PipelineExecutionSteps"] if one["StepStatus"] == "Succeeded"]
            step.report(" → ".join(done))
            run = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            return run if run["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped") else None

        run = wait_for("the end of the pipeline run", ended, _STEP_SECONDS)
        if run["PipelineExecutionStatus"] != "Succeeded":
            raise StepError(f"the pipeline run {run['PipelineExecutionStatus']}: {run.get('FailureReason')}")

    def train_image(self, model: str, image: str, commit: str, data: Path) -> None:
        """Put training and test data of a project's model, and start the mlops machine."""
        with self.terminal.step(f"signalbox data put {model} --train … --test …") as step:
            folders = ("--train", str(data / "train"), "--test", str(data / "test"))
            step.report(self.signalbox("data", "put", model, *folders).splitlines()[0])
        words = ["--model", model, "--commit", commit]
        with self.terminal.step(f"signalbox train --image …/{image.rsplit('/', 1)[-1]} {' '.join(words)}") as step:
            step.report(self.signalbox("train", "--image", image, *words).splitlines()[0])

    def review_and_release(self, model: str, stages: list[str]) -> None:
        """Answer each mail that asks, and follow the release until the last stage serves.

        Raises:
            StepError: the machine failed, or nothing happened for too long.
        """
        titles = [f"{model} is tested on the test data; the mail that asks for approval is sent"]
        titles += [
            f"{model} is released to {stage}; the mail that asks for approval of {following} is sent"
            for stage, following in itertools.pairwise(stages)
        ]
        for title in titles:
            with self.terminal.step(title) as step:
                mail = self.next_mail(f"a mail that asks about {model}")
                step.report(f"“{inbox.subject(mail)}”")
            with self.terminal.step(self.reviewer.action) as step:
                decision = self.reviewer.approve(mail)
                step.report(decision)
            if "rejected" in decision:
                raise StepError(f"{decision}, so it is not released: run the demo again to see the rest")
        with self.terminal.step(
            f"{model} is released to {stages[-1]} and verified; the mail that announces it is sent"
        ) as step:
            mail = self.next_mail(f"the announcement of {model}")
            step.report(f"“{inbox.subject(mail)}”")

    def next_mail(self, what: str) -> dict[str, Any]:
        """Return the next mail that was not read yet.

        Raises:
            StepError: a machine failed meanwhile, or no mail came.
        """
        mail: dict[str, Any] = wait_for(what, self._unread, _STEP_SECONDS, self._raise_on_failure)
        return mail

    def _unread(self) -> dict[str, Any] | None:
        mails = self.cloud.mails()
        if len(mails) <= self._read:
            return None
        self._read += 1
        mail = mails[self._read - 1]
        if "failed" in inbox.subject(mail).lower():
            raise StepError(f"{inbox.subject(mail)}\n{inbox.text(mail)}")
        return mail

    def _raise_on_failure(self) -> None:
        states = self.client("stepfunctions")
        for machine in ("MlopsMachineArn", "ReleaseMachineArn"):
            for execution in states.list_executions(stateMachineArn=self.outputs[machine])["executions"]:
                if execution["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
                    found = states.describe_execution(executionArn=execution["executionArn"])
                    raise StepError(
                        f"{execution['name']} {execution['status']}: {found.get('error')} {found.get('cause')}"
                    )

    def predict(self, stage: str, model: str, rows: list[str]) -> list[str]:
        """Ask the live model of a stage for the rows' predictions, through the API, signed."""
        answer = self.signalbox("invoke", stage, "--model", model, "--data", "\n".join(rows))
        return [line for line in answer.splitlines() if line]


def last_rows(bucket_client: Any, bucket: str, prefix: str, count: int) -> list[list[str]]:
    """Return rows of the held-out test data under a prefix (label first), spread over the table."""
    listed = bucket_client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    text = bucket_client.get_object(Bucket=bucket, Key=listed[0]["Key"])["Body"].read().decode()
    rows = [line.split(",") for line in text.splitlines() if line]
    step = max(len(rows) // count, 1)
    return rows[::step][:count]


def package_test_data(sagemaker: Any, group: str) -> str:
    """Return the S3 URI of the test data of a group's newest package."""
    newest = sagemaker.list_model_packages(ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending")
    arn = newest["ModelPackageSummaryList"][0]["ModelPackageArn"]
    properties = sagemaker.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
    return str(properties["test-data"])
