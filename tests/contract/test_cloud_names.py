"""AWS's host names: programs that ask by them reach the cloud through its proxy, and nothing else is reached by it."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ProxyConnectionError, SSLError

from sagemaker_local.process import LocalCloud, Options
from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, name

STS = f"https://sts.{REGION}.amazonaws.com"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Start a cloud that answers AWS's names."""
    with LocalCloud(Options(folder=tmp_path_factory.mktemp("named"), aws_names=True)) as running:
        yield running


def _client(cloud: LocalCloud, service: str, **more: Any) -> Any:
    """Return a client of AWS's own address, with the variables of the cloud but the endpoint's."""
    variables = cloud.environment
    config = Config(proxies={"https": variables["HTTPS_PROXY"]}, retries={"max_attempts": 0})
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
        service,
        region_name=REGION,
        config=config,
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        **{"verify": variables["AWS_CA_BUNDLE"], **more},
    )


def test_a_program_that_names_aws_itself_reaches_the_cloud(named: LocalCloud) -> None:
    # As the SageMaker SDK asks for the account, whatever endpoint the environment names.
    assert _client(named, "sts", endpoint_url=STS).get_caller_identity()["Account"] == ACCOUNT
    s3, bucket = _client(named, "s3"), name("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=b"x" * 1_000_000)

    assert len(s3.get_object(Bucket=bucket, Key="a b/ü")["Body"].read()) == 1_000_000
    assert _client(named, "sagemaker").list_models()["Models"] == []
    here = World(named.url, named.environment["AWS_SECRET_ACCESS_KEY"]).client("s3")
    assert [one["Name"] for one in here.list_buckets()["Buckets"]] == [bucket]


def test_who_does_not_trust_this_clouds_authority_is_told_so(named: LocalCloud) -> None:
    with pytest.raises(SSLError):
        _client(named, "sts", endpoint_url=STS, verify=True).get_caller_identity()


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "amazonaws.com.example.com", "evil-amazonaws.com"])
def test_no_other_host_is_reached(host: str, named: LocalCloud) -> None:
    with pytest.raises(ProxyConnectionError):
        _client(named, "sts", endpoint_url=f"https://{host}").get_caller_identity()


@pytest.mark.parametrize(
    "said",
    [b"GET http://169.254.169.254/ HTTP/1.1\r\n\r\n", b"CONNECT sts.amazonaws.com:22 HTTP/1.1\r\n\r\n", b"\r\n\r\n"],
)
def test_what_is_no_connect_to_aws_is_refused(said: bytes, named: LocalCloud) -> None:
    port = urlsplit(named.environment["HTTPS_PROXY"]).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=10) as asked:
        asked.sendall(said)
        answer = b"".join(iter(lambda: asked.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"this proxy reaches names of AWS only" in answer


def test_a_name_of_aws_without_the_proxy_stays_outside(named: LocalCloud) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", named.port)
    connection.request("GET", "/", headers={"Host": "sts.amazonaws.com"})
    assert connection.getresponse().status == 403


def test_through_the_proxy_nothing_of_the_clouds_own_is_open(named: LocalCloud) -> None:
    port, bundle = urlsplit(named.environment["HTTPS_PROXY"]).port, named.environment["AWS_CA_BUNDLE"]
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=bundle))
    connection.set_tunnel("sts.amazonaws.com", 443)
    for path in ("/_local/calls", "/public/x"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert b"principal" not in answer.read()
        assert answer.status >= 400


def test_the_key_of_the_certificate_is_kept_nowhere(named: LocalCloud) -> None:
    folder = Path(named.environment["AWS_CA_BUNDLE"]).parent
    assert "PRIVATE KEY" not in "".join(path.read_text() for path in folder.glob("*.pem"))
    assert list(folder.glob("*.key")) == []


def test_a_cloud_that_was_not_asked_to_answers_no_name_of_aws(local_cloud: LocalCloud) -> None:
    assert not {"HTTPS_PROXY", "AWS_CA_BUNDLE"} & local_cloud.environment.keys()
    assert list(local_cloud.log.parent.glob("*.pem")) == []
