"""What `ministack_images` closes: it is there in plain ministack, and not in our cloud."""

import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.contract.world import World, allow, code, name

CLOSED = "plain ministack has no such gap any more: remove its part of ministack_images.py, and this test"
_LAYER = "sha256:" + "a" * 64


def repository(world: World) -> str:
    made = name("repository")
    world.client("ecr").create_repository(repositoryName=made)
    return made


def test_an_image_needs_its_layers(plain: World, cloud: World) -> None:
    manifest = f'{{"schemaVersion": 2, "config": {{"digest": "{_LAYER}"}}, "layers": []}}'
    assert plain.client("ecr").put_image(repositoryName=repository(plain), imageManifest=manifest), CLOSED

    with pytest.raises(ClientError) as refused:
        cloud.client("ecr").put_image(repositoryName=repository(cloud), imageManifest=manifest)

    assert code(refused.value) == "LayersNotFoundException"


def test_a_layer_is_what_was_uploaded(plain: World, cloud: World) -> None:
    for world in (plain, cloud):
        ecr, where = world.client("ecr"), repository(world)
        upload = {"repositoryName": where, "uploadId": ecr.initiate_layer_upload(repositoryName=where)["uploadId"]}
        ecr.upload_layer_part(**upload, partFirstByte=0, partLastByte=0, layerPartBlob=b"x")
        if world is plain:
            assert ecr.complete_layer_upload(**upload, layerDigests=[_LAYER])["layerDigest"] == _LAYER, CLOSED
            continue
        with pytest.raises(ClientError) as refused:
            ecr.complete_layer_upload(**upload, layerDigests=[_LAYER])
        assert code(refused.value) == "InvalidLayerException"


def test_a_token_is_its_callers(plain: World, cloud: World) -> None:
    def token(world: World) -> str:
        role = world.role(allow("ecr:GetAuthorizationToken"))
        data = world.as_role(role, "ecr").get_authorization_token()["authorizationData"]
        return str(data[0]["authorizationToken"])

    assert token(plain) == token(plain), CLOSED
    assert token(cloud) != token(cloud)


def test_nobody_pushes_by_the_registrys_protocol_without_a_key(plain: World, cloud: World) -> None:
    def status(world: World) -> int:
        try:
            with urllib.request.urlopen(f"{world.url}/v2/{repository(world)}/tags/list", timeout=10) as answer:  # noqa: S310  # the cloud's own address
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert status(plain) == 200, CLOSED
    assert status(cloud) == 401
