"""ECR: what ministack 1.5.33 answers otherwise than AWS about images and their layers.

Its calls for layers take whatever comes and keep nothing; its registry takes images from whoever can reach the port.
"""

import base64
import inspect
import json
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.ecr import LayerError, Layers, Repository, records
from sagemaker_local.ecr.layers import PART
from sagemaker_local.images import RegisteredImage, UnknownImageError
from sagemaker_local.ministack import registry

type Request = dict[str, Any]
type Answer = HttpResponse

_caller: ContextVar[str] = ContextVar("ecr_caller")
_TOKEN_SECONDS = 12 * 3600  # API reference, GetAuthorizationToken
_IMMUTABLE = "IMMUTABLE"


def keep_images(layers: Layers, endpoint: str) -> None:
    """Gap: layers are not kept, tags are looked at but not digests, and a token is everybody's.

    ECR API reference: PutImage, BatchCheckLayerAvailability, GetDownloadUrlForLayer, BatchDeleteImage.
    """
    registry._batch_check_layer_availability = _answering(partial(_availability, layers))
    registry._initiate_layer_upload = _answering(lambda _, where: {"uploadId": layers.begin(where), "partSize": PART})
    registry._upload_layer_part = _answering(partial(_take_part, layers))
    registry._complete_layer_upload = _answering(partial(_complete, layers))
    registry._get_download_url_for_layer = _answering(partial(_download, layers, endpoint))
    registry._batch_get_image = _answering(lambda request, where: records.found(_images(where), request, where))
    registry._batch_delete_image = _answering(lambda request, where: records.deleted(_images(where), request))
    registry._list_images = _answering(lambda request, where: records.listed(_images(where), request))
    registry._describe_images = _answering(
        lambda request, where: records.described(_images(where), layers, request, where)
    )
    put, delete = registry._put_image, registry._delete_repository
    registry._put_image = _answering(partial(_checked_put, layers, put))
    registry._delete_repository = partial(_forgetting, layers, delete)
    registry._get_authorization_token = _token
    registry.handle_registry_request = _no_registry
    ministack.around_service("ecr", _knowing_the_caller)
    ministack.name_resource("ecr", _asked_for)


def _asked_for(_: Mapping[str, Any], body: bytes) -> str | None:
    """Return the repository that DescribeRepositories is about; of several, or of all, IAM has to allow any.

    Service Authorization Reference, "Actions, resources, and condition keys for Amazon ECR".
    """
    names = ministack.json_object(body).get("repositoryNames")
    return f"repository/{names[0]}" if isinstance(names, list) and len(names) == 1 else None


def registered(layers: Layers, account: str, region: str, name: str, reference: str) -> RegisteredImage | None:
    """Return an image by its tag or its digest; None where there is no such repository in ECR.

    Raises:
        UnknownImageError: the repository has no such image.
    """
    if not registry._repositories.contains_scoped(account, region, name):
        return None
    where = Repository(account, region, name)
    digest = reference if reference.startswith("sha256:") else ""
    identity = {"imageDigest": digest} if digest else {"imageTag": reference}
    record = records.record(registry._images.get_scoped(account, region, name, []), identity)
    if record is None:
        raise MissingImageError(f"{account}.dkr.ecr.{region}.amazonaws.com/{name}", reference)
    manifest, digest = ministack.json_object(record["imageManifest"].encode()), record["imageDigest"]
    folder = layers.image(where, digest, manifest)
    return RegisteredImage.of(name.rpartition("/")[2], folder, digest, layers.settings(where, manifest))


class MissingImageError(UnknownImageError):
    """A repository of ECR has no image of a tag or digest."""

    def __init__(self, repository: str, reference: str) -> None:
        mark = "@" if reference.startswith("sha256:") else ":"
        Exception.__init__(self, f"the repository {repository} has no image {mark}{reference}")


def _answering(handle: Callable[[Request, Repository], Request]) -> Callable[[Request], Answer]:
    """Return a handler as ministack calls it: of a repository that has to be there."""

    def answered(request: Request) -> Answer:
        account, region = ministack.scope()
        where = Repository(account, region, request.get("repositoryName", ""))
        try:
            _require_here(request, where)
            return ministack.json_answer(handle(request, where))
        except LayerError as error:
            return ministack.json_refusal(error.code, str(error))

    return answered


def _images(where: Repository) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = registry._images[where.name]
    return images


def _require_here(request: Request, where: Repository) -> None:
    own = request.get("registryId", where.account) == where.account
    if not own or where.name not in registry._repositories:
        account = request.get("registryId", where.account)
        raise LayerError(
            "RepositoryNotFoundException",
            f"The repository with name '{where.name}' does not exist in the registry with id '{account}'",
        )


