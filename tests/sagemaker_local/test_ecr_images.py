"""ECR keeps what is pushed: layers by their digests, images by tags and digests, and refuses as AWS does."""

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.contract.world import allow, name
from tests.sagemaker_local.support.builds import Builder, builder

__all__ = ["builder"]


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # the cloud's own address
        content: bytes = answer.read()
        return content


def uploaded(ecr: Any, where: str, content: bytes) -> str:
    upload = ecr.initiate_layer_upload(repositoryName=where)["uploadId"]
    common = {"repositoryName": where, "uploadId": upload}
    half = len(content) // 2
    for first, part in ((0, content[:half]), (half, content[half:])):
        last = first + len(part) - 1
        ecr.upload_layer_part(**common, partFirstByte=first, partLastByte=last, layerPartBlob=part)
    return str(ecr.complete_layer_upload(**common, layerDigests=[digest(content)])["layerDigest"])


def manifest(*layers: bytes, config: bytes = b"{}") -> str:
    parts = [{"digest": digest(layer), "size": len(layer), "mediaType": "layer"} for layer in layers]
    return json.dumps(
        {"schemaVersion": 2, "config": {"digest": digest(config), "mediaType": "config"}, "layers": parts}
    )


@pytest.fixture
def ecr(builder: Builder) -> Any:
    """Return ECR, as the owner asks it."""
    return builder.world.client("ecr")


@pytest.fixture
def where(ecr: Any) -> str:
    """Return a repository with a layer and a configuration."""
    made = name("team/repository")
    ecr.create_repository(repositoryName=made)
    for content in (b"layer one", b"{}"):
        uploaded(ecr, made, content)
    return made


def test_a_layer_is_there_once_it_is_complete_and_can_be_downloaded(ecr: Any, where: str) -> None:
    known, unknown = ecr.batch_check_layer_availability(
        repositoryName=where, layerDigests=[digest(b"layer one"), digest(b"none")]
    )["layers"]
    assert (known["layerAvailability"], known["layerSize"]) == ("AVAILABLE", 9)
    assert unknown["layerAvailability"] == "UNAVAILABLE"

    url = ecr.get_download_url_for_layer(repositoryName=where, layerDigest=digest(b"layer one"))["downloadUrl"]
    assert get(url) == b"layer one"
    with pytest.raises(urllib.error.HTTPError):
        get(f"{url}x")


def test_what_is_wrong_with_an_upload_is_refused(ecr: Any, where: str) -> None:
    with pytest.raises(ClientError, match="LayerAlreadyExistsException"):
        uploaded(ecr, where, b"layer one")
    upload = {"repositoryName": where, "uploadId": ecr.initiate_layer_upload(repositoryName=where)["uploadId"]}
    with pytest.raises(ClientError, match="EmptyUploadException"):
        ecr.complete_layer_upload(**upload, layerDigests=[digest(b"x")])
    with pytest.raises(ClientError, match="InvalidLayerPartException"):
        ecr.upload_layer_part(**upload, partFirstByte=5, partLastByte=6, layerPartBlob=b"x")
    ecr.upload_layer_part(**upload, partFirstByte=0, partLastByte=0, layerPartBlob=b"x")
    with pytest.raises(ClientError, match="InvalidLayerException"):
        ecr.complete_layer_upload(**upload, layerDigests=[digest(b"y")])
    with pytest.raises(ClientError, match="UploadNotFoundException"):
        ecr.complete_layer_upload(repositoryName=where, uploadId="none", layerDigests=[digest(b"y")])
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        ecr.initiate_layer_upload(repositoryName="none")


