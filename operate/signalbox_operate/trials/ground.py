"""What a trial needs in the local cloud: a bucket, a key and a role, made once."""

import contextlib
import json
from typing import Any

from botocore.exceptions import ClientError

from signalbox.aws.errors import code_of
from signalbox_operate.projects.target import Target

# Its names are of no stack: nothing of a deployed one follows what a trial does.
PREFIX = "trial"
_ROLE = "trial-jobs"
_ALIAS = "alias/trial"


def ready(session: Any) -> Target:
    """Return the target of a trial, with everything there that its pipeline uses. Safe to repeat."""
    region = session.region_name
    account = session.client("sts").get_caller_identity()["Account"]
    bucket = f"{PREFIX}-{account}-{region}"
    s3 = session.client("s3")
    with _unless("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)
    return Target(PREFIX, region, bucket, bucket, _key(session.client("kms")), _role(session.client("iam")))


def _role(iam: Any) -> str:
    """Return the role of the pipeline and its jobs, which may do everything: `check` holds a project to its rights."""
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with _unless("EntityAlreadyExists", "EntityAlreadyExistsException"):
        iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=_ROLE, PolicyName="everything", PolicyDocument=_policy(may))
    return str(iam.get_role(RoleName=_ROLE)["Role"]["Arn"])


def _key(kms: Any) -> str:
    found = _named_key(kms)
    if found is None:
        made = kms.create_key(Description="What trials of pipelines write")["KeyMetadata"]["KeyId"]
        with _unless("AlreadyExistsException"):  # another trial was quicker: its key counts
            kms.create_alias(AliasName=_ALIAS, TargetKeyId=made)
        found = _named_key(kms)
    return str(kms.describe_key(KeyId=found)["KeyMetadata"]["Arn"])


def _named_key(kms: Any) -> str | None:
    aliases = kms.get_paginator("list_aliases").paginate()
    named = (alias["TargetKeyId"] for page in aliases for alias in page["Aliases"] if alias["AliasName"] == _ALIAS)
    return next(named, None)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextlib.contextmanager
def _unless(*codes: str) -> Any:
    """Take what is there already as made."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise
