"""`docker login`, `push` and `pull` with ECR, by its API, with the rights of whoever got the token of the login."""

import base64
import binascii
import hashlib
import json
import os
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sagemaker_local.docker.errors import DockerError
from sagemaker_local.docker.store import MANIFEST, LocalImage, Store, named

ENDPOINT = "AWS_ENDPOINT_URL"
_HOST = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_CONFIG = Config(retries={"max_attempts": 2})
_WORDS = {
    "AccessDeniedException": "denied",
    "RepositoryNotFoundException": "name unknown",
    "ImageTagAlreadyExistsException": "tag invalid",
}


def log_in(store: Store, registry: str, user: str, password: str) -> None:
    """Keep the credentials that a token of ecr:GetAuthorizationToken stands for.

    Raises:
        DockerError: the registry is none of ECR, or does not know the token.
    """
    host = registry.removeprefix("https://").rstrip("/")
    refused = DockerError(
        f"Error response from daemon: login attempt to https://{host}/v2/ failed with status: 400 Bad Request"
    )
    if user != "AWS" or not _HOST.fullmatch(host):
        raise refused
    try:
        found = json.loads(base64.b64decode(password.strip(), validate=True))
        keys = {name: str(found[name]) for name in _KEYS}
        _client("sts", host, keys).get_caller_identity()
    except (ValueError, KeyError, TypeError, binascii.Error, ClientError) as error:
        raise refused from error
    store.log_in(host, keys)


def push(store: Store, reference: str, say: Callable[[str], None]) -> None:
    """Push an image: the layers that ECR lacks, then its manifest.

    Raises:
        DockerError: nobody has logged in, or ECR refuses it.
    """
    repository, tag = named(reference)
    image = store.find(reference)
    if image is None:
        raise DockerError(f"An image does not exist locally with the tag: {repository}")
    host, name = _place(repository)
    ecr = _ecr(store, host)
    say(f"The push refers to repository [{repository}]")
    manifest = image.manifest()
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    try:
        for content in (image.layer.read_bytes(), image.content):
            _upload(ecr, name, content, say)
        ecr.put_image(repositoryName=name, imageManifest=manifest, imageManifestMediaType=MANIFEST, imageTag=tag)
    except ecr.exceptions.ImageAlreadyExistsException:
        say("the image is there already")
    except ClientError as error:
        raise _told(error) from error
    store.pushed(image, repository, digest)
    say(f"{tag}: digest: {digest} size: {len(manifest)}")


def _upload(ecr: Any, name: str, content: bytes, say: Callable[[str], None]) -> None:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    short = digest.removeprefix("sha256:")[:12]
    [layer] = ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[digest])["layers"]
    if layer["layerAvailability"] == "AVAILABLE":
        say(f"{short}: Layer already exists")
        return
    begun = ecr.initiate_layer_upload(repositoryName=name)
    upload = {"repositoryName": name, "uploadId": begun["uploadId"]}
    for first in range(0, len(content), begun["partSize"]):
        part = content[first : first + begun["partSize"]]
        place = {"partFirstByte": first, "partLastByte": first + len(part) - 1}
        ecr.upload_layer_part(**upload, **place, layerPartBlob=part)
    ecr.complete_layer_upload(**upload, layerDigests=[digest])
    say(f"{short}: Pushed")


def pull(store: Store, reference: str, scratch: Path) -> LocalImage:
    """Pull an image by its tag or its digest.

    Raises:
        DockerError: nobody has logged in, or ECR refuses it, or it lacks the image.
    """
    repository, _, digest = reference.partition("@")
    repository, tag = (repository, "") if digest else named(reference)
    host, name = _place(repository)
    ecr = _ecr(store, host)
    identity = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        answer = ecr.batch_get_image(repositoryName=name, imageIds=[identity])
        if not answer["images"]:
            raise DockerError(f"manifest for {reference} not found: manifest unknown: Requested image not found")
        manifest = json.loads(answer["images"][0]["imageManifest"])
        content = _download(ecr, name, manifest["config"]["digest"])
        layers = []
        for number, layer in enumerate(manifest["layers"]):
            layers.append(scratch / f"layer-{number}.tar.gz")
            layers[-1].write_bytes(_download(ecr, name, layer["digest"]))
    except ClientError as error:
        raise _told(error) from error
    image = store.take(content, layers)
    store.pushed(image, repository, answer["images"][0]["imageId"]["imageDigest"])
    if tag:
        store.tag(image, f"{repository}:{tag}")
    return image


def is_registry(reference: str) -> bool:
    """Tell whether an image's name begins with a registry of ECR."""
    return bool(_HOST.fullmatch(reference.partition("/")[0]))


def _download(ecr: Any, name: str, digest: str) -> bytes:
    url = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=digest)["downloadUrl"]
    # The endpoint is the cloud's, as this program reaches it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=120) as answer:
        content: bytes = answer.read()
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise DockerError(f"filesystem layer verification failed for digest {digest}")
    return content


def _place(repository: str) -> tuple[str, str]:
    host, _, name = repository.partition("/")
    if not _HOST.fullmatch(host):
        raise DockerError(f"{repository} lies in no registry of ECR, and others are not emulated here")
    return host, name


def _ecr(store: Store, host: str) -> Any:
    keys = store.credentials().get(host)
    if keys is None:
        raise DockerError("no basic auth credentials")
    return _client("ecr", host, keys)


def _client(service: str, host: str, keys: dict[str, str]) -> Any:
    match = _HOST.fullmatch(host)
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
        service,
        endpoint_url=os.environ[ENDPOINT],
        region_name=match["region"] if match else None,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"] or None,
        config=_CONFIG,
    )


def _told(error: ClientError) -> DockerError:
    problem = error.response["Error"]
    return DockerError(f"{_WORDS.get(problem['Code'], problem['Code'])}: {problem['Message']}")
