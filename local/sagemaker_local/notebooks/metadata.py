"""The instance metadata service of a notebook instance: its role's credentials, its region, its identity.

Paths, headers and statuses: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and
"Retrieve security credentials from instance metadata". On AWS it answers on 169.254.169.254; here on a port of
127.0.0.1, which AWS_EC2_METADATA_SERVICE_ENDPOINT names.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message

from sagemaker_local.lifecycle.credentials import PageServer, RoleCredentials, is_own

LONGEST_TOKEN = 21_600
"""Seconds that a token of version 2 is valid at most."""
_TOKEN, _TTL = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"


@dataclass(frozen=True)
class InstanceFacts:
    """What an instance may know of itself."""

    account: str
    region: str
    instance_type: str
    role: str
    needs_token: bool
    instance_id: str = field(default_factory=lambda: f"i-{secrets.token_hex(9)[:17]}")

    def pages(self, credentials: RoleCredentials) -> dict[str, Callable[[], str]]:
        """Return the text of each path, made when it is asked for."""
        role, zone = self.role.rpartition("/")[2], f"{self.region}a"
        identity = {
            "accountId": self.account,
            "availabilityZone": zone,
            "instanceId": self.instance_id,
            "instanceType": self.instance_type.removeprefix("ml."),
            "region": self.region,
        }
        found: dict[str, Callable[[], str]] = {
            "/latest/meta-data/iam/security-credentials": lambda: role,
            f"/latest/meta-data/iam/security-credentials/{role}": credentials.document,
            "/latest/meta-data/placement/region": lambda: self.region,
            "/latest/meta-data/placement/availability-zone": lambda: zone,
            "/latest/meta-data/instance-id": lambda: self.instance_id,
            "/latest/dynamic/instance-identity/document": lambda: json.dumps(identity, indent=2),
        }
        return found


class MetadataService(PageServer):
    """Answers on a free port of 127.0.0.1 until it is closed."""

    def __init__(self, facts: InstanceFacts, credentials: RoleCredentials) -> None:
        self._facts = facts
        self._pages = facts.pages(credentials)
        self._tokens: dict[str, float] = {}
        super().__init__()

    def put(self, path: str, headers: Message) -> tuple[int, str]:
        """Return status and text of a PUT: a token. A proxy gets none, nor a page that goes by another host's name."""
        if path != "/latest/api/token":
            return 404, ""
        if "X-Forwarded-For" in headers or not is_own(headers):
            return 403, ""
        wanted = headers.get(_TTL, "")
        if not wanted.isdecimal() or not 1 <= int(wanted) <= LONGEST_TOKEN:
            return 400, ""
        token = secrets.token_urlsafe(40)
        self._tokens[token] = time.monotonic() + int(wanted)
        return 200, token

    def get(self, path: str, headers: Message) -> tuple[int, str]:
        """Return status and text of a GET."""
        token = headers.get(_TOKEN)
        if not is_own(headers):
            return 403, ""
        if token is None and self._facts.needs_token:
            return 401, ""
        if token is not None and self._tokens.get(token, 0.0) < time.monotonic():
            return 401, ""
        page = self._pages.get(path)
        return (200, page()) if page else (404, "")
