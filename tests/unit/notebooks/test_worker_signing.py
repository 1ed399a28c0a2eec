"""The worker's signatures are those of AWS's own library."""

import hashlib
from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signalbox_snapshot.signing import Keys, Outgoing, Scope, encoded, query_text, signed

_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
_PLAIN = st.text("abcXYZ019 _-.", min_size=1, max_size=12).map(lambda text: "v" + text + "v")


@settings(max_examples=100)
@example(key="a//b/../c d+e%25", query={"prefix": "ü/ &=+", "list-type": "2"}, value="a  b", token="t", body=b"")
@given(
    key=_WORDS,
    query=st.dictionaries(_WORDS, _WORDS, max_size=3),
    value=_PLAIN,
    token=st.sampled_from(["", "token/+="]),
    body=st.binary(max_size=30),
)
def test_requests_to_s3_are_signed_as_botocore_does(
    key: str, query: dict[str, str], value: str, token: str, body: bytes
) -> None:
    path, asked = "/bucket/" + encoded(key, "/"), tuple(query.items())
    now = datetime(2026, 11, 27, 7, 30, 5, tzinfo=UTC)
    outgoing = Outgoing("PUT", "s3.eu-west-1.x", path, asked, {"x-amz-own": value}, hashlib.sha256(body).hexdigest())
    url = "http://s3.eu-west-1.x" + path + ("?" + query_text(asked) if asked else "")
    theirs = AWSRequest("PUT", url, headers={"x-amz-own": value}, data=body)

    with patch("botocore.auth.get_current_datetime", return_value=now):
        S3SigV4Auth(Credentials("key", "secret", token or None), "s3", "eu-west-1").add_auth(theirs)
    ours = signed(outgoing, Keys("key", "secret", token), Scope("eu-west-1", "s3"), now)

    assert ours["authorization"] == theirs.headers["Authorization"]


@given(body=st.binary(max_size=30), value=_PLAIN)
def test_requests_to_sagemaker_are_signed_as_botocore_does(body: bytes, value: str) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    outgoing = Outgoing("POST", "api.x", "/", (), {"x-amz-target": value}, hashlib.sha256(body).hexdigest())
    theirs = AWSRequest("POST", "http://api.x/", headers={"x-amz-target": value}, data=body)

    with patch("botocore.auth.get_current_datetime", return_value=now):
        SigV4Auth(Credentials("key", "secret", "token"), "sagemaker", "eu-west-1").add_auth(theirs)
    ours = signed(outgoing, Keys("key", "secret", "token"), Scope("eu-west-1", "sagemaker"), now)

    assert ours["authorization"] == theirs.headers["Authorization"]
