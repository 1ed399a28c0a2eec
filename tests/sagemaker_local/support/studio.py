"""Studio of the service among fakes: a domain with a person's space, and apps in it that really run."""

import base64
import json
from pathlib import Path
from typing import Any

from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.service import ROLE, SageMaker

from sagemaker_local.studio import volume

BASH = "#!/bin/bash\n"
PRIVATE = {
    "OwnershipSettings": {"OwnerUserProfileName": "ana"},
    "SpaceSharingSettings": {"SharingType": "Private"},
}
HOME = "/home/sagemaker-user"


class Studio(SageMaker):
    """The service with a domain, the profile `ana` and, once it is made, her private space `lab`."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder)
        self.domain = ""
        self.make_domain(**more)

    def make_domain(self, **more: Any) -> None:
        """Make a domain with the profile, which the other methods are about from then on."""
        request = {"DomainName": "team", "AuthMode": "IAM", "DefaultUserSettings": {"ExecutionRole": ROLE}}
        self.domain = str(self.call("CreateDomain", **{**request, **more})["DomainId"])
        self.call("CreateUserProfile", DomainId=self.domain, UserProfileName="ana")

    @property
    def space(self) -> dict[str, str]:
        """The members that name the space."""
        return {"DomainId": self.domain, "SpaceName": "lab"}

    @property
    def app(self) -> dict[str, str]:
        """The members that name the space's app."""
        return {**self.space, "AppType": "JupyterLab", "AppName": "default"}

    def profile(self, **settings: Any) -> None:
        """Give settings to the profile."""
        self.call("UpdateUserProfile", DomainId=self.domain, UserProfileName="ana", UserSettings=settings)

    def make_space(self, size: int | None = None, **more: Any) -> str:
        """Make the space, and return its ARN."""
        storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": size}}
        settings = {} if size is None else {"SpaceSettings": {"SpaceStorageSettings": storage}}
        return str(self.call("CreateSpace", **self.space, **{**PRIVATE, **settings, **more})["SpaceArn"])

    def size(self) -> int:
        """Return how large the space's volume is said to be."""
        settings = self.call("DescribeSpace", **self.space)["SpaceSettings"]
        return int(settings["SpaceStorageSettings"]["EbsStorageSettings"]["EbsVolumeSizeInGb"])

    def script(self, script: str, name: str = "c", kind: str = "JupyterLab") -> str:
        """Make a lifecycle configuration, and return its ARN."""
        content = base64.b64encode(script.encode()).decode()
        request = {"StudioLifecycleConfigContent": content, "StudioLifecycleConfigAppType": kind}
        answer = self.call("CreateStudioLifecycleConfig", StudioLifecycleConfigName=name, **request)
        return str(answer["StudioLifecycleConfigArn"])

    def attached(self, script: str, name: str = "c") -> dict[str, Any]:
        """Make a lifecycle configuration of the profile, and return the ResourceSpec of an app with it."""
        arn = self.script(script, name)
        self.profile(JupyterLabAppSettings={"LifecycleConfigArns": [arn]})
        return {"LifecycleConfigArn": arn}

    def start(self, **more: Any) -> str:
        """Start an app, and return the status in which that ends."""
        self.call("CreateApp", **self.app, **more)
        return self.settled()

    def stop(self) -> str:
        """Delete the app, and return the status in which that ends."""
        self.call("DeleteApp", **self.app)
        return self.settled()

    def described(self) -> dict[str, Any]:
        """Describe the app."""
        return self.call("DescribeApp", **self.app)

    def settled(self) -> str:
        """Wait until the app is on its way no more, and return its status."""
        until(lambda: self.described()["Status"] not in ("Pending", "Deleting"))
        return str(self.described()["Status"])

    def volume(self) -> Path:
        """Return the space's volume."""
        return volume(self.cloud.folder, self.domain, "lab")

    def log(self) -> list[str]:
        """Return what the script has printed, as it is in CloudWatch Logs."""
        stream = f"{self.domain}/lab/JupyterLab/default/LifecycleConfigOnStart"
        return self.access.logs.streams.get(("/aws/sagemaker/studio", stream), [])

    def said(self) -> dict[str, Any]:
        """Return the only line that the script has printed, which is JSON."""
        [line] = self.log()
        found: dict[str, Any] = json.loads(line)
        return found
