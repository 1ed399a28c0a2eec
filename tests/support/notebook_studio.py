"""SageMaker with Studio beside its notebook instances, as a fake that remembers; an app does a worker's work."""

from collections.abc import Callable, Mapping
from typing import Any

from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.place import Desk
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.notebook_fleet import ACCOUNT, REGION, STACK, Bucket, Instances, Waits, at_once, document

DOMAIN, PROFILE = "d-abc", "ana"
STUDIO_ROLE = f"arn:aws:iam::{ACCOUNT}:role/studio"
OWN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:studio-lifecycle-config/own-1"
_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"


class StudioInstances(Instances):
    """Notebook instances, and Studio with one domain and one profile, whose moves end at the next look.

    An app with a configuration does `filler`'s work for its space. `refused` has the reason why apps do not start.
    """

    def __init__(self, bucket: Bucket, filler: Callable[[Any, str], None]) -> None:
        super().__init__(bucket, at_once)
        self.filler = filler
        self.refused = ""
        self.lab: dict[str, Any] = {
            "LifecycleConfigArns": [OWN],
            "CodeRepositories": [{"RepositoryUrl": "https://git.example.com/a"}],
        }
        self.profile_status = "InService"
        self.spaces: dict[str, dict[str, Any]] = {}
        self.apps: dict[str, dict[str, Any]] = {}

    def add_space(self, name: str, owner: str = PROFILE, kind: str = "JupyterLab", sharing: str = "Private") -> None:
        """Have a space."""
        self.spaces[name] = {
            "SpaceArn": f"{_ARN}space/{DOMAIN}/{name}",
            "Status": "InService",
            "SpaceSettings": {"AppType": kind},
            "OwnershipSettings": {"OwnerUserProfileName": owner},
            "SpaceSharingSettings": {"SharingType": sharing},
        }
        self.tagged[self.spaces[name]["SpaceArn"]] = {}

    def add_app(self, space: str, config: str = "", status: str = "InService") -> None:
        """Have an app run in a space."""
        spec = {"InstanceType": "ml.t3.medium", **({"LifecycleConfigArn": config} if config else {})}
        self.apps[space] = {"Status": status, "ResourceSpec": spec}

    def space_tags(self, name: str) -> dict[str, str]:
        """Return the tags of a space."""
        return self.tagged[self.spaces[name]["SpaceArn"]]

    def _describe_space(self, **request: Any) -> dict[str, Any]:
        return self._moved(self._known(self.spaces, request, "SpaceName"))

    def _create_space(self, **request: Any) -> dict[str, Any]:
        self._known({PROFILE: {}}, request["OwnershipSettings"], "OwnerUserProfileName")
        name = request["SpaceName"]
        self.add_space(name)
        self.spaces[name] |= {"Status": "Pending", "SpaceSettings": request["SpaceSettings"]}
        self.space_tags(name).update({one["Key"]: one["Value"] for one in request["Tags"]})
        return {"SpaceArn": self.spaces[name]["SpaceArn"]}

    def _list_spaces(self, **request: Any) -> dict[str, Any]:
        assert request["DomainIdEquals"] == DOMAIN
        names = sorted(self.spaces)
        at = int(request.get("NextToken", 0))
        page = [
            {"SpaceName": name, "OwnershipSettingsSummary": self.spaces[name]["OwnershipSettings"]}
            for name in names[at : at + 1]
        ]
        return {"Spaces": page, **({"NextToken": str(at + 1)} if at + 1 < len(names) else {})}

    def _describe_app(self, **request: Any) -> dict[str, Any]:
        return self._moved(self._known(self.apps, request, "SpaceName"))

    def _create_app(self, **request: Any) -> dict[str, Any]:
        name, spec = request["SpaceName"], request["ResourceSpec"]
        self._known(self.spaces, request, "SpaceName")
        if self.apps.get(name, {}).get("Status") in ("InService", "Pending", "Deleting"):
            raise client_error("ResourceInUse", "App already exists")
        if spec["LifecycleConfigArn"] not in self.lab.get("LifecycleConfigArns", ()):
            raise client_error("ValidationException", "the configuration is none of the profile's")
        self.add_app(name, spec["LifecycleConfigArn"], "Failing" if self.refused else "Pending")
        if not self.refused:
            self.filler(self, name)
        return {}

    def _delete_app(self, **request: Any) -> dict[str, Any]:
        app = self._known(self.apps, request, "SpaceName")
        if app["Status"] != "InService":
            raise client_error("ValidationException", f"it is {app['Status']}")
        app["Status"] = "Deleting"
        return {}

    def _describe_domain(self, **request: Any) -> dict[str, Any]:
        return self._known({DOMAIN: {"DefaultUserSettings": {"ExecutionRole": STUDIO_ROLE}}}, request, "DomainId")

    def _describe_user_profile(self, **request: Any) -> dict[str, Any]:
        self._known({DOMAIN: {}}, request, "DomainId")
        self._known({PROFILE: {}}, request, "UserProfileName")
        found = {"Status": self.profile_status, "UserSettings": {"JupyterLabAppSettings": dict(self.lab)}}
        self.profile_status = "InService" if self.profile_status == "Updating" else self.profile_status
        return found

    def _update_user_profile(self, **request: Any) -> dict[str, Any]:
        if self.profile_status != "InService":
            raise client_error("ResourceInUse", "it is updated")
        self.lab = request["UserSettings"]["JupyterLabAppSettings"]  # whatever is not given is gone
        self.profile_status = "Updating"
        return {}

    def _known(self, those: Mapping[str, dict[str, Any]], request: Mapping[str, Any], member: str) -> dict[str, Any]:
        if request[member] not in those:
            raise client_error("ResourceNotFound", f"{request[member]} does not exist")
        return those[request[member]]

    def _moved(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return what is found, and let it get to where it moves."""
        found = dict(one)
        ended = {"Pending": "InService", "Deleting": "Deleted", "Failing": "Failed"}
        one["Status"] = ended.get(one["Status"], one["Status"])
        if found["Status"] == "Failing":
            found["Status"] = "Pending"
        return {**found, **({"FailureReason": self.refused} if found["Status"] == "Failed" else {})}


def filled(instances: StudioInstances, space: str, **more: Any) -> None:
    """Restore into a space at once, as its tags ask for it; `more` is what its documents say else."""
    tags, bucket, key = instances.space_tags(space), instances.bucket, f"{DOMAIN}.{space}"
    prefix = f"{tags['snapshot-prefix']}/" if tags.get("snapshot-prefix") else ""
    told = document("restore", tags["snapshot-request"], tags["backup-snapshot"], **more)
    bucket.put(f"{prefix}status/{key}/restore.json", told)
    bucket.put(f"{prefix}results/{told['state']}/{key}/restore-{tags['backup-snapshot']}.json", told)
    tags["snapshot-status"] = (
        f"{told['state']} 10 files" if told["state"] == "complete" else f"failed: {told['reason']}"
    )


def studio_desk(
    filler: Callable[[Any, str], None] = filled, role_tags: Mapping[str, str] | None = None
) -> tuple[Desk, StudioInstances, Bucket]:
    """Return a desk of fakes, its instances with their Studio, and its bucket."""
    bucket = Bucket()
    instances = StudioInstances(bucket, filler)
    given = [{"Key": key, "Value": value} for key, value in (role_tags or {}).items()]
    roles = RecordingClient("iam", {"list_role_tags": {"Tags": given}})
    return Desk(STACK, Fleet(instances, Waits(bucket)), bucket, roles), instances, bucket
