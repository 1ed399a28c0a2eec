"""An approved release ends released though 5, 20 or 50 of 100 calls of its functions meet a fault.

The release machine's definition runs in this process, its functions are the real ones and reach the local cloud through
the proxy; what Step Functions does itself, it does beside the proxy. The library waits less between its tries.
"""

import importlib
import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ExponentialBackoff

from sagemaker_local.process import LocalCloud
from sagemaker_local.server import REGION, credentials
from signalbox.aws.errors import ServiceBusyError
from tests.contract.world import World, allow, image, name
from tests.sagemaker_local.support.jobs import tar_gz
from tests.support.faults import Fault, Weather, faulty_proxy
from tests.support.machines import EXECUTION_ARN, Return, Throw, run_machine
from tests.support.samples import lambda_context
from tests.unit.release_scenarios import MACHINE, SUBSTITUTIONS
from tests.unit.test_call_depth import forget

if TYPE_CHECKING:
    from tests.support.machines import Mock

STAGES = {
    "stages": [{"name": name, "instance_type": "ml.m5.large", "instance_count": 1} for name in ("staging", "prod")]
}
GOLDEN = {
    "problem": "classification",
    "content_type": "text/csv",
    "requests": [{"body": f"row {number}", "expected": f"row {number}"} for number in range(10)],
}
NETWORK: tuple[Fault, ...] = ("drop", "refuse", "delay", "lose", "cut")
_SDK = {
    "CreateModel": ("sagemaker", "create_model"),
    "CreateConfig": ("sagemaker", "create_endpoint_config"),
    "CreateEndpoint": ("sagemaker", "create_endpoint"),
    "Record": ("dynamodb", "put_item"),
}
_FUNCTIONS = {"Plan": "plan_release", "Verify": "verify_release", "Announce": "announce"}


@pytest.fixture
def weather(cloud: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Weather]:
    """Let the functions of this process reach the cloud through a proxy, and the library try again soon."""
    weather = Weather(kinds=NETWORK, late=0.2)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    with faulty_proxy(cloud.url, weather) as proxy:
        keys = {
            **credentials(cloud.secret),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": proxy.url,
        }
        for variable, value in keys.items():
            monkeypatch.setenv(variable, value)
        forget()
        yield weather
    forget()


def approved_package(cloud: World, group: str) -> str:
    """Register an approved package, write its evidence (report and golden requests), and return its ARN."""
    data = tar_gz({"model": "1"})
    bucket, sagemaker, s3 = cloud.bucket({"model.tar.gz": data}), cloud.client("sagemaker"), cloud.client("s3")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    home = f"s3://{bucket}"
    tag = image("echo")
    repository, digest = tag.rpartition(":")[0], registered(cloud, group, tag, home)["ImageDigest"]
    package = registered(cloud, group, f"{repository}@{digest}", home)["Package"]
    content = {
        "image": f"{repository}@{digest}",
        "source": f"{home}/model.tar.gz",
        "source_etag": s3.head_object(Bucket=bucket, Key="model.tar.gz")["ETag"].strip('"'),
        "model_data": f"{home}/model.tar.gz",
        "version": None,
        "etag": s3.head_object(Bucket=bucket, Key="model.tar.gz")["ETag"].strip('"'),
        "environment": {},
        "specification": None,
    }
    evidence = {"report.json": {"package": package, "content": content}, "golden.json": GOLDEN | {"content": content}}
    for key, document in evidence.items():
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    return package


def registered(cloud: World, group: str, container: str, home: str) -> dict[str, str]:
    """Register an approved package; return its ARN (`Package`) and its image's digest (`ImageDigest`)."""
    sagemaker = cloud.client("sagemaker")
    made = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": container, "ModelDataUrl": f"{home}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties={"golden": f"{home}/golden.json", "report": f"{home}/report.json"},
    )
    package = str(made["ModelPackageArn"])
    described = sagemaker.describe_model_package(ModelPackageName=package)["InferenceSpecification"]["Containers"][0]
    return {"Package": package, "ImageDigest": str(described["ImageDigest"])}


