"""Each command reads the stack, does its one thing, and says what happened; what it cannot do is one sentence."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.documents import ROOT
from tests.support.dynamodb import created_table
from tests.support.parameters import RememberedParameters
from tests.support.projects import page
from tests.support.stack import MACHINE, OUTPUTS, CloudFormation
from tests.support.uploads import ABALONE, WINE, a_project
from typer.testing import CliRunner, Result

from signalbox.aws.table import key, put_request
from signalbox_operate import account, cli

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:1"
ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/signalbox-abalone-prod"
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


class Clients(dict[str, Any]):
    """The clients of one test, by service; one that was not prepared records."""

    def __missing__(self, service: str) -> RecordingClient:
        made = self[service] = RecordingClient(service)
        return made


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """The clients that the commands get, for region us-east-1."""
    document = '{"stages": [{"name": "prod", "instance_type": "ml.m5.large", "instance_count": 1}]}'
    found = Clients(
        cloudformation=CloudFormation(),
        dynamodb=RecordingClient("dynamodb", {"query": {"Items": []}}),
        ssm=RememberedParameters({"/signalbox/stages": document}, {"get_parameters_by_path": page(ABALONE)}),
    )
    monkeypatch.setattr(account, "client", found.__getitem__)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("SIGNALBOX_API_URL", raising=False)
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


@dataclass
class Asked:
    """The region and the profile that a command's clients were made for."""

    region: str | None = None
    key: str | None = None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    """A configuration with one profile, and clients that note for whom they were made."""
    (tmp_path / "config").write_text("[profile team]\nregion = eu-central-1\n")
    (tmp_path / "credentials").write_text("[team]\naws_access_key_id = TEAM\naws_secret_access_key = secret\n")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    noted = Asked()

    def client(service: str) -> Any:
        session = account.session()
        credentials = session.get_credentials()
        noted.region, noted.key = session.region_name, credentials.access_key if credentials else None
        return CloudFormation() if service == "cloudformation" else RecordingClient(service)

    monkeypatch.setattr(account, "client", client)
    return noted


@pytest.mark.parametrize(
    ("environment", "options", "region", "key"),
    [
        ({"AWS_REGION": "eu-west-1"}, [], "eu-west-1", None),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-2"}, [], "eu-west-1", None),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, [], "us-east-2", None),
        ({"AWS_REGION": "eu-west-1"}, ["--region", "ap-south-1"], "ap-south-1", None),
        ({"AWS_PROFILE": "team"}, [], "eu-central-1", "TEAM"),
        ({}, ["--profile", "team"], "eu-central-1", "TEAM"),
        ({"AWS_REGION": "eu-west-1"}, ["--profile", "team"], "eu-west-1", "TEAM"),
        ({}, ["--profile", "team", "--region", "ap-south-1"], "ap-south-1", "TEAM"),
    ],
)
def test_region_and_profile_are_those_of_the_options_else_of_the_environment(
    environment: dict[str, str],
    options: list[str],
    region: str,
    key: str | None,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    run("upload", str(Path(__file__)), *options)

    assert (asked.region, asked.key) == (region, key)


def test_a_profile_that_does_not_exist_is_told_in_one_sentence(asked: Asked) -> None:
    done = run("status", "--profile", "nobody")

    assert done.exit_code == 2
    assert "(nobody) could not be found" in " ".join(done.stderr.replace("│", "").split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "deploy", "projects", "train", "upload", "uploads", "invoke", "status"])
def test_every_command_has_region_and_profile(command: str) -> None:
    told = re.sub(r"\x1b\[[\d;]*m", "", run(*command.split(), "--help").output)

    assert "--region" in told
    assert "--profile" in told


@pytest.mark.parametrize("command", [name for name, one in cli.COMMANDS.items() if one.__name__.startswith("show_")])
def test_every_command_that_shows_something_prints_json_where_asked(command: str) -> None:
    told = re.sub(r"\x1b\[[\d;]*m", "", run(*command.split(), "--help").output)

    assert "--json" in told


def test_status_is_json_where_a_program_asks(clients: Clients) -> None:
    endpoint = {"EndpointStatus": "InService", "CreationTime": NOW, "LastModifiedTime": NOW, "EndpointArn": ENDPOINT}
    listed = {"Endpoints": [{"EndpointName": "signalbox-abalone-prod", **endpoint}]}
    runs: dict[str, Any] = {"PipelineExecutionSummaries": []}
    clients["sagemaker"] = RecordingClient("sagemaker", {"list_pipeline_executions": runs, "list_endpoints": listed})
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"list_executions": {"executions": []}})

    (line,) = json.loads(run("status", "--json").output)

    assert (line["kind"], line["name"], line["state"]) == ("endpoint", "signalbox-abalone-prod", "InService")
    assert line["since"] == "2026-11-20T10:00:00+00:00"


