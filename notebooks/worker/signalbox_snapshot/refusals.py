"""What AWS's refusals mean for the person whose files are saved."""

import json
import xml.etree.ElementTree as ET

_KEY = "let the instance's role use the bucket's key: kms:GenerateDataKey to save, kms:Decrypt to restore"
_RIGHTS = "let the instance's role do this, in its policy, the bucket's and the endpoint's"
_BY_CODE = {
    "NoSuchBucket": "name an existing bucket in the tag ebs-backup-bucket",
    "InvalidBucketName": "name a bucket in the tag ebs-backup-bucket",
    "InvalidAccessKeyId": "give the instance a role whose keys are valid",
    "SignatureDoesNotMatch": "give the instance a role whose keys are valid",
    "ValidationException": "see the worker's log in the bucket",
}


def refusal(body: bytes) -> "tuple[str, str]":
    """Return a service's word for a refusal and its sentence; both empty where the body has none."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        return _of_json(text)
    if not text.startswith("<"):
        return "", text[:200]
    try:
        root = ET.fromstring(text)  # noqa: S314 - the standard library alone; the text is AWS's
    except ET.ParseError:
        return "", text[:200]
    return text_of(root, "Code"), text_of(root, "Message")


def advice(status: int, code: str, message: str) -> str:
    """Return what to do about a refusal."""
    if "kms" in (code + message).lower():
        return _KEY
    return _BY_CODE.get(code, _RIGHTS if status in {401, 403} else "see the worker's log in the bucket")


def _of_json(text: str) -> "tuple[str, str]":
    try:
        given = json.loads(text)
    except ValueError:
        return "", text[:200]
    code = str(given.get("__type", given.get("code", ""))).split("#")[-1]
    return code, str(given.get("message", given.get("Message", "")))


def text_of(root: "ET.Element", name: str) -> str:
    """Return the text of the first element of a name, in any namespace; empty where there is none."""
    return next((element.text or "" for element in root.iter() if element.tag.split("}")[-1] == name), "")
