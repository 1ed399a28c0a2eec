"""One run of an app: a machine with credentials as a container has them."""

from dataclasses import dataclass

from sagemaker_local.lifecycle.credentials import PageServer, RoleCredentials
from sagemaker_local.lifecycle.machine import LifecycleScript, Machine
from sagemaker_local.studio.credentials import CredentialsService


@dataclass
class AppMachine(Machine):
    """An app that runs, from its start until it is closed."""

    def metadata(self) -> dict[str, str]:
        """Return what resource-metadata.json says: members and spelling as people report them of apps of spaces."""
        arn = self.record["AppArn"].split("/")
        arn[-2:] = [self.record["AppType"], self.record["AppName"]]
        return {
            "AppType": self.record["AppType"],
            "DomainId": self.record["DomainId"],
            "SpaceName": self.record["SpaceName"],
            "ExecutionRoleArn": self.role,
            "ResourceArn": "/".join(arn),
            "ResourceName": self.record["AppName"],
            "AppImageVersion": "",
        }

    def credentials_service(self, credentials: RoleCredentials) -> tuple[PageServer, dict[str, str]]:
        """Return the endpoint of the container's credentials, and the variable that names it."""
        service = CredentialsService(credentials)
        return service, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": service.address}

    def failure(self, script: LifecycleScript, code: int | None) -> str:
        """Return the reason of a script that failed; AWS's own words are not documented."""
        minutes = self.cloud.timing.script_seconds / 60
        what = f"took longer than {minutes:g} minutes" if code is None else f"ended with {code}"
        return (
            f"ConfigurationError: the lifecycle configuration {script.config} {what}. See its log in CloudWatch Logs, "
            f"group /aws/sagemaker/studio, stream {script.stream}."
        )
