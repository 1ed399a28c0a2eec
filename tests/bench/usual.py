"""A usual event of each function, and what AWS would answer to it: what handling is measured with.

The adapters are the real ones; only the clients under them are replaced, so that handling includes what the adapters
cost, and no call.
"""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from tests.support.samples import http_event, sample, sqs_event, with_detail

type Answers = Mapping[str, Mapping[str, Any]]

_PREFIX, _MODEL, _PIPELINE = "signalbox", "abalone", "signalbox-abalone"
_AWS = "us-east-1:123456789012"
_PACKAGE = f"arn:aws:sagemaker:{_AWS}:model-package/signalbox-abalone/2"
_EXECUTION = f"arn:aws:states:{_AWS}:execution:signalbox-mlops:run-7"
_EVIDENCE = "s3://artifacts/evaluations/run-7"
_SECRET = "0123456789abcdef0123456789abcdef"  # opens nothing
_HOOK_SECRET = "an example of a secret, which opens nothing"  # which the samples of webhooks are signed with
_APPROVER = "ann@example.com"
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/abalone"
_DIGEST = f"sha256:{'a' * 64}"
CONTENT: dict[str, Any] = {
    "image": f"{_IMAGE}@{_DIGEST}",
    "source": "s3://artifacts/training/run-7/job/output/model.tar.gz",
    "source_etag": "etag",
    "model_data": "s3://artifacts/packages/run-7/model.tar.gz",
    "version": "v1",
    "etag": "etag",
    "environment": {},
    "specification": None,
}
_KEPT: dict[str, Any] = {
    "VersionId": "v1",
    "ETag": '"etag"',
    "ContentLength": 1_000,
    "LastModified": datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
}
_SHELL = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"
ROWS = 30
_STAGES = [
    {"name": "staging", "instance_type": "ml.m5.large", "instance_count": 1},
    {"name": "prod", "instance_type": "ml.m5.large", "instance_count": 2, "approval": True, "alarms": True},
]
_ENDPOINT = {"EndpointName": "e", "EndpointConfigName": "c", "EndpointStatus": "InService"}
_CONFIG = {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v", "ModelName": "m"}]}
_SERVED = {"Containers": [{"ModelPackageName": _PACKAGE[:-1] + "1"}]}
ENVIRONMENT = {
    "PREFIX": _PREFIX,
    "DEFAULT_MODEL": _MODEL,
    "DATA_BUCKET": "data",
    "ARTIFACTS_BUCKET": "artifacts",
    "SENDER": "signalbox@example.com",
    "REPLY_TO": "signalbox@example.com",
    "MAIL_SETTINGS": "untracked",
    "APPROVERS": _APPROVER,
    "REVIEW_URL": "https://abc.example.com",
    "PAGE_URL": "own",
    "MLOPS_MACHINE_ARN": f"arn:aws:states:{_AWS}:stateMachine:signalbox-mlops",
    "RELEASE_MACHINE_ARN": f"arn:aws:states:{_AWS}:stateMachine:signalbox-release",
    "MODEL_ROLE_ARN": "arn:aws:iam::123456789012:role/model",
    "JOB_ROLE_ARN": "arn:aws:iam::123456789012:role/job",
    "TEST_ROLE_ARN": "arn:aws:iam::123456789012:role/test",
    "KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/stack",
    "TRAINING_INSTANCE_TYPE": "ml.m5.large",
    "TRANSFORM_INSTANCE_TYPE": "ml.m5.large",
    "IMAGE_ACCOUNTS": "123456789012,683313688378",
}


@dataclass(frozen=True)
class Usual:
    """A function's usual event and AWS's answers: by service and operation, a value or a function of the request."""

    event: dict[str, Any]
    answers: Answers


def _projects() -> dict[str, Any]:
    """Return what the parameter store has: one project, with one pipeline and a grant."""
    uploads = [{"prefix": "incoming/", "suffix": "", "quiet_seconds": 60, "pipeline": _MODEL}]
    pipeline = {"name": _PIPELINE, "parameter": "InputManifest", "takes": "manifest", "models": [_MODEL]}
    project = {"project": _MODEL, "id": f"{_MODEL}-0123456789ab", "uploads": uploads, "pipelines": {_MODEL: pipeline}}
    grant = {"prefixes": ["incoming/"], "models": [_MODEL]}

    def below(Path: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        found = grant if Path.endswith("/grants") else project
        return {"Parameters": [{"Name": f"{Path}/{_MODEL}", "Value": json.dumps(found)}]}

    return {"get_parameters_by_path": below}


def _record_uploads() -> Usual:
    found = {"VersionId": "v1", "ETag": '"e1"', "ContentLength": 191_873, "LastModified": datetime.now(UTC)}
    answers: Answers = {
        "s3": {"head_object": found},
        "dynamodb": {"transact_write_items": {}},
        "sqs": {"send_message": {}},
        "ssm": _projects(),
    }
    return Usual(sqs_event(sample("s3/object-created")), answers)


def _start_run() -> Usual:
    waits = {"bucket": "data", "key": "incoming/a.csv", "version": "v1", "recorded_at": "2026-11-20T12:00:00+00:00"}
    waits |= {"pk": f"waiting#{_PIPELINE}--#0", "sk": "2026-11-20T12:00:00+00:00#0"}
    item = {**{name: {"S": value} for name, value in waits.items()}, "size": {"N": "9"}}

    def query(**request: Any) -> dict[str, Any]:
        asked = request["ExpressionAttributeValues"][":pk"]["S"]
        return {"Items": [item] if asked == waits["pk"] or asked.startswith("run#") else []}

    table = {"query": query, "put_item": {}, "update_item": {"Attributes": {}}, "transact_write_items": {}}
    started = {"PipelineExecutionArn": f"arn:aws:sagemaker:{_AWS}:pipeline/{_PIPELINE}/execution/abcdefghijkl"}
    answers: Answers = {
        "dynamodb": table,
        "s3": {"put_object": {}, "head_object": _KEPT},
        "sagemaker": {"start_pipeline_execution": started},
        "ssm": _projects(),
    }
    return Usual(sqs_event({"kind": "run-requested", "pipeline": _PIPELINE}, group=_PIPELINE), answers)


def _on_code_push() -> Usual:
    automation = {
        "project": "abalone",
        "repository": {"provider": "codecommit", "name": "signalbox-abalone"},
        "main": "main",
        "build": "signalbox-abalone",
    }
    document = {"Name": "/signalbox/automations/abalone", "Value": json.dumps(automation)}
    answers: Answers = {
        "ssm": {"get_parameters_by_path": {"Parameters": [document]}},
        "codecommit": {"get_branch": {"branch": {"branchName": "main", "commitId": "3e5983" + "0" * 34}}},
        "codebuild": {"start_build": {"build": {"id": "signalbox-abalone:1"}}},
        "dynamodb": {"get_item": {}, "put_item": {}, "update_item": {"Attributes": {}}},
    }
    return Usual(sqs_event(sample("codecommit/branch-updated"), group="abalone", queue="pushes"), answers)


def _on_model_package() -> Usual:
    named = {"ModelPackageGroupName": "signalbox-abalone", "ModelPackageVersion": 2, "ModelPackageArn": _PACKAGE}
    expired = _review() | {"status": {"S": "expired"}}
    answers: Answers = {
        "sagemaker": {
            "describe_model_package": {
                "ModelPackageArn": _PACKAGE,
                "ModelPackageStatus": "Completed",
                "ModelApprovalStatus": "Approved",
            }
        },
        "dynamodb": {"query": {"Items": [{"review": {"S": "review-1"}}]}, "get_item": {"Item": expired}},
        "stepfunctions": {"start_execution": {}},
    }
    return Usual(with_detail(sample("sagemaker/model-package-approved"), **named), answers)


def _plan_training() -> Usual:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:1"
    event = {
        "execution": "run-7",
        "execution_arn": _EXECUTION,
        "input": {"image": image, "commit": "0a1b2c3", "problem": "multiclass"},
    }
    found = {"Key": "a.csv", "Size": 9, "LastModified": datetime.now(UTC)}
    texts = {"train": b"setosa,4.9,3.0,1.4,0.2\n", "test": b"setosa,5.1,3.5,1.4,0.2\nvirginica,6.3,3.3,6.0,2.5\n"}
    rows = cycle((texts["test"], texts["train"], texts["test"]))
    s3 = {"list_objects_v2": {"Contents": [found]}, "get_object": lambda **_: _body(next(rows))}
    return Usual(event, {"s3": s3, "ssm": _stages()})


def _evaluate_model() -> Usual:
    output = "".join(f"{9 + row % 3},{_SHELL},{9 + row % 4}.25\n" for row in range(ROWS)).encode()
    live = json.dumps({"metrics": {"mse": {"value": 5.3, "standard_deviation": 2.2}}, "problem": "regression"}).encode()

    def read(**request: Any) -> dict[str, Any]:
        return _body(live if request["Key"].endswith("report.json") else output)

    answered = "".join(f"{9 + row % 5}.25\n" for row in range(ROWS)).encode()

    def find(**request: Any) -> dict[str, Any]:
        key = f"{request['Prefix']}test.csv{'.out' if request['Bucket'] == 'artifacts' else ''}"
        return {"Contents": [{"Key": key, "Size": len(output), "LastModified": datetime.now(UTC)}]}

    answers: Answers = {
        "s3": {"list_objects_v2": find, "get_object": read, "put_object": {}},
        "ssm": _stages(),
        "sagemaker": _served() | {"describe_model_package": _package()},
        "sagemaker-runtime": {"invoke_endpoint": lambda **_: _body(answered)},
    }
    plan = {
        "model": _MODEL,
        "group": f"{_PREFIX}-{_MODEL}",
        "package": None,
        "commit": "8c1d",
        "image": "image",
        "model_data": "s3://artifacts/training/run-7/abalone-train/output/model.tar.gz",
        "content_type": "text/csv",
        "train_data": None,
        "registered_by": "",
        "problem": "regression",
        "columns": 9,
        "test_data": "s3://data/t/",
        "predictions": "s3://artifacts/transforms/run-7/",
        "evidence": f"{_EVIDENCE}/",
        "client_token": "a" * 36,
    }
    training = {"job": "abalone-train", "seconds": 134}
    return Usual({"plan": plan, "content": CONTENT, "training": training, "execution_arn": _EXECUTION}, answers)


def _report_run() -> Usual:
    step = {"StepName": "Check", "StepStatus": "Failed", "FailureReason": "the error is 0.4 above the limit"}
    unused = {"file": "incoming/a.csv", "kind": "bad", "faults": [{"line": 3, "reason": "Height is 'tall'"}]}
    answers: Answers = {
        "sagemaker": {
            "describe_pipeline_execution": {"PipelineExecutionStatus": "Failed", "FailureReason": "Check failed"},
            "list_pipeline_execution_steps": {"PipelineExecutionSteps": [step]},
        },
        "dynamodb": {"query": {"Items": []}, "put_item": {}},
        "s3": {"get_object": lambda **_: _body(json.dumps({"quarantined": [unused]}).encode())},
        "sesv2": {"send_email": {}},
        "sqs": {"send_message": {}},
        "ssm": _projects(),
    }
    return Usual(sample("sagemaker/pipeline-execution-failed"), answers)


def _report_execution() -> Usual:
    action = {
        "sk": "action#2026-11-20T12:00:00Z#release-signalbox-abalone-7-approved#00001",
        "action": "update-endpoint",
    }
    item = {name: {"S": value} for name, value in (action | {"stage": "prod", "status": "claimed"}).items()}
    answers: Answers = {
        "dynamodb": {"query": {"Items": [item]}, "put_item": {}},
        "sesv2": {"send_email": {}},
        "ssm": _stages(),
    }
    return Usual(sample("states/release-stopped"), answers)


def _request_review() -> Usual:
    table = {"get_item": {}, "transact_write_items": {}, "update_item": {"Attributes": _review()}}
    report = _report()
    answers: Answers = {
        "secretsmanager": {"get_secret_value": {"SecretString": _SECRET}},
        "s3": {"get_object": lambda **_: _body(report)},
        "dynamodb": table,
        "sesv2": {"send_email": {}},
        "ssm": _stages(),
    }
    event = {"token": "token-1", "execution_arn": _EXECUTION, "kind": "package", "stage": None, "model": _MODEL}
    return Usual(event | {"package": _PACKAGE, "report": f"{_EVIDENCE}/report.json", "expires_in": 604_800}, answers)


def _receive_hook() -> Usual:
    repository = {"provider": "github", "name": "acme/wine"}
    automation = {"project": "wine", "repository": repository, "main": "main", "build": "signalbox-wine"}
    answers: Answers = {
        "ssm": {"get_parameter": {"Parameter": {"Value": json.dumps(automation)}}},
        "secretsmanager": {"get_secret_value": {"SecretString": _HOOK_SECRET}},
        "dynamodb": {"put_item": {}, "update_item": {"Attributes": {}}},
        "sqs": {"send_message": {}},
    }
    return Usual(http_event("hook-github"), answers)


def _review_page() -> Usual:
    from signalbox.reviews import keys  # noqa: PLC0415  # only where the layer is

    event = http_event("review-get")
    key = keys.link_key(_SECRET.encode(), "review-1", _APPROVER)
    event |= {"pathParameters": {"review": "review-1"}, "queryStringParameters": {"key": key, "choice": "approve"}}
    answers: Answers = {
        "secretsmanager": {"get_secret_value": {"SecretString": _SECRET}},
        "dynamodb": {"get_item": {"Item": _review()}},
    }
    return Usual(event, answers)


def _close_review() -> Usual:
    expired = _review() | {"status": {"S": "expired"}}
    table = {"get_item": {"Item": _review() | {"review": {"S": "review-1"}}}, "update_item": {"Attributes": expired}}
    answers: Answers = {"dynamodb": table, "sagemaker": {"update_model_package": {}}}
    return Usual({"kind": "package", "stage": None, "execution_arn": _EXECUTION}, answers)


def _plan_release() -> Usual:
    report = _report()
    at = "2026-11-20T10:00:00Z"
    wanted = {"requested_at": "2026-11-20T10:00:00.000000Z", "execution": "run-8", "package": _PACKAGE}
    table: dict[str, Any] = {"put_item": {}, "query": {"Items": []}}
    table["get_item"] = {"Item": {name: {"S": value} for name, value in wanted.items()}}
    answers: Answers = {
        "ssm": _stages(),
        "sagemaker": _served() | {"describe_model_package": _package()},
        "dynamodb": table,
        "s3": {"get_object": lambda **_: _body(report), "head_object": _KEPT},
    }
    asked = {"model": _MODEL, "package": _PACKAGE, "trigger": "approved", "requested_at": at}
    event = {"execution": "run-8", "execution_arn": _EXECUTION, "started": "2026-11-20T10:00:00.000Z", "input": asked}
    return Usual(event | {"progress": None, "last": None}, answers)


def _verify_release() -> Usual:
    golden: dict[str, Any] = {"content_type": "text/csv", "problem": "regression", "tolerance": 0.001}
    golden["content"] = CONTENT
    golden["requests"] = [{"body": _SHELL, "expected": "8.70123"} for _ in range(10)]
    text = json.dumps(golden).encode()
    answers: Answers = {
        "sagemaker": {"describe_endpoint": _ENDPOINT, "describe_model_package": _package()},
        "s3": {"get_object": lambda **_: _body(text), "head_object": _KEPT},
        "sagemaker-runtime": {"invoke_endpoint": lambda **_: _body(b"8.70123")},
    }
    event = {"endpoint": "e", "config": "c", "package": _PACKAGE, "golden": f"{_EVIDENCE}/golden.json"}
    return Usual(event | {"content": CONTENT}, answers)


def _pin_model() -> Usual:
    container = {"Image": f"{_IMAGE}:1", "ModelDataUrl": "s3://artifacts/training/run-7/job/output/model.tar.gz"}
    event = {"plan": {"target": CONTENT["model_data"], "specification": None}}
    found = {"images": [{"imageId": {"imageDigest": _DIGEST}}]}
    answers: Answers = {
        "s3": {"head_object": _KEPT, "copy_object": {"VersionId": "v1", "CopyObjectResult": {"ETag": '"etag"'}}},
        "ecr": {"batch_get_image": found},
    }
    return Usual(event | {"model": {"ModelName": "m", "PrimaryContainer": container}}, answers)


def _announce() -> Usual:
    stage: dict[str, Any] = {"stage": "prod", "verdict": "released", "package": _PACKAGE, "config": "c", "answers": 10}
    stage["endpoint"] = "signalbox-abalone-prod"
    outcome = {"verdict": "released", "trigger": "approved", "stage": None, "stages": [stage], "rollback": None}
    serving = {"stage": "prod", "endpoint": stage["endpoint"], "status": "InService", "package": _PACKAGE}
    event = {"model": _MODEL, "package": _PACKAGE, "execution_arn": _EXECUTION, "decision": None, "error": None}
    return Usual(
        event | {"release": outcome | {"serving": [serving], "change": None}},
        {"sesv2": {"send_email": {}}, "ssm": _stages()},
    )


def _invoke_endpoint() -> Usual:
    answer = {"invoke_endpoint": lambda **_: _body(b"8.70123\n")}
    return Usual(http_event("invoke"), {"sagemaker-runtime": answer, "ssm": _stages()})


def _stages() -> dict[str, Any]:
    """Return a Parameter Store with the stages document; no model has a document of its own."""
    return {"get_parameter": _parameter}


def _parameter(Name: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
    from botocore.exceptions import ClientError  # noqa: PLC0415  # only where the layer is

    if "/models/" in Name:
        raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": ""}}, "GetParameter")
    return {"Parameter": {"Value": json.dumps({"stages": _STAGES})}}


def _served() -> dict[str, Any]:
    return {"describe_endpoint": _ENDPOINT, "describe_endpoint_config": _CONFIG, "describe_model": _SERVED}


def _package() -> dict[str, Any]:
    kept = {"report": f"{_EVIDENCE}/report.json", "golden": f"{_EVIDENCE}/golden.json"}
    container = {"Image": CONTENT["image"], "ModelDataUrl": CONTENT["model_data"]}
    return {
        "ModelPackageArn": _PACKAGE,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": kept,
        "MetadataProperties": {"GeneratedBy": _EXECUTION},
        "InferenceSpecification": {"Containers": [container]},
    }


def _body(content: bytes) -> dict[str, Any]:
    return {"Body": _Stream(content), "ContentLength": len(content), "ContentType": "text/csv"}


class _Stream(io.BytesIO):
    """botocore's stream, as far as it is read."""

    def iter_lines(self, chunk_size: int = 1024, *, keepends: bool = False) -> list[bytes]:  # its name
        """Return the lines."""
        return self.read().splitlines(keepends)


def _report() -> bytes:
    measured = {"mse": {"value": 4.8923, "standard_deviation": 2.2011}, "r2": {"value": 0.5412}}
    report: dict[str, Any] = {
        "model": _MODEL,
        "package": None,
        "execution": _EXECUTION,
        "content": CONTENT,
        "commit": "4f1c2e9a",
        "created_at": "2026-11-20T10:00:00Z",
    }
    report |= {"problem": "regression", "primary": "mse", "lower_is_better": True, "metrics": measured, "rows": 1418}
    live: dict[str, Any] = {"package": _PACKAGE[:-1] + "1", "metrics": {"mse": {"value": 5.3012}}, "rows": 1418}
    live["differences"] = {"mse": {"value": -0.4089, "low": -0.6, "high": -0.2, "verdict": "better"}}
    report["live"] = live | {"own": measured, "reason": None}
    report["samples"] = [{"input": _SHELL, "expected": "15", "predicted": "9.71204"}] * 8
    report["training"] = {"job": "abalone-train-0f8a3b21", "seconds": 134}
    report["points"] = [[row % 20, row % 19 + 0.25] for row in range(100)]
    return json.dumps(report).encode()


def _review() -> dict[str, dict[str, str]]:
    """Return the item of an open review."""
    from signalbox.moments import text_of  # noqa: PLC0415  # only where the layer is
    from signalbox.reviews import evidence  # noqa: PLC0415  # only where the layer is
    from signalbox.reviews.model import Review  # noqa: PLC0415  # the same

    now = datetime.now(UTC)
    review = Review(
        id="review-1",
        kind="package",
        stage="",
        model=_MODEL,
        package=_PACKAGE,
        execution_arn=_EXECUTION,
        token="token-1",  # opens nothing
        evidence=evidence.freeze(_report().decode()),
        approvers=(_APPROVER,),
        created_at=text_of(now),
        expires_at=text_of(now + timedelta(days=7)),
    )
    return {name: {"S": value} for name, value in review.texts().items()}


USUAL: dict[str, Callable[[], Usual]] = {
    "announce": _announce,
    "close_review": _close_review,
    "evaluate_model": _evaluate_model,
    "invoke_endpoint": _invoke_endpoint,
    "on_code_push": _on_code_push,
    "on_model_package": _on_model_package,
    "pin_model": _pin_model,
    "plan_release": _plan_release,
    "plan_training": _plan_training,
    "receive_hook": _receive_hook,
    "record_uploads": _record_uploads,
    "report_execution": _report_execution,
    "report_run": _report_run,
    "request_review": _request_review,
    "review_page": _review_page,
    "start_run": _start_run,
    "verify_release": _verify_release,
}
# The services of the usual event. A cold start is compared with a bare client of the first, which has the most calls.
SERVICES: dict[str, tuple[str, ...]] = {
    "announce": ("sesv2", "ssm"),
    "close_review": ("dynamodb", "sagemaker"),
    "evaluate_model": ("s3", "sagemaker", "sagemaker-runtime", "ssm"),
    "invoke_endpoint": ("sagemaker-runtime", "ssm"),
    "on_code_push": ("dynamodb", "codebuild", "codecommit", "ssm"),
    "on_model_package": ("sagemaker", "stepfunctions", "dynamodb"),
    "pin_model": ("s3", "ecr"),
    "plan_release": ("sagemaker", "dynamodb", "ssm", "s3"),
    "plan_training": ("s3", "ssm"),
    "receive_hook": ("dynamodb", "secretsmanager", "sqs", "ssm"),
    "record_uploads": ("dynamodb", "s3", "sqs", "ssm"),
    "report_execution": ("dynamodb", "sesv2", "ssm"),
    "report_run": ("sagemaker", "dynamodb", "s3", "sesv2", "sqs", "ssm"),
    "request_review": ("dynamodb", "s3", "secretsmanager", "sesv2", "ssm"),
    "review_page": ("dynamodb", "secretsmanager"),
    "start_run": ("dynamodb", "s3", "sagemaker", "ssm"),
    "verify_release": ("sagemaker", "sagemaker-runtime", "s3"),
}
