"""Notebook instances of the service among fakes: made, waited for, and what their scripts leave."""

import base64
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.service import ROLE, SageMaker

from sagemaker_local.notebooks import leave_behind, volume

INSTANCE = {"InstanceType": "ml.t3.medium", "RoleArn": ROLE}
AL2, AL2023 = "notebook-al2-v3", "notebook-al2023-v1"


class Instances(SageMaker):
    """The service, and what a test does with its notebook instances."""

    def make(self, name: str = "n", **more: Any) -> str:
        """Make an instance and return the status in which its start ends."""
        self.call("CreateNotebookInstance", NotebookInstanceName=name, **INSTANCE, **more)
        return self.settled(name)

    def at(self, now: datetime) -> None:
        """Have another day."""
        self.now = now

    def leave(self, name: str = "old", **more: Any) -> Path:
        """Leave an instance behind, and return its volume."""
        return leave_behind(self.cloud.folder, {"NotebookInstanceName": name, **INSTANCE, **more})

    def config(self, name: str = "c", *variants: str, count: int = 1, **scripts: str) -> str:
        """Make a lifecycle configuration of scripts by their hooks."""
        assert not variants
        assert count == 1
        given = {hook: hooked(text) for hook, text in scripts.items()}
        self.call("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName=name, **given)
        return name

    def instance(self, name: str = "n") -> dict[str, Any]:
        """Describe an instance."""
        return self.call("DescribeNotebookInstance", NotebookInstanceName=name)

    def settled(self, name: str = "n") -> str:
        """Wait until an instance is on its way no more, and return its status."""
        moving = ("Pending", "Stopping", "Updating", "Deleting")
        until(lambda: self.instance(name)["NotebookInstanceStatus"] not in moving)
        return str(self.instance(name)["NotebookInstanceStatus"])

    def moved(self, verb: str, name: str = "n", **more: Any) -> str:
        """Start, stop or update an instance, and return the status in which that ends."""
        self.call(f"{verb}NotebookInstance", NotebookInstanceName=name, **more)
        return self.settled(name)

    def volume(self, name: str = "n") -> Path:
        """Return an instance's volume."""
        return volume(self.cloud.folder, name)

    def log(self, hook: str, name: str = "n") -> list[str]:
        """Return what a script has printed, as it is in CloudWatch Logs."""
        return self.access.logs.streams.get(("/aws/sagemaker/NotebookInstances", f"{name}/LifecycleConfig{hook}"), [])

    def told(self, name: str = "n") -> list[str]:
        """Return the statuses of an instance that were told, in order."""
        details = self.events.details("SageMaker Notebook Instance State Change")
        return [one["NotebookInstanceStatus"] for one in details if one["NotebookInstanceName"] == name]


def hooked(script: str) -> list[dict[str, str]]:
    """Return a script as a hook of a lifecycle configuration has it."""
    return [{"Content": base64.b64encode(script.encode()).decode()}]
