"""The accounts of an organisation, each by a role of one name in all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from boto3.session import Session
from botocore.exceptions import ClientError

_SESSION_NAME = "signalbox-notebooks"


@dataclass(frozen=True)
class Account:
    """An account, and a session in it; None with the reason where the role could not be taken."""

    id: str
    session: Any
    reason: str = ""


def accounts(session: Any, role: str, region: str) -> Iterator[Account]:
    """Yield every active account of the organisation that a session is in; in its own, no role is taken."""
    sts = session.client("sts")
    own = sts.get_caller_identity()
    partition = own["Arn"].split(":")[1]
    for page in session.client("organizations").get_paginator("list_accounts").paginate():
        for one in page["Accounts"]:
            if one["Status"] != "ACTIVE":
                continue
            if one["Id"] == own["Account"]:
                yield Account(one["Id"], session)
            else:
                yield _taken(one["Id"], f"arn:{partition}:iam::{one['Id']}:role/{role}", sts, region)


def _taken(account: str, role: str, sts: Any, region: str) -> Account:
    try:
        keys = sts.assume_role(RoleArn=role, RoleSessionName=_SESSION_NAME)["Credentials"]
    except ClientError as error:
        return Account(account, None, str(error))
    return Account(
        account,
        Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=region,
        ),
    )
