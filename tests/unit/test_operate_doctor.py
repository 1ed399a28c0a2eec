"""What is missing before a stack does its work is said, with what to do; and where a person looks at it."""

import json
import webbrowser
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.parameters import RememberedParameters
from tests.support.stack import CloudFormation
from typer.testing import CliRunner, Result

from signalbox.project_documents import Project, ProjectPipeline, to_json
from signalbox_operate import account, cli

PARAMETERS = {
    "Sender": "models@example.com",
    "Approvers": "ann@example.com, bob@example.org",
    "CreateSenderIdentity": "yes",
    "TrainingInstanceType": "ml.m5.xlarge",
}
STAGES = {
    "stages": [
        {"name": "staging", "instance_type": "ml.m5.large", "instance_count": 1},
        {"name": "prod", "instance_type": "ml.m5.large", "instance_count": 2},
    ]
}


class Ses(RecordingClient):
    """SES in its sandbox, which has verified some identities."""

    def __init__(self, *verified: str, production: bool = False) -> None:
        super().__init__("sesv2", {"get_account": {"ProductionAccessEnabled": production, "SendingEnabled": True}})
        self.verified = verified

    def _get_email_identity(self, **request: Any) -> dict[str, Any]:
        if request["EmailIdentity"] not in (*self.verified, "ann@example.com"):
            raise client_error("NotFoundException", status=404)
        return {"VerifiedForSendingStatus": request["EmailIdentity"] in self.verified}


class Quotas(RecordingClient):
    """Service Quotas: defaults, and what the account has instead."""

    def __init__(self, endpoints: float = 5.0) -> None:
        super().__init__("service-quotas")
        self.endpoints = endpoints

    def _list_aws_default_service_quotas(self, **_request: Any) -> dict[str, Any]:
        listed = {"ml.m5.large for endpoint usage": 0.0, "ml.m5.xlarge for training job usage": 1.0}
        return {"Quotas": [{"QuotaName": name, "Value": value} for name, value in listed.items()]}

    def _list_service_quotas(self, **_request: Any) -> dict[str, Any]:
        return {"Quotas": [{"QuotaName": "ml.m5.large for endpoint usage", "Value": self.endpoints}]}


