"""A model is pinned: kept where no job may write, and named by its content."""

from typing import Any

import pytest
from functions.pin_model import app
from tests.support.botocore_strict import RecordingClient, check_request, client_error
from tests.support.objects import RememberedObjects
from tests.support.samples import lambda_context

from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.images import ImageMissingError, ImageRegistry
from signalbox.aws.objects import ObjectCopy
from signalbox.contents import containers_of
from signalbox.contracts.training import PinQuestion
from signalbox.training.model import InvalidRequestError
from signalbox.training.pinning import PinningPorts, pin

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = f"sha256:{'a' * 64}"
WRITTEN, KEPT = "s3://artifacts/training/run-1/job/output/model.tar.gz", "s3://artifacts/packages/run-1/model.tar.gz"


def question(image: str = f"{REGISTRY}/iris:1") -> PinQuestion:
    container = {"Image": image, "ModelDataUrl": WRITTEN, "Environment": {"A": "b"}}
    return {
        "plan": {"target": KEPT, "specification": "signalbox-1"},
        "model": {"ModelName": "m", "PrimaryContainer": container, "ExecutionRoleArn": "role"},
    }


def ecr(*digests: str) -> RecordingClient:
    return RecordingClient(
        "ecr", {"batch_get_image": {"images": [{"imageId": {"imageDigest": one}} for one in digests]}}
    )


def registry(client: Any) -> ImageRegistry:
    return ImageRegistry(client)


class Copies:
    """Copies that are made, unless there is nothing to copy."""

    def __init__(self, *, made: bool = True) -> None:
        self.made: dict[str, str] | None = {} if made else None

    def copy(self, source: str, target: str) -> ObjectCopy | None:
        """See `Copier`."""
        if self.made is None:
            return None
        self.made[target] = source
        return ObjectCopy(target, "v1", "etag", "written")

    def copy_under(self, source: str, target: str) -> ObjectCopy | None:
        """See `Copier`."""
        if self.made is None:
            return None
        self.made[target] = source
        return ObjectCopy(target, None, "digest", "listed")


def test_a_model_is_copied_and_named_by_its_content_and_the_request_makes_exactly_it() -> None:
    copies = Copies()

    pinned = pin(question(), PinningPorts(copies, registry(ecr(DIGEST))))

    assert copies.made == {KEPT: WRITTEN}
    assert pinned["content"] == {
        "image": f"{REGISTRY}/iris@{DIGEST}",
        "source": WRITTEN,
        "source_etag": "written",
        "model_data": KEPT,
        "version": "v1",
        "etag": "etag",
        "environment": {"A": "b"},
        "specification": "signalbox-1",
    }
    container = {"Image": f"{REGISTRY}/iris@{DIGEST}", "ModelDataUrl": KEPT, "Environment": {"A": "b"}}
    assert pinned["model"] == {**question()["model"], "PrimaryContainer": container}


def test_a_model_whose_data_are_not_there_is_refused_by_their_name() -> None:
    with pytest.raises(InvalidRequestError, match=WRITTEN):
        pin(question(), PinningPorts(Copies(made=False), registry(ecr(DIGEST))))


def source(uri: str, kind: str, compression: str = "None") -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression}}


