"""Publishing puts the same code under the same key, and changes the pipeline only where it differs."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.stack import CloudFormation

from signalbox_operate import publish
from signalbox_operate.stack import OperateError, read

ROLE = "arn:aws:iam::123456789012:role/signalbox-PipelineRole"
CODE = {"train.py": b"print(1)", "encoding.py": b"print(2)"}


class Pipelines(RecordingClient):
    """The pipelines of SageMaker, in memory."""

    def __init__(self) -> None:
        super().__init__("sagemaker")
        self.found: dict[str, dict[str, Any]] = {}

    def _describe_pipeline(self, **request: Any) -> dict[str, Any]:
        if request["PipelineName"] not in self.found:
            raise client_error("ResourceNotFound", "Pipeline does not exist")
        return self.found[request["PipelineName"]]

    def _create_pipeline(self, **request: Any) -> dict[str, Any]:
        request.pop("ClientRequestToken")
        self.found[request["PipelineName"]] = request
        return {"PipelineArn": f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{request['PipelineName']}"}

    def _update_pipeline(self, **request: Any) -> dict[str, Any]:
        self.found[request["PipelineName"]].update(request)
        return {}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3 with the artifacts bucket."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="signalbox-artifacts")
        yield client


def test_the_same_code_packs_to_the_same_bytes_whatever_its_order() -> None:
    assert publish.pack(CODE) == publish.pack(dict(reversed(CODE.items())))
    with tarfile.open(fileobj=io.BytesIO(publish.pack(CODE))) as archive:
        assert archive.getnames() == ["encoding.py", "train.py"]
        assert {(entry.mtime, entry.uid, entry.uname) for entry in archive} == {(0, 0, "")}
    assert gzip.decompress(publish.pack(CODE))


def test_a_change_of_name_or_content_changes_the_digest() -> None:
    renamed = {"a.py": CODE["train.py"], "encoding.py": CODE["encoding.py"]}
    changed = {**CODE, "train.py": b"print(3)"}
    assert len({publish.digest(code) for code in (CODE, renamed, changed)}) == 3
    assert publish.digest(CODE) == publish.digest(dict(reversed(CODE.items())))


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    with pytest.raises(OperateError, match="there is no job code in"):
        publish.read_code(tmp_path)


def test_the_programs_lie_one_by_one_and_packed_where_the_definition_looks_for_them(s3: Any) -> None:
    for _ in range(2):  # a second upload changes nothing
        publish.upload_code("abalone", "signalbox-artifacts", s3)
    listed = s3.list_objects_v2(Bucket="signalbox-artifacts")["Contents"]
    place = publish.folder("abalone")
    assert place.startswith("code/abalone/")
    assert [entry["Key"].removeprefix(f"{place}/") for entry in listed] == [
        "code/boosting.py",
        "code/encoding.py",
        "code/evaluate.py",
        "code/inference.py",
        "code/preprocess.py",
        "code/train.py",
        "sourcedir.tar.gz",
    ]


def test_a_pipeline_is_created_then_left_alone_then_updated() -> None:
    sagemaker = Pipelines()
    first = {"Version": "2020-12-01", "Parameters": [], "Steps": []}
    assert publish.put_pipeline("signalbox-abalone", ROLE, first, sagemaker) == "created"
    assert publish.put_pipeline("signalbox-abalone", ROLE, first, sagemaker) == "unchanged"
    assert publish.put_pipeline("signalbox-abalone", ROLE, {**first, "Metadata": {}}, sagemaker) == "updated"
    assert publish.put_pipeline("signalbox-abalone", f"{ROLE}-2", {**first, "Metadata": {}}, sagemaker) == "updated"
    assert json.loads(sagemaker.found["signalbox-abalone"]["PipelineDefinition"]) == {**first, "Metadata": {}}
    assert [operation for operation, _ in sagemaker.calls if operation != "DescribePipeline"] == [
        "CreatePipeline",
        "UpdatePipeline",
        "UpdatePipeline",
    ]


def test_a_creation_that_is_repeated_after_a_lost_answer_is_the_same_creation() -> None:
    tokens = []
    for _ in range(2):
        sagemaker = Pipelines()
        publish.put_pipeline("signalbox-abalone", ROLE, {"Steps": []}, sagemaker)
        tokens += [request["ClientRequestToken"] for request in sagemaker.requests("CreatePipeline")]
    assert tokens[0] == tokens[1]


def test_a_refusal_to_describe_is_not_taken_for_a_missing_pipeline() -> None:
    sagemaker = RecordingClient("sagemaker", {"describe_pipeline": client_error("AccessDeniedException", "no")})
    with pytest.raises(sagemaker.exceptions.ClientError, match="no"):
        publish.put_pipeline("signalbox-abalone", ROLE, {}, sagemaker)


def test_the_pipeline_is_built_from_the_stacks_outputs() -> None:
    stack = read("signalbox", CloudFormation())
    given = {"xgboost_image": None, "scikit_learn_image": "own/a:1"}
    made = publish.settings(stack, "abalone", "s3://b/code", "us-east-1", **given)
    assert made.name == "signalbox-abalone"
    assert made.package_group == "signalbox-abalone"
    assert made.output_uri == "s3://signalbox-artifacts/pipelines/abalone/runs"
    assert made.job_role_arn.endswith("signalbox-JobRole")
    assert made.scikit_learn == "own/a:1"
