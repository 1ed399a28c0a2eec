"""One start of a notebook instance: a machine with a metadata service."""

from dataclasses import dataclass

from sagemaker_local.lifecycle.credentials import PageServer, RoleCredentials
from sagemaker_local.lifecycle.machine import LifecycleScript, Machine
from sagemaker_local.notebooks.metadata import InstanceFacts, MetadataService


@dataclass
class NotebookMachine(Machine):
    """An instance that runs, from its start until it is closed."""

    def metadata(self) -> dict[str, str]:
        """Return what resource-metadata.json says of the instance."""
        return {
            "ResourceArn": self.record["NotebookInstanceArn"],
            "ResourceName": self.record["NotebookInstanceName"],
        }

    def credentials_service(self, credentials: RoleCredentials) -> tuple[PageServer, dict[str, str]]:
        """Return the instance's metadata service, and the variable that names it."""
        version = self.record["InstanceMetadataServiceConfiguration"]["MinimumInstanceMetadataServiceVersion"]
        facts = InstanceFacts(
            self.cloud.account, self.cloud.region, self.record["InstanceType"], self.role, needs_token=version == "2"
        )
        service = MetadataService(facts, credentials)
        return service, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url}

    def failure(self, script: LifecycleScript, code: int | None) -> str:
        """Return the reason of a script that failed: in AWS's words where its time was up.

        People report those words for scripts that end with an error, too (as of bad interpreters), after the five
        minutes; how SageMaker tells the two apart is not documented. Here a script that has ended is told at once.
        """
        minutes = self.cloud.timing.script_seconds / 60
        what = f"took longer than {minutes:g} minutes" if code is None else f"failed: {script.hook} ended with {code}"
        return (
            f"Notebook Instance Lifecycle Config '{script.config}' for Notebook Instance "
            f"'{self.record['NotebookInstanceArn']}' {what}. Please check your CloudWatch logs for more details if "
            "your Notebook Instance has Internet access."
        )