def test_every_container_of_a_pipeline_is_kept_in_the_form_that_its_data_have() -> None:
    weights, unpacked, archive = "s3://artifacts/a/weights.bin", "s3://artifacts/b/", "s3://artifacts/c/model.tar.gz"
    containers = [
        {"Image": f"{REGISTRY}/one:1", "ModelDataSource": source(weights, "S3Object")},
        {"Image": f"{REGISTRY}/two:1", "ModelDataSource": source(unpacked, "S3Prefix")},
        {"Image": f"{REGISTRY}/three:1"},
        {"Image": f"{REGISTRY}/four:1", "ModelDataUrl": archive},
    ]
    asked: PinQuestion = {**question(), "model": {"ModelName": "m", "Containers": containers}}
    copies = Copies()

    pinned = pin(asked, PinningPorts(copies, registry(ecr(DIGEST))))

    home = "s3://artifacts/packages/run-1"
    kept = [f"{home}/0/weights.bin", f"{home}/1/", "", f"{home}/3/model.tar.gz"]
    assert copies.made == {kept[0]: weights, kept[1]: unpacked, kept[3]: archive}
    content = pinned["content"]
    assert [one["model_data"] for one in containers_of(content)] == kept
    assert [(one.get("data_type"), one["etag"]) for one in containers_of(content)] == [
        ("S3Object", "etag"),
        ("S3Prefix", "digest"),
        (None, ""),
        (None, "etag"),
    ]
    assert pinned["model"]["Containers"] == [
        {"Image": f"{REGISTRY}/one@{DIGEST}", "ModelDataSource": source(kept[0], "S3Object")},
        {"Image": f"{REGISTRY}/two@{DIGEST}", "ModelDataSource": source(kept[1], "S3Prefix")},
        {"Image": f"{REGISTRY}/three@{DIGEST}"},
        {"Image": f"{REGISTRY}/four@{DIGEST}", "ModelDataUrl": kept[3]},
    ]
    check_request("sagemaker", "CreateModel", {**pinned["model"]})


def test_a_prefix_without_objects_is_refused_by_its_name() -> None:
    container = {"Image": f"{REGISTRY}/one:1", "ModelDataSource": source("s3://artifacts/none/", "S3Prefix")}
    asked: PinQuestion = {**question(), "model": {"ModelName": "m", "PrimaryContainer": container}}

    with pytest.raises(InvalidRequestError, match="s3://artifacts/none/ do not exist"):
        pin(asked, PinningPorts(Copies(made=False), registry(ecr(DIGEST))))


@pytest.mark.parametrize(
    ("image", "tag", "by_digest"),
    [
        (f"{REGISTRY}/iris:1", "1", f"{REGISTRY}/iris@{DIGEST}"),
        (f"{REGISTRY}/team/iris", "latest", f"{REGISTRY}/team/iris@{DIGEST}"),
        (f"{REGISTRY}.cn/iris:1", "1", f"{REGISTRY}.cn/iris@{DIGEST}"),
    ],
)
def test_an_image_is_found_in_its_own_registry_by_its_tag(image: str, tag: str, by_digest: str) -> None:
    client = ecr(DIGEST)

    assert registry(client).by_digest(image) == by_digest
    [asked] = client.requests("BatchGetImage")
    assert (asked["registryId"], asked["imageIds"]) == ("123456789012", [{"imageTag": tag}])


def test_an_image_that_is_named_by_its_digest_is_asked_for_nowhere() -> None:
    client = ecr()

    assert registry(client).by_digest(f"{REGISTRY}/iris@{DIGEST}") == f"{REGISTRY}/iris@{DIGEST}"
    assert client.calls == []


@pytest.mark.parametrize("image", [f"{REGISTRY}/iris:lost", "docker.io/library/python:3.13"])
def test_an_image_that_is_not_in_a_registry_of_ecr_is_refused_by_its_name(image: str) -> None:
    with pytest.raises(ImageMissingError, match=image):
        registry(ecr()).by_digest(image)


def test_a_registry_that_may_not_be_asked_is_refused() -> None:
    refusing = RecordingClient("ecr", {"batch_get_image": client_error("AccessDeniedException")})

    with pytest.raises(CallRefusedError, match="iris:1"):
        registry(refusing).by_digest(f"{REGISTRY}/iris:1")


def test_the_function_pins_with_its_real_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = RememberedObjects({WRITTEN: "the model"})
    s3.answers["copy_object"] = {"VersionId": "v1", "CopyObjectResult": {"ETag": '"copied"'}}
    fakes = {"s3": s3, "ecr": ecr(DIGEST)}
    monkeypatch.setattr(clients, "client", fakes.__getitem__)
    app._ports.cache_clear()
    context: Any = lambda_context("pin_model")
    try:
        pinned = app.handler(question(), context)
    finally:
        app._ports.cache_clear()
    assert (pinned["content"]["version"], pinned["content"]["etag"]) == ("v1", "copied")
    assert s3.requests("CopyObject")[0]["CopySourceIfMatch"] == '"etag"'