class Iam(RecordingClient):
    """IAM, whose simulator denies some actions."""

    def __init__(self, *denied: str) -> None:
        super().__init__("iam")
        self.denied = denied

    def _get_role(self, **request: Any) -> dict[str, Any]:
        return {"Role": {"Arn": f"arn:aws:iam::123456789012:role/team/{request['RoleName']}"}}

    def _simulate_principal_policy(self, **request: Any) -> dict[str, Any]:
        (action,) = request["ActionNames"]
        decision = "implicitDeny" if action in self.denied else "allowed"
        return {"EvaluationResults": [{"EvalActionName": action, "EvalDecision": decision}]}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The clients of a stack that lacks nothing."""
    for name, value in {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session = "arn:aws:sts::123456789012:assumed-role/Operators/eve"
    found: dict[str, Any] = {
        "cloudformation": CloudFormation(parameters=PARAMETERS),
        "sesv2": Ses("models@example.com", production=True),
        "sagemaker": RecordingClient(
            "sagemaker", {"list_pipelines": {"PipelineSummaries": [{"PipelineName": "signalbox-abalone"}]}}
        ),
        "ssm": RecordingClient(
            "ssm",
            {
                "get_parameter": {"Parameter": {"Value": json.dumps(STAGES)}},
                "get_parameters_by_path": {"Parameters": []},
            },
        ),
        "dynamodb": RecordingClient("dynamodb", {"query": {"Items": []}}),
        "service-quotas": Quotas(),
        "sts": RecordingClient("sts", {"get_caller_identity": {"Arn": session}}),
        "iam": Iam(),
    }
    monkeypatch.setattr(account, "client", found.__getitem__)
    return found


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def lines(result: Result, state: str) -> list[str]:
    return [line.removeprefix(state).strip() for line in result.output.splitlines() if line.startswith(state)]


def test_a_stack_that_lacks_nothing_is_said_to(clients: dict[str, Any]) -> None:
    done = ask("doctor")

    assert done.exit_code == 0, done.output
    assert lines(done, "missing") == lines(done, "unknown") == []
    assert "models are released to staging, prod" in lines(done, "ok")
    policies = clients["iam"].requests("SimulatePrincipalPolicy")
    assert {one["PolicySourceArn"] for one in policies} == {"arn:aws:iam::123456789012:role/team/Operators"}


def test_addresses_that_ses_does_not_know_are_named_with_the_way_out(clients: dict[str, Any]) -> None:
    clients["sesv2"] = Ses("example.org")

    done = ask("doctor")

    assert done.exit_code == 1
    sender, ann = lines(done, "missing")
    assert sender.startswith("mails come from models@example.com: SES has not verified it: follow the link")
    assert "the SES sandbox: ask for production access" in ann
    assert "aws sesv2 create-email-identity --email-identity ann@example.com" in ann
    assert "SES sends to bob@example.org" in lines(done, "ok")


def test_a_sender_that_the_stack_does_not_verify_is_to_be_verified_by_hand(clients: dict[str, Any]) -> None:
    clients["cloudformation"] = CloudFormation(parameters=PARAMETERS | {"CreateSenderIdentity": "no"})
    clients["sesv2"] = Ses(production=True)

    (missing,) = lines(ask("doctor"), "missing")

    assert "aws sesv2 create-email-identity --email-identity models@example.com" in missing


def test_an_account_whose_sending_is_paused_is_told(clients: dict[str, Any]) -> None:
    clients["sesv2"].answers["get_account"] = {"ProductionAccessEnabled": True, "SendingEnabled": False}

    assert lines(ask("doctor"), "missing") == [
        "SES sends mails: SES has paused this account: see its reputation in the console"
    ]


def test_a_project_whose_pipeline_is_not_there_is_told_with_the_command_that_makes_it(clients: dict[str, Any]) -> None:
    pipelines = {"wine": ProjectPipeline("signalbox-wine", ("wine",))}
    document = to_json(Project("wine", "wine-0123456789ab", pipelines=pipelines))
    parameter = {"Name": "/signalbox/projects/wine", "Value": document}
    clients["ssm"].answers["get_parameters_by_path"] = {"Parameters": [parameter]}

    (missing,) = lines(ask("doctor"), "missing")

    assert missing.startswith("project wine has its pipelines: signalbox-wine is not there: run `signalbox deploy`")


def test_an_automation_whose_builds_are_believed_is_told_with_the_command_that_ends_that(
    clients: dict[str, Any],
) -> None:
    texts = {
        "/signalbox/automations/abalone": "{}",
        "/signalbox/automations/wine": "{}",
        "/signalbox/grants/wine": "{}",
    }
    clients["ssm"] = RememberedParameters(texts | {"/signalbox/stages": json.dumps(STAGES)})

    done = ask("doctor")

    (missing,) = lines(done, "missing")
    assert missing.startswith("what builds of abalone write is held against a grant: functions believe whatever")
    assert "`signalbox projects create`" in missing
    assert "what builds of wine write is held against a grant" in lines(done, "ok")


def test_an_upload_that_no_project_claims_is_told(clients: dict[str, Any]) -> None:
    upload = {"bucket": "data", "key": "incoming/x.csv", "version": "1", "recorded_at": "2026-11-20T10:00:00.000000Z"}
    place = {"pk": "waiting#unclaimed--#7", "sk": "2026-11-20T10:00:00.000000Z#7"}
    item = {name: {"S": value} for name, value in {**place, **upload}.items()} | {"size": {"N": "1"}}

    def query(**request: Any) -> dict[str, Any]:
        return {"Items": [item] if request["ExpressionAttributeValues"][":pk"] == item["pk"] else []}

    clients["dynamodb"].answers["query"] = query

    (missing,) = lines(ask("doctor"), "missing")

    assert missing.startswith("every upload belongs to a project: s3://data/incoming/x.csv does not: deploy a project")


def test_a_quota_has_to_hold_the_instances_of_all_stages_and_of_an_update(clients: dict[str, Any]) -> None:
    clients["service-quotas"] = Quotas(endpoints=4.0)

    (missing,) = lines(ask("doctor"), "missing")

    assert missing.startswith("quota “ml.m5.large for endpoint usage”: it is 4, and 5 are needed")


def test_a_quota_that_sagemaker_does_not_have_is_unknown(clients: dict[str, Any]) -> None:
    clients["cloudformation"] = CloudFormation(parameters=PARAMETERS | {"TrainingInstanceType": "ml.m5.huge"})

    done = ask("doctor")

    assert done.exit_code == 0
    (unknown,) = lines(done, "unknown")
    assert unknown.startswith("quota “ml.m5.huge for training job usage”: SageMaker knows no such quota")


def test_a_stages_document_that_cannot_be_used_is_told(clients: dict[str, Any]) -> None:
    clients["ssm"].answers["get_parameter"] = {"Parameter": {"Value": "{}"}}

    (missing,) = lines(ask("doctor"), "missing")

    assert missing.startswith("the stages document /signalbox/stages: no release can be planned")


def test_what_the_caller_may_not_do_is_named_with_the_command_that_needs_it(clients: dict[str, Any]) -> None:
    clients["iam"] = Iam("s3:PutObject")

    (missing,) = lines(ask("doctor"), "missing")

    assert "you may not s3:PutObject on arn:aws:s3:::signalbox-data/* (for upload)" in missing


def test_the_accounts_root_is_not_asked_about(clients: dict[str, Any]) -> None:
    clients["sts"].answers["get_caller_identity"] = {"Arn": "arn:aws:iam::123456789012:root"}

    assert ask("doctor").exit_code == 0
    assert clients["iam"].calls == []


def test_what_may_not_be_looked_at_is_unknown_and_the_rest_goes_on(clients: dict[str, Any]) -> None:
    clients["iam"].answers["get_role"] = client_error("AccessDenied", "no iam:GetRole")
    clients["service-quotas"].answers["list_aws_default_service_quotas"] = client_error("AccessDeniedException")

    done = ask("doctor")

    assert done.exit_code == 0
    permissions, quotas = lines(done, "unknown")
    assert permissions.startswith("your permissions: it could not be looked at:")
    assert "no iam:GetRole" in permissions
    assert quotas.startswith("the stages and their quotas: it could not be looked at:")
    assert "models are released to staging, prod" in lines(done, "ok")


def test_findings_are_json_where_a_program_asks(clients: dict[str, Any]) -> None:
    clients["sesv2"] = Ses(production=True)

    done = ask("doctor", "--json")

    assert done.exit_code == 1
    (missing,) = [one for one in json.loads(done.output) if one["state"] == "missing"]
    assert missing["what"] == "mails come from models@example.com"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to open."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


@pytest.mark.parametrize(
    ("what", "address"),
    [
        (
            [],
            "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks?filteringText=signalbox",
        ),
        (["uploads"], "https://us-east-1.console.aws.amazon.com/s3/buckets/signalbox-data?region=us-east-1"),
        (["endpoints"], "https://us-east-1.console.aws.amazon.com/sagemaker/home?region=us-east-1#/endpoints"),
    ],
)
def test_a_page_of_the_console_is_opened_and_its_address_printed(
    clients: dict[str, Any], opened: list[str], what: list[str], address: str
) -> None:
    assert ask("open", *what).output == f"{address}\n"
    assert opened == [address]


def test_beside_the_local_cloud_its_inbox_is_opened(
    clients: dict[str, Any], opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")

    assert ask("open").output == "http://127.0.0.1:4566/_local/inbox\n"
    assert opened == ["http://127.0.0.1:4566/_local/inbox"]


def test_a_page_that_there_is_none_of_is_told_with_those_that_there_are(clients: dict[str, Any]) -> None:
    done = ask("open", "moon")

    assert done.exit_code == 1
    assert "there is no page 'moon': the pages are stack, uploads, trainings, releases, endpoints" in done.stderr