def _availability(layers: Layers, request: Request, where: Repository) -> Request:
    found = []
    for digest in request.get("layerDigests", []):
        size = layers.size(where, digest)
        state = {"layerAvailability": "UNAVAILABLE" if size is None else "AVAILABLE"}
        found.append({"layerDigest": digest, **state, **({} if size is None else {"layerSize": size})})
    return {"layers": found, "failures": []}


def _take_part(layers: Layers, request: Request, where: Repository) -> Request:
    part = base64.b64decode(request.get("layerPartBlob", ""))
    last = layers.add(where, request.get("uploadId", ""), int(request.get("partFirstByte", 0)), part)
    return {**_named(where), "uploadId": request.get("uploadId"), "lastByteReceived": last}


def _complete(layers: Layers, request: Request, where: Repository) -> Request:
    upload = request.get("uploadId", "")
    digest = layers.complete(where, upload, request.get("layerDigests", []))
    return {**_named(where), "uploadId": upload, "layerDigest": digest}


def _named(where: Repository) -> Request:
    return {"registryId": where.account, "repositoryName": where.name}


def _download(layers: Layers, endpoint: str, request: Request, where: Repository) -> Request:
    digest = request.get("layerDigest", "")
    return {"downloadUrl": f"{endpoint}/_local/layers/{layers.link(where, digest)}", "layerDigest": digest}


def _checked_put(layers: Layers, put: Callable[[Request], Answer], request: Request, where: Repository) -> Request:
    """Put an image whose layers are there, unless it is there already, or its tag may not be moved."""
    manifest, tag = request.get("imageManifest", ""), request.get("imageTag")
    digest = registry._image_digest(manifest)
    if request.get("imageDigest", digest) != digest:
        raise LayerError("ImageDigestDoesNotMatchException", f"The digest of the manifest is {digest}")
    parts = ministack.json_object(manifest.encode())
    needed = [part.get("digest", "") for part in (parts.get("config", {}), *parts.get("layers", [])) if part]
    lost = [one for one in needed if layers.size(where, one) is None]
    if lost:
        raise LayerError("LayersNotFoundException", f"Layers with digests '{', '.join(lost)}' do not exist in {where}")
    holder = records.record(_images(where), {"imageTag": tag}) if tag else None
    if holder and holder["imageDigest"] == digest:
        raise LayerError(
            "ImageAlreadyExistsException", f"Image with digest '{digest}' and tag '{tag}' already exists in {where}"
        )
    if holder and registry._repositories[where.name].get("imageTagMutability") == _IMMUTABLE:
        raise LayerError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{where.name}' repository and cannot be overwritten because "
            "the repository is immutable.",
        )
    _, _, body = put(request)
    answer = json.loads(body)["image"]
    answer["imageId"] = {"imageDigest": digest, **({"imageTag": tag} if tag else {})}
    return {"image": answer}


def _forgetting(layers: Layers, delete: Callable[[Request], Answer], request: Request) -> Answer:
    answer = delete(request)
    if "repositoryName" in request and request["repositoryName"] not in registry._repositories:
        account, region = ministack.scope()
        layers.forget(Repository(account, region, request["repositoryName"]))
    return answer


def _token(_request: Request) -> Answer:
    """Return a token that stands for its caller: docker's pushes and pulls are made with the caller's rights."""
    account, region = ministack.scope()
    password = base64.b64encode(json.dumps(ministack.keys_of(_caller.get())).encode()).decode()
    data = {
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": int(time.time()) + _TOKEN_SECONDS,
        "proxyEndpoint": f"https://{account}.dkr.ecr.{region}.amazonaws.com",
    }
    return ministack.json_answer({"authorizationData": [data]})


def _knowing_the_caller(handle: ministack.ServiceHandler) -> ministack.ServiceHandler:
    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        before = _caller.set(ministack.access_key(headers, query))
        try:
            answer: Any = handle(method, path, headers, body, query)
            found: Answer = await answer if inspect.isawaitable(answer) else answer
        finally:
            _caller.reset(before)
        return found

    return handled


async def _no_registry(*_: Any) -> Answer:
    """Gap: whoever reaches the port may push and pull by the registry's protocol, without a key."""
    problem = {"code": "UNAUTHORIZED", "message": "images are pushed and pulled by the docker of a build, or ECR's API"}
    return 401, {"Content-Type": "application/json"}, json.dumps({"errors": [problem]}).encode()
