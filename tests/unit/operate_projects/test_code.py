"""The same code lies under the same key, and a pipeline changes only where it differs."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.documents import ROOT
from tests.support.project_cloud import SageMaker

from signalbox_operate.projects import code, pipelines
from signalbox_operate.stack import OperateError

ROLE = "arn:aws:iam::123456789012:role/signalbox-PipelineRole"
CODE = {"train.py": b"print(1)", "encoding.py": b"print(2)"}


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
    assert code.pack(CODE) == code.pack(dict(reversed(CODE.items())))
    with tarfile.open(fileobj=io.BytesIO(code.pack(CODE))) as archive:
        assert archive.getnames() == ["encoding.py", "train.py"]
        assert {(entry.mtime, entry.uid, entry.uname) for entry in archive} == {(0, 0, "")}
    assert gzip.decompress(code.pack(CODE))


def test_a_change_of_name_or_content_changes_the_digest() -> None:
    renamed = {"a.py": CODE["train.py"], "encoding.py": CODE["encoding.py"]}
    changed = {**CODE, "train.py": b"print(3)"}
    assert len({code.digest(files) for files in (CODE, renamed, changed)}) == 3
    assert code.digest(CODE) == code.digest(dict(reversed(CODE.items())))


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "train.pyc").write_text("x")
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(OperateError, match="there is no file in"):
        code.read(tmp_path)


def test_a_link_that_leads_out_and_data_among_the_code_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "a.py").symlink_to(tmp_path / "secret")
    with pytest.raises(OperateError, match=r"a\.py in .* is a link that leads out of it"):
        code.read(folder)
    (folder / "a.py").unlink()
    (folder / "b.py").write_text("x" * 20)
    monkeypatch.setattr(code, "_MOST_BYTES", 10)
    with pytest.raises(OperateError, match="has 20 bytes, more than 10: code has no data in its folder"):
        code.read(folder)


def test_the_programs_lie_one_by_one_and_packed_where_the_definition_looks_for_them(s3: Any) -> None:
    files = code.read(ROOT / "projects/abalone/pipeline/code")
    for _ in range(2):  # a second upload changes nothing
        code.upload("abalone", files, "signalbox-artifacts", s3)
    listed = s3.list_objects_v2(Bucket="signalbox-artifacts")["Contents"]
    place = code.key("abalone", files)
    assert place.startswith("code/abalone/")
    assert [entry["Key"].removeprefix(f"{place}/") for entry in listed] == [
        "code/boosting.py",
        "code/encoding.py",
        "code/evaluate.py",
        "code/inference.py",
        "code/preprocess.py",
        "code/quarantine.py",
        "code/train.py",
        "sourcedir.tar.gz",
    ]


def test_a_pipeline_is_created_then_left_alone_then_updated() -> None:
    sagemaker = SageMaker()
    first = {"Version": "2020-12-01", "Parameters": [], "Steps": []}

    def put(role: str, definition: dict[str, Any]) -> str:
        return pipelines.put("signalbox-abalone", role, definition, {"team": "x"}, sagemaker)

    assert put(ROLE, first) == "created"
    assert put(ROLE, first) == "unchanged"
    assert put(ROLE, {**first, "Metadata": {}}) == "updated"
    assert put(f"{ROLE}-2", {**first, "Metadata": {}}) == "updated"
    assert json.loads(sagemaker.pipelines["signalbox-abalone"]["PipelineDefinition"]) == {**first, "Metadata": {}}
    writes = [operation for operation, _ in sagemaker.calls if operation not in {"DescribePipeline", "AddTags"}]
    assert writes == ["CreatePipeline", "UpdatePipeline", "UpdatePipeline"]


def test_a_creation_whose_answer_was_lost_is_found_by_the_next_deployment() -> None:
    sagemaker = SageMaker()
    made = sagemaker._put

    def lose(**request: Any) -> None:
        made(**request)
        raise EndpointConnectionError(endpoint_url="https://api.sagemaker.us-east-1.amazonaws.com")

    sagemaker.answers["create_pipeline"] = lose
    with pytest.raises(EndpointConnectionError):
        pipelines.put("signalbox-abalone", ROLE, {"Steps": []}, {}, sagemaker)
    assert pipelines.put("signalbox-abalone", ROLE, {"Steps": []}, {}, sagemaker) == "unchanged"


def test_a_refusal_to_describe_is_not_taken_for_a_missing_pipeline() -> None:
    sagemaker = RecordingClient("sagemaker", {"describe_pipeline": client_error("AccessDeniedException", "no")})
    with pytest.raises(sagemaker.exceptions.ClientError, match="no"):
        pipelines.put("signalbox-abalone", ROLE, {}, {}, sagemaker)