def deployed(cloud: World, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make what the template makes for the functions, and tell them of it."""
    table, parameter = name("releases"), f"/{prefix}/stages"
    keys: Any = [("pk", "HASH"), ("sk", "RANGE")]
    cloud.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one, _ in keys],
        KeySchema=[{"AttributeName": one, "KeyType": kind} for one, kind in keys],
    )
    cloud.client("ssm").put_parameter(Name=parameter, Type="String", Value=json.dumps(STAGES))
    mails = cloud.client("sesv2")
    mails.create_email_identity(EmailIdentity="example.com")
    mails.create_configuration_set(ConfigurationSetName=f"{prefix}-mails")
    settings = {
        "PREFIX": prefix,
        "STAGES_PARAMETER": parameter,
        "RELEASES_TABLE": table,
        "MODEL_ROLE_ARN": cloud.role(allow("*")),
        "POLL_SECONDS": "1",
        "SENDER": "models@example.com",
        "APPROVERS": "ann@example.com",
        "MAIL_SETTINGS": f"{prefix}-mails",
        "REPLY_TO": "team@example.com",
        "API_URL": "https://example.com",
    }
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)


def asking(function: str) -> Callable[[Any], Return | Throw]:
    """Return what a task does that calls a function: an error of it fails the task by its class's name."""

    def asked(arguments: Any) -> Return | Throw:
        payload = json.loads(json.dumps(arguments["Payload"]))
        try:
            answer = importlib.import_module(f"functions.{function}.app").handler(payload, lambda_context(function))
        except ServiceBusyError as error:
            return Throw("ServiceBusyError", str(error))
        if answer.get("action") == "wait":
            time.sleep(0.2)
        return Return(json.loads(json.dumps(answer)))

    return asked


def calling(cloud: World, service: str, operation: str) -> Callable[[Any], Return | Throw]:
    """Return what a task does that calls AWS itself."""

    def called(arguments: Any) -> Return | Throw:
        try:
            getattr(cloud.client(service), operation)(**arguments)
        except ClientError as error:
            return Throw("SageMaker.SageMakerException", str(error))
        return Return(None)

    return called


@pytest.mark.parametrize("percent", [5, 20, 50])
def test_an_approved_release_ends_released_whatever_the_network_loses(
    percent: int, cloud: World, local_cloud: LocalCloud, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix, model = name("storm"), f"m{percent}"
    package = approved_package(cloud, f"{prefix}-{model}")
    deployed(cloud, prefix, monkeypatch)
    mocks: dict[str, Mock] = {state: asking(function) for state, function in _FUNCTIONS.items()}
    mocks |= {state: calling(cloud, *call) for state, call in _SDK.items()}
    mailed = len(local_cloud.mails())

    weather.share = percent / 100
    run = run_machine(MACHINE, SUBSTITUTIONS, {"model": model, "package": package, "trigger": "approved"}, mocks)

    assert weather.met.total() - weather.met["none"] > percent / 5, "the proxy did its part"
    assert (run.status, run.error, run.cause) == ("SUCCEEDED", None, None)
    assert [(stage["stage"], stage["verdict"], stage["answers"]) for stage in run.output["stages"]] == [
        ("staging", "released", 10),
        ("prod", "released", 10),
    ]
    sagemaker = cloud.client("sagemaker")
    for stage in ("staging", "prod"):
        endpoint = sagemaker.describe_endpoint(EndpointName=f"{prefix}-{model}-{stage}")
        assert endpoint["EndpointStatus"] == "InService"
    told = local_cloud.mails()[mailed:]
    assert told
    assert all(EXECUTION_ARN.rpartition(":")[2] in json.dumps(mail) for mail in told)