def test_train_starts_once_and_says_so_the_second_time(clients: Clients) -> None:
    arn = f"{MACHINE.replace('stateMachine', 'execution')}:train"
    known: list[Any] = [client_error("ExecutionDoesNotExist"), {"status": "SUCCEEDED"}]
    answers = {"describe_execution": known, "start_execution": {"executionArn": arn, "startDate": NOW}}
    clients["stepfunctions"] = RecordingClient("stepfunctions", answers)
    clients["s3"] = RecordingClient("s3", {"list_objects_v2": client_error("AccessDenied")})
    ann = "arn:aws:iam::123456789012:user/ann"
    clients["sts"] = RecordingClient("sts", {"get_caller_identity": {"Arn": ann}})
    first = run(
        "train", "--image", IMAGE, "--commit", "0a1b2c3", "--problem", "binary", "--hyperparameter", "max_depth=3"
    )
    assert first.output.split() == ["started", arn]
    second = run("train", "--image", IMAGE, "--commit", "0a1b2c3", "--problem", "binary")
    assert "were started before and are SUCCEEDED" in second.output
    (started,) = clients["stepfunctions"].requests("StartExecution")
    assert json.loads(started["input"])["started_by"] == ann


def test_train_refuses_a_hyperparameter_without_a_value(clients: Clients) -> None:
    done = run("train", "--image", IMAGE, "--commit", "1", "--problem", "binary", "--hyperparameter", "max_depth")
    assert done.exit_code == 1
    assert "hyperparameter 'max_depth' has to be NAME=VALUE" in done.stderr


def test_train_refuses_a_problem_that_is_none(clients: Clients) -> None:
    done = run("train", "--image", IMAGE, "--commit", "1", "--problem", "classification")
    assert done.exit_code == 1
    assert "problem 'classification' is none: give one of regression, binary, multiclass" in done.stderr


class Bucket:
    """S3, as far as uploads go."""

    def upload_file(self, name: str, bucket: str, key: str) -> None:
        """Take a file."""


def test_upload_says_where_the_files_are(clients: Clients, tmp_path: Path) -> None:
    clients["s3"] = Bucket()
    (tmp_path / "abalone.csv").write_text("M,0.4\n")
    done = run("upload", str(tmp_path / "abalone.csv"))
    assert done.output == "s3://signalbox-data/incoming/abalone.csv\n"


def test_an_upload_goes_to_the_place_of_its_project(clients: Clients, tmp_path: Path) -> None:
    clients["s3"], file = Bucket(), tmp_path / "a.csv"
    file.write_text("M,0.4\n")
    clients["ssm"] = RecordingClient("ssm", {"get_parameters_by_path": page(ABALONE, WINE)})
    assert run("upload", str(file), "--project", "wine").output == "s3://signalbox-data/incoming/wine/a.csv\n"
    unsaid = run("upload", str(file))
    assert "uploads may go to incoming/, incoming/wine/: say which by --project, or by --prefix" in unsaid.stderr
    unknown = run("upload", str(file), "--project", "beer")
    assert "there is no project 'beer': the stack's projects are abalone, wine" in unknown.stderr


def test_an_upload_that_its_project_would_drop_is_refused_before_it_is_made(clients: Clients, tmp_path: Path) -> None:
    clients["s3"], file = RecordingClient("s3"), tmp_path / "a.txt"
    file.write_text("M,0.4\n")
    wine = a_project("wine", "incoming/wine/", suffix=".csv")
    clients["ssm"] = RecordingClient("ssm", {"get_parameters_by_path": page(wine)})
    said = " ".join(run("upload", str(file)).stderr.split())
    assert "incoming/wine/a.txt would be dropped: the project wine wants *.csv there" in said
    assert clients["s3"].calls == []


def test_an_upload_to_a_place_that_nobody_claims_says_that_it_waits(clients: Clients, tmp_path: Path) -> None:
    clients["s3"], file = Bucket(), tmp_path / "a.csv"
    file.write_text("M,0.4\n")
    clients["ssm"] = RecordingClient("ssm", {"get_parameters_by_path": page(WINE)})
    lines = run("upload", str(file), "--prefix", "incoming/beer/").output.splitlines()
    assert lines == [
        "s3://signalbox-data/incoming/beer/a.csv",
        "incoming/beer/a.csv: no project claims this place, so it waits until one does",
    ]
    clients["ssm"] = RecordingClient("ssm", {"get_parameters_by_path": page()})
    assert "no project of the stack takes uploads: deploy one" in run("upload", str(file)).stderr


