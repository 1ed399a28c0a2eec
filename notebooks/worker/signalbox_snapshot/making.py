"""The bucket of the snapshots is made where there is none: private, versioned, encrypted, over TLS alone."""

import base64
import hashlib
import http.client
import json
import logging
from typing import TYPE_CHECKING

from signalbox_snapshot.errors import MissingError, RefusedError

if TYPE_CHECKING:
    from signalbox_snapshot.objects import Objects

_LOG = logging.getLogger(__name__)
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_FIRST_REGION = "us-east-1"
"""The region that CreateBucket takes for granted, and refuses to be told."""
_NOBODY = (
    "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
    "<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>"
)
_ENCRYPTED = (
    "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
    "</ApplyServerSideEncryptionByDefault></Rule>"
)
_HELD = {
    "publicAccessBlock": ("PublicAccessBlockConfiguration", _NOBODY),
    "versioning": ("VersioningConfiguration", "<Status>Enabled</Status>"),
    "encryption": ("ServerSideEncryptionConfiguration", _ENCRYPTED),
}


def ensure(objects: "Objects", partition: str, own: bool) -> None:
    """See that the bucket is there and ours; make it where it is not and the instance's account is to own it.

    Who dies between two of the calls leaves a bucket that is empty and has no policy: the next start finds it so, and
    protects it. Raises RefusedError where the bucket is another account's, or may not be made.
    """
    try:
        there(objects)
    except MissingError as error:
        if not own:
            raise _no_bucket(
                objects,
                "create it in the account of the tag snapshot-owner, or name another in the tag ebs-backup-bucket",
            ) from error
        _create(objects)
    else:
        if not own or not _bare(objects):
            return
    _protect(objects, partition)


def there(objects: "Objects") -> None:
    """See that the bucket is there and ours; raise RefusedError where it is not."""
    try:
        objects.ask()
    except MissingError as error:
        raise _no_bucket(objects, "name the snapshot's bucket in the tag ebs-backup-bucket") from error
    except RefusedError as error:
        if error.status == http.client.FORBIDDEN:
            raise _not_ours(objects, error) from error
        raise


def _no_bucket(objects: "Objects", what: str) -> MissingError:
    return MissingError(f"there is no bucket {objects.place.bucket}", what, http.client.NOT_FOUND, "NoSuchBucket")


def _not_ours(objects: "Objects", error: RefusedError) -> RefusedError:
    return RefusedError(
        f"the bucket {objects.place.bucket} is not one of account {objects.place.owner}, or the role may not use it",
        "name a bucket of that account in the tag ebs-backup-bucket, or its account in the tag snapshot-owner, and let "
        "the instance's role use it",
        error.status,
        error.code,
    )


def _create(objects: "Objects") -> None:
    region = objects.place.region
    where = f"<LocationConstraint>{region}</LocationConstraint>"
    body = f"<CreateBucketConfiguration {_NAMESPACE}>{where}</CreateBucketConfiguration>"
    try:
        objects.configure("", b"" if region == _FIRST_REGION else body.encode(), {}, owned=False)
    except RefusedError as error:
        if error.code == "BucketAlreadyOwnedByYou":
            return
        if error.code == "BucketAlreadyExists":
            raise _not_ours(objects, error) from error
        raise
    _LOG.info("bucket %s was made", objects.place.bucket)


def _bare(objects: "Objects") -> bool:
    """Whether this may be a bucket that a worker made and could not protect any more."""
    try:
        if not objects.is_empty():
            return False
        objects.setting("policy")
    except MissingError:
        return True
    except RefusedError:
        # Whoever made the bucket keeps its policy to themselves: it is theirs to protect.
        return False
    return False


def _protect(objects: "Objects", partition: str) -> None:
    for setting, (name, content) in _HELD.items():
        _configure(objects, setting, f"<{name} {_NAMESPACE}>{content}</{name}>".encode())
    arn = f"arn:{partition}:s3:::{objects.place.bucket}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, arn + "/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    _configure(objects, "policy", json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode())


def _configure(objects: "Objects", setting: str, body: bytes) -> None:
    # S3 asks for a digest of each setting, of a kind that is no protection here and only finds errors of transport.
    md5 = hashlib.md5(body)  # noqa: S324
    objects.configure(setting, body, {"content-md5": base64.b64encode(md5.digest()).decode()})