def test_an_image_needs_its_layers_and_is_known_by_tag_and_by_digest(ecr: Any, where: str) -> None:
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        ecr.put_image(repositoryName=where, imageManifest=manifest(b"none"), imageTag="v1")
    text = manifest(b"layer one")
    put = ecr.put_image(repositoryName=where, imageManifest=text, imageTag="v1")["image"]
    ecr.put_image(repositoryName=where, imageManifest=text, imageTag="v2")

    assert put["imageId"] == {"imageDigest": digest(text.encode()), "imageTag": "v1"}
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        ecr.put_image(repositoryName=where, imageManifest=text, imageTag="v1")
    asked = [{"imageTag": "v1"}, {"imageDigest": digest(text.encode())}, {"imageTag": "none"}]
    answer = ecr.batch_get_image(repositoryName=where, imageIds=asked)
    assert [image["imageManifest"] for image in answer["images"]] == [text, text]
    assert {image["imageId"]["imageDigest"] for image in answer["images"]} == {digest(text.encode())}
    assert answer["failures"][0]["failureCode"] == "ImageNotFound"
    [detail] = ecr.describe_images(repositoryName=where)["imageDetails"]
    assert (sorted(detail["imageTags"]), detail["imageSizeInBytes"]) == (["v1", "v2"], 9)
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        ecr.describe_images(repositoryName=where, imageIds=[{"imageTag": "none"}])
    assert {one["imageTag"] for one in ecr.list_images(repositoryName=where)["imageIds"]} == {"v1", "v2"}


def test_a_deleted_tag_leaves_the_image_to_its_other_tags(ecr: Any, where: str) -> None:
    for tag in ("v1", "v2"):
        ecr.put_image(repositoryName=where, imageManifest=manifest(b"layer one"), imageTag=tag)

    ecr.batch_delete_image(repositoryName=where, imageIds=[{"imageTag": "v1"}])
    [left] = ecr.list_images(repositoryName=where)["imageIds"]
    assert left["imageTag"] == "v2"
    gone = ecr.batch_delete_image(repositoryName=where, imageIds=[{"imageDigest": left["imageDigest"]}])
    assert gone["imageIds"] == [left]
    assert ecr.list_images(repositoryName=where)["imageIds"] == []


def test_a_tag_moves_unless_its_repository_is_immutable(ecr: Any, where: str) -> None:
    uploaded(ecr, where, b"layer two")
    one, two = manifest(b"layer one"), manifest(b"layer two")
    ecr.put_image(repositoryName=where, imageManifest=one, imageTag="v1")
    ecr.put_image(repositoryName=where, imageManifest=two, imageTag="v1")
    [found] = ecr.batch_get_image(repositoryName=where, imageIds=[{"imageTag": "v1"}])["images"]
    assert found["imageManifest"] == two

    ecr.put_image_tag_mutability(repositoryName=where, imageTagMutability="IMMUTABLE")
    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        ecr.put_image(repositoryName=where, imageManifest=one, imageTag="v1")


def test_a_repository_that_is_made_again_has_nothing_of_the_one_before(ecr: Any, where: str) -> None:
    ecr.put_image(repositoryName=where, imageManifest=manifest(b"layer one"), imageTag="v1")
    with pytest.raises(ClientError, match="RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName=where)
    ecr.delete_repository(repositoryName=where, force=True)
    ecr.create_repository(repositoryName=where)

    assert ecr.list_images(repositoryName=where)["imageIds"] == []
    [layer] = ecr.batch_check_layer_availability(repositoryName=where, layerDigests=[digest(b"layer one")])["layers"]
    assert layer["layerAvailability"] == "UNAVAILABLE"


def test_policies_and_scanning_are_kept(ecr: Any, where: str) -> None:
    rule = {"rulePriority": 1, "selection": {}, "action": {"type": "expire"}}
    text = json.dumps({"rules": [rule]})
    ecr.put_lifecycle_policy(repositoryName=where, lifecyclePolicyText=text)
    ecr.put_image_scanning_configuration(repositoryName=where, imageScanningConfiguration={"scanOnPush": True})

    assert ecr.get_lifecycle_policy(repositoryName=where)["lifecyclePolicyText"] == text
    [found] = ecr.describe_repositories(repositoryNames=[where])["repositories"]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}


def test_nobody_reaches_images_without_a_signature(builder: Builder, where: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{builder.world.url}/v2/{where}/tags/list")

    assert refused.value.code == 401


def test_a_repository_that_is_asked_for_by_name_is_what_iam_decides_about(builder: Builder, where: str) -> None:
    resource = f"arn:aws:ecr:*:*:repository/{where}"
    role = builder.world.role(allow("ecr:DescribeRepositories", resource=resource))
    ecr = builder.world.as_role(role, "ecr")
    (found,) = ecr.describe_repositories(repositoryNames=[where])["repositories"]
    assert found["repositoryName"] == where
    for names in ([where, where], ["team/other"]):
        with pytest.raises(ClientError, match="AccessDenied"):
            ecr.describe_repositories(repositoryNames=names)