def test_a_stack_that_is_not_there_ends_every_command_with_one_sentence(clients: Clients) -> None:
    for command in (["status"], ["deploy", str(ROOT / "projects/abalone")], ["invoke", "prod", "--data", "1"]):
        done = run(*command, "--stack", "other")
        assert done.exit_code == 1
        assert done.stderr.startswith("error: there is no stack 'other'")
        assert "Traceback" not in done.output


@dataclass
class Api:
    """An HTTP API that remembers the request."""

    status: int = 200
    body: bytes = b"9.1\n"
    request: AWSPreparedRequest | None = None

    def send(self, request: AWSPreparedRequest) -> Any:
        """Answer as botocore's own session does."""
        self.request = request
        return type("Response", (), {"status_code": self.status, "headers": {}, "content": self.body})()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """The HTTP API that the command line reaches."""
    found = Api()
    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: found.send(request))
    return found


def test_invoke_signs_the_request_for_the_stage_and_prints_the_answer(clients: Clients, api: Api) -> None:
    done = run("invoke", "prod", "--model", "abalone", "--data", "M,0.4")
    assert done.output == "9.1\n"
    assert api.request is not None
    expected = "https://abc123.execute-api.us-east-1.amazonaws.com/stages/prod/invocations?model=abalone"
    assert api.request.url == expected
    assert api.request.body == b"M,0.4"
    assert re.search(r"Credential=AKID/\d{8}/us-east-1/execute-api/aws4_request", str(api.request.headers))


