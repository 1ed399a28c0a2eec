"""What a person reads where the network, their sign-in or AWS refuses a command: the way out, in one sentence."""

import socket
from pathlib import Path
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.parameters import RememberedParameters
from tests.support.projects import page
from tests.support.stack import CloudFormation
from tests.support.uploads import ABALONE
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris:1"
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("publish", "abalone"),
    (
        "train",
        "--image",
        IMAGE,
        "--commit",
        "c1",
        "--problem",
        "binary",
    ),
    ("upload", __file__),
    ("decide", "signalbox-abalone/3", "approve"),
    ("uploads",),
    ("invoke", "prod", "--data", "1"),
    ("status",),
)
SIGNED = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
REGION = {"AWS_REGION": "us-east-1"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell without a word about AWS."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", *SIGNED, "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("NO_PROXY", "*")


def said(result: Result) -> str:
    """Return the one sentence that a command ended with."""
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.stderr.startswith("error: ")
    return " ".join(result.stderr.split())


def run(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *arguments: str) -> Result:
    """Run a command in a shell with these variables."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_a_cloud_every_command_says_how_to_start_one_or_to_leave_it(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        told = said(run(monkeypatch, {**SIGNED, **REGION, "AWS_ENDPOINT_URL": address}, *command))

    assert told.startswith(f"error: nothing answers under {address}, where AWS_ENDPOINT_URL points:")
    assert '`make up` starts it, and `eval "$(make -s env)"` points this shell to it' in told
    assert "unset AWS_ENDPOINT_URL" in told


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (SIGNED, "no AWS region is set: give --region, set AWS_REGION, or name a profile that has one"),
        (REGION, "there are no AWS credentials: give --profile, set AWS_PROFILE, or sign in"),
        ({**REGION, "AWS_ACCESS_KEY_ID": "AKID"}, "there are no AWS credentials: give --profile, set AWS_PROFILE"),
        ({**SIGNED, "AWS_REGION": "us east 1"}, "Give one such as eu-west-1 with --region, or in AWS_REGION"),
        ({**SIGNED, **REGION, "AWS_ENDPOINT_URL": "nonsense"}, "nonsense: correct AWS_ENDPOINT_URL, such as http://"),
    ],
)
def test_what_a_shell_lacks_is_said_by_every_command_with_what_to_do(
    command: tuple[str, ...], environment: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sentence in said(run(monkeypatch, environment, *command))


def test_a_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

    told = said(run(monkeypatch, {**SIGNED, **REGION, **proxy}, "status"))

    assert "the proxy http://127.0.0.1:9 does not answer: correct or unset HTTPS_PROXY and HTTP_PROXY" in told


def test_a_sign_in_that_is_over_names_the_command_that_renews_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "AWS_CONFIG_FILE").write_text(
        "[profile team]\nregion = us-east-1\nsso_start_url = https://team.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = operator\n"
    )
    assert "run `aws sso login`, with the same --profile" in said(run(monkeypatch, {}, "status", "--profile", "team"))


def test_a_configuration_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "AWS_CONFIG_FILE").write_text("x = [[\n")
    assert str(tmp_path / "AWS_CONFIG_FILE") in said(run(monkeypatch, {**SIGNED, **REGION}, "status"))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ExpiredToken", "your AWS credentials have expired: sign in again"),
        ("RequestExpired", "your AWS credentials have expired: sign in again"),
        ("InvalidClientTokenId", "these AWS credentials are not known, or the clock of this machine is wrong"),
        ("SignatureDoesNotMatch", "these AWS credentials are not known, or the clock of this machine is wrong"),
        ("AccessDenied", "not you. Ask whoever runs the account to allow it, or give another --profile"),
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_a_refusal_of_the_person_says_how_to_get_in(
    code: str, sentence: str, local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = RecordingClient("cloudformation", {"describe_stacks": client_error(code, "not you")})
    monkeypatch.setattr(account, "client", lambda _service: refusing)
    told = said(run(monkeypatch, {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"} if local else {}, "status"))

    assert sentence in told
    assert ("eval" in told) is (local and "not known" in told)


def test_a_refusal_inside_an_upload_is_told_by_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bucket:
        def upload_file(self, *_: str) -> None:
            error = S3UploadFailedError("Failed to upload")
            error.__context__ = client_error("ExpiredToken", "too old")
            raise error

    ssm = RememberedParameters(answers={"get_parameters_by_path": page(ABALONE)})
    clients: dict[str, Any] = {"cloudformation": CloudFormation(), "s3": Bucket(), "ssm": ssm}
    monkeypatch.setattr(account, "client", clients.__getitem__)
    assert "your AWS credentials have expired: sign in again" in said(run(monkeypatch, {}, "upload", __file__))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"--image": "foo"}, "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"),
        ({"--image": "999999999999.dkr.ecr.us-east-1.amazonaws.com/iris:1"}, "neither this account nor one of the"),
        ({"--commit": "not a commit"}, "the commit's id, at most 128 letters"),
        ({"--model": "Iris"}, "lower-case letters, digits and single hyphens"),
        ({"--model": "a" * 60}, "is too long: 'signalbox-' and the model have room for 63 characters"),
        ({"--hyperparameter": f"depth={'1' * 3000}"}, "hyperparameters.depth is too long"),
        ({}, "train_data s3://signalbox-data/models/iris/train/ holds no data: upload CSV files there"),
    ],
)
def test_a_training_that_the_machine_would_refuse_is_not_started(
    options: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = RecordingClient("stepfunctions")
    cloud = CloudFormation(parameters={"ImageAccounts": "683313688378,257758044811"})
    clients: dict[str, Any] = {"cloudformation": cloud, "stepfunctions": machines, "s3": RecordingClient("s3")}
    clients["ssm"] = RememberedParameters()
    monkeypatch.setattr(account, "client", clients.__getitem__)
    given = dict(zip(COMMANDS[1][1::2], COMMANDS[1][2::2], strict=True)) | options

    told = said(run(monkeypatch, {}, "train", *(word for option in given.items() for word in option)))

    assert told.startswith("error: nothing was started: ")
    assert sentence in told
    assert not machines.calls
