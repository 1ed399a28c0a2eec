"""Who made a call, as CloudTrail writes it: the `userIdentity` of its events.

Forms: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

import hashlib
from datetime import UTC, datetime
from typing import Any


def of(arn: str) -> dict[str, Any]:
    """Return the identity behind an ARN: the root, a user, a session of a role, or a federated user."""
    account, _, name = arn.split(":", 4)[4].partition(":")
    kind, _, rest = name.partition("/")
    known = {"arn": arn, "accountId": account}
    match kind:
        case "root":
            return {"type": "Root", "principalId": account, **known, "accessKeyId": _id("AKIA", arn)}
        case "user":
            user = rest.rpartition("/")[2]
            keys = {"accessKeyId": _id("AKIA", arn), "userName": user}
            return {"type": "IAMUser", "principalId": _id("AIDA", arn), **known, **keys}
        case "assumed-role":
            role, _, session = rest.partition("/")
            principal = f"{_id('AROA', role)}:{session}"
            context = {"accessKeyId": _id("ASIA", arn), "sessionContext": _session(role, account)}
            return {"type": "AssumedRole", "principalId": principal, **known, **context}
        case _:
            keys = {"accessKeyId": _id("ASIA", arn)}
            return {"type": "FederatedUser", "principalId": f"{account}:{rest}", **known, **keys}


def _session(role: str, account: str) -> dict[str, Any]:
    issuer = {"arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "sessionIssuer": {"type": "Role", "principalId": _id("AROA", role), **issuer},
        "attributes": {"creationDate": now, "mfaAuthenticated": "false"},
    }


def _id(kind: str, name: str) -> str:
    """Return a made-up id of AWS's form, the same for the same name: the prefix says what it names."""
    return f"{kind}{hashlib.sha256(name.encode()).hexdigest()[:17].upper()}"