@pytest.mark.parametrize(
    ("environment", "options", "signed"),
    [
        ({"AWS_REGION": "eu-west-1"}, [], "AKID/{}/eu-west-1"),
        ({"AWS_REGION": "eu-west-1"}, ["--region", "ap-south-1"], "AKID/{}/ap-south-1"),
        ({}, ["--profile", "team"], "TEAM/{}/eu-central-1"),
    ],
)
def test_invoke_signs_for_the_region_and_as_the_profile_that_are_asked_for(
    environment: dict[str, str],
    options: list[str],
    signed: str,
    asked: Asked,
    clients: Clients,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if options[:1] == ["--profile"]:
        for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    run("invoke", "prod", "--data", "M,0.4", *options)

    assert api.request is not None
    wanted = f"Credential={signed.format(r'\d{8}')}/execute-api/aws4_request"
    assert re.search(wanted, str(api.request.headers))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SIGNALBOX_API_URL", "http://127.0.0.1:4566/public/"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")],
)
def test_invoke_reaches_the_api_under_another_address(
    clients: Clients, api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    (tmp_path / "rows.csv").write_bytes(b"M,0.4\nF,0.5\n")
    assert run("invoke", "staging", "--file", str(tmp_path / "rows.csv")).exit_code == 0
    assert api.request is not None
    assert api.request.url == "http://127.0.0.1:4566/public/stages/staging/invocations"
    assert api.request.body == b"M,0.4\nF,0.5\n"


def test_invoke_tells_the_apis_refusal_and_fails(clients: Clients, api: Api) -> None:
    api.status, api.body = 404, b'{"error": "there is no stage"}'
    done = run("invoke", "moon", "--data", "1")
    assert done.exit_code == 1
    assert 'the API answered 404: {"error": "there is no stage"}' in done.stderr


def test_invoke_wants_one_body(clients: Clients) -> None:
    assert "either with --data or with --file" in run("invoke", "prod").stderr


@pytest.fixture
def tables() -> Iterator[Any]:
    """The stack's tables, in a DynamoDB that remembers."""
    with mock_aws():
        for output in ("UploadsTable", "ReviewsTable", "ReleasesTable"):
            dynamodb = created_table(OUTPUTS[output])
        yield dynamodb


def write(dynamodb: Any, output: str, pk: str, sk: str, **item: str) -> None:
    """Write an item into a table of the stack."""
    dynamodb.put_item(**put_request(OUTPUTS[output], key(pk, sk) | item))


def test_status_says_what_waits_since_when_and_for_what(clients: Clients, tables: Any) -> None:
    named = {"stateMachineArn": MACHINE, "status": "RUNNING", "startDate": NOW}
    reviewed = [named | {"name": "review-3", "executionArn": "arn-of-review-3"}]
    releasing = [named | {"name": name, "executionArn": f"arn-of-{name}"} for name in ("release-4", "release-5")]
    answers = {
        "list_executions": [{"executions": reviewed}, {"executions": releasing}],
        "describe_execution": {"input": '{"model": "abalone"}'},
    }
    clients["sagemaker"] = RecordingClient(
        "sagemaker", {"list_pipeline_executions": client_error("ResourceNotFound"), "list_endpoints": {"Endpoints": []}}
    )
    clients["stepfunctions"], clients["dynamodb"] = RecordingClient("stepfunctions", answers), tables
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"
    times = {"created_at": "2026-11-20T09:00:00.000000Z", "expires_at": "2026-11-27T09:00:00.000000Z"}
    open_one = {"status": "open", "package": package, "model": "abalone", "token": "t"} | times
    for execution, kind, stage, review in (
        ("review-3", "package", "", open_one),
        ("release-4", "stage", "prod", open_one),
        ("release-4", "stage", "lab", open_one | {"status": "approved"}),
    ):
        name = f"{execution}-{stage}"
        write(tables, "ReviewsTable", f"execution#arn-of-{execution}", f"review#{kind}#{stage}", review=name)
        asked_by = {"id": name, "kind": kind, "stage": stage, "execution_arn": f"arn-of-{execution}"}
        write(tables, "ReviewsTable", f"review#{name}", "review", **review | asked_by)
    at = {"at": "2026-11-20T10:00:14.000000Z", "stage": "prod"}
    waits = {"action": "wait", "waits_for": "the endpoint, which is moved by another execution or by SageMaker"}
    write(tables, "ReleasesTable", "model#abalone", "action#s#release-5#00002", **at | waits)

    said = run("status").output

    asked = "asked 2026-11-20T09:00:00Z, expires 2026-11-27T09:00:00Z"
    assert f"review-3: the approval of signalbox-abalone/3 is open: {asked}" in said
    assert f"release-4: the approval of signalbox-abalone/3 for prod is open: {asked}" in said
    assert "for lab" not in said
    assert "release-5: wait in prod, since 2026-11-20T10:00:14Z, for the endpoint, which is moved by another" in said


def test_status_lists_runs_open_executions_and_endpoints(clients: Clients, tables: Any) -> None:
    run_arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/signalbox-abalone/execution/p4jn9xou8a8s"
    runs = {"PipelineExecutionArn": run_arn, "PipelineExecutionStatus": "Failed", "StartTime": NOW}
    endpoint = {"EndpointStatus": "InService", "CreationTime": NOW, "LastModifiedTime": NOW, "EndpointArn": ENDPOINT}
    names = ["signalbox-abalone-prod", "other-signalbox-abalone"]
    clients["sagemaker"] = RecordingClient(
        "sagemaker",
        {
            "list_pipeline_executions": {
                "PipelineExecutionSummaries": [{**runs, "PipelineExecutionFailureReason": "MSE [7.1] is too high"}]
            },
            "list_endpoints": {"Endpoints": [{"EndpointName": name, **endpoint} for name in names]},
        },
    )
    waiting = {
        "executionArn": "e",
        "stateMachineArn": MACHINE,
        "name": "review-3",
        "status": "RUNNING",
        "startDate": NOW,
    }
    releasing = [waiting | {"name": name, "executionArn": f"arn-of-{name}"} for name in ("release-4", "release-5")]
    pages = [{"executions": [waiting]}, {"executions": releasing}]  # of each machine
    answers = {"list_executions": pages, "describe_execution": {"input": '{"model": "abalone"}'}}
    clients["stepfunctions"] = RecordingClient("stepfunctions", answers)
    clients["dynamodb"] = tables
    action = {"action": "update-endpoint", "stage": "prod", "at": "2026-11-20T10:00:14.000000Z"}
    write(tables, "ReleasesTable", "model#abalone", "action#s#release-4#00007", **action)
    done = run("status")
    assert done.exit_code == 0, done.output
    for text in ("p4jn9xou8a8s", "Failed", "MSE [7.1] is too high", "review-3", "signalbox-abalone-prod", "InService"):
        assert text in done.output
    assert "release-4: update-endpoint in prod, since 2026-11-20T10:00:14Z" in done.output
    assert "release-5: " not in done.output
    assert "other-signalbox" not in done.output


def left_over(clients: Clients, *names: str) -> str:
    """Return what the status of a stack with these endpoints says."""
    endpoint = {"EndpointStatus": "InService", "CreationTime": NOW, "LastModifiedTime": NOW, "EndpointArn": ENDPOINT}
    listed = {"Endpoints": [{"EndpointName": name, **endpoint} for name in names]}
    runs: dict[str, Any] = {"PipelineExecutionSummaries": []}
    clients["sagemaker"] = RecordingClient("sagemaker", {"list_pipeline_executions": runs, "list_endpoints": listed})
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"list_executions": {"executions": []}})
    return run("status").output


def test_status_says_which_endpoints_are_of_a_stage_that_was_taken_out_and_how_to_delete_them(clients: Clients) -> None:
    said = left_over(clients, "signalbox-abalone-prod", "signalbox-abalone-canary")
    assert "signalbox-abalone-canary: the stages document has no stage canary, so nothing is released to it" in said
    assert "aws sagemaker delete-endpoint --endpoint-name signalbox-abalone-canary" in said
    assert "signalbox-abalone-prod: " not in said


@pytest.mark.parametrize(
    "answer",
    [
        {"Parameter": {"Value": "{}"}},
        client_error("AccessDeniedException"),
        client_error("ParameterNotFound"),
    ],
)
def test_status_says_nothing_of_stages_where_their_document_cannot_be_read(clients: Clients, answer: Any) -> None:
    clients["ssm"] = RecordingClient("ssm", {"get_parameter": answer, "get_parameters_by_path": page(ABALONE)})
    said = left_over(clients, "signalbox-abalone-canary")
    assert "signalbox-abalone-canary" in said
    assert "stages document" not in said


def test_the_prefix_is_the_stacks_output_where_it_is_not_the_stacks_name(clients: Clients) -> None:
    clients["cloudformation"] = CloudFormation(outputs={**OUTPUTS, "Prefix": "team-a"})
    pipelines = {"abalone": ABALONE.pipelines["abalone"]._replace(name="team-a-abalone")}
    named = page(ABALONE._replace(pipelines=pipelines), prefix="team-a")
    clients["ssm"] = RecordingClient(
        "ssm", {"get_parameter": client_error("ParameterNotFound"), "get_parameters_by_path": named}
    )
    endpoint = {"EndpointStatus": "InService", "CreationTime": NOW, "LastModifiedTime": NOW, "EndpointArn": ENDPOINT}
    names = ["signalbox-abalone-prod", "team-a-abalone-prod"]
    listed = {"Endpoints": [{"EndpointName": name, **endpoint} for name in names]}
    runs: dict[str, Any] = {"PipelineExecutionSummaries": []}
    clients["sagemaker"] = RecordingClient("sagemaker", {"list_pipeline_executions": runs, "list_endpoints": listed})
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"list_executions": {"executions": []}})

    done = run("status")

    assert "team-a-abalone-prod" in done.output
    assert "signalbox-abalone-prod" not in done.output
    assert clients["sagemaker"].requests("ListPipelineExecutions")[0]["PipelineName"] == "team-a-abalone"


def test_status_of_a_new_stack_says_that_nothing_happens(clients: Clients) -> None:
    clients["sagemaker"] = RecordingClient(
        "sagemaker", {"list_pipeline_executions": client_error("ResourceNotFound"), "list_endpoints": {"Endpoints": []}}
    )
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"list_executions": {"executions": []}})
    assert run("status").output == "nothing waits, nothing runs, nothing serves\n"


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert run("--version").output == f"signalbox {project['version']}\n"


def test_a_shell_can_complete_the_commands() -> None:
    shown = CliRunner().invoke(cli.app, ["--show-completion"], env={"SHELL": "/bin/bash"}, prog_name="signalbox")
    assert "--install-completion" in run("--help").output
    environment = {"_SIGNALBOX_COMPLETE": "complete_bash", "COMP_WORDS": "signalbox up", "COMP_CWORD": "1"}
    completed = CliRunner().invoke(cli.app, [], env=environment, prog_name="signalbox")
    assert shown.exit_code in (0, 1)
    assert completed.output.split() == ["upload", "uploads"]


def test_keys_and_answers_with_brackets_are_shown_as_they_are(clients: Clients, tmp_path: Path) -> None:
    file = tmp_path / "a [red]b [bold] [x].csv"
    file.write_text("1,2\n")
    clients["s3"] = Bucket()
    assert run("upload", str(file)).output == f"s3://{OUTPUTS['DataBucket']}/incoming/{file.name}\n"
    clients["cloudformation"] = RecordingClient(
        "cloudformation", {"describe_stacks": client_error("X", "no [/] right")}
    )
    assert "no [/] right" in run("status").stderr
