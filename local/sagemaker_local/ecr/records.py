"""What ECR says of the images of one repository (API reference, BatchGetImage, BatchDeleteImage, DescribeImages)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sagemaker_local.ecr.layers import LayerError, Layers, Repository

type Images = list[dict[str, Any]]
type Request = Mapping[str, Any]

_NOT_FOUND = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}


def manifest_of(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of an image; nothing where it is no JSON object."""
    try:
        found = json.loads(image["imageManifest"])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def record(images: Iterable[dict[str, Any]], identity: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the image that has a tag, a digest, or both."""
    for image in images:
        by_digest = identity.get("imageDigest", image["imageDigest"]) == image["imageDigest"]
        by_tag = "imageTag" not in identity or identity["imageTag"] in image.get("imageTags", [])
        if identity and by_digest and by_tag:
            return image
    return None


def found(images: Images, request: Request, where: Repository) -> dict[str, Any]:
    """Answer BatchGetImage."""
    here, failures = [], []
    for identity in request.get("imageIds", []):
        image = record(images, identity)
        if image is None:
            failures.append({"imageId": identity, **_NOT_FOUND})
            continue
        kept = {name: image[name] for name in ("imageManifest", "imageManifestMediaType")}
        shown = {"imageId": {**identity, "imageDigest": image["imageDigest"]}, **kept}
        here.append({"registryId": where.account, "repositoryName": where.name, **shown})
    return {"images": here, "failures": failures}


def deleted(images: Images, request: Request) -> dict[str, Any]:
    """Answer BatchDeleteImage: by a digest all tags go, by a tag that one, and with the last one the image."""
    gone, failures = [], []
    for identity in request.get("imageIds", []):
        image = record(images, identity)
        if image is None:
            failures.append({"imageId": identity, **_NOT_FOUND})
            continue
        tags = image.get("imageTags", [])
        removed = [identity["imageTag"]] if "imageTag" in identity else [*tags]
        image["imageTags"] = [tag for tag in tags if tag not in removed]
        if not image["imageTags"]:
            images.remove(image)
        gone += _identities({**image, "imageTags": removed})
    return {"imageIds": gone, "failures": failures}


def listed(images: Images, request: Request) -> dict[str, Any]:
    """Answer ListImages."""
    return {"imageIds": [identity for image in _chosen(images, request) for identity in _identities(image)]}


def described(images: Images, layers: Layers, request: Request, where: Repository) -> dict[str, Any]:
    """Answer DescribeImages.

    Raises:
        LayerError: one of the images that are named is not there.
    """
    chosen, named = _chosen(images, request), request.get("imageIds", [])
    for identity in named:
        if record(chosen, identity) is None:
            told = ", ".join(f"{name}:'{identity.get(name, 'null')}'" for name in ("imageDigest", "imageTag"))
            raise LayerError(
                "ImageNotFoundException", f"The image with imageId {{{told}}} does not exist within {where}"
            )
    if named:
        chosen = [image for image in chosen if any(record([image], identity) for identity in named)]
    return {"imageDetails": [_detail(layers, image, where) for image in chosen]}


def _identities(image: Mapping[str, Any]) -> list[dict[str, str]]:
    digest = {"imageDigest": image["imageDigest"]}
    return [{**digest, "imageTag": tag} for tag in image.get("imageTags", [])] or [digest]


def _chosen(images: Images, request: Request) -> Images:
    wanted = request.get("filter", {}).get("tagStatus", "ANY")
    states = {"TAGGED": (True,), "UNTAGGED": (False,)}.get(wanted, (True, False))
    return [image for image in images if bool(image.get("imageTags")) in states]


def _detail(layers: Layers, image: Mapping[str, Any], where: Repository) -> dict[str, Any]:
    manifest, media = manifest_of(image), image["imageManifestMediaType"]
    sizes = [layers.size(where, part["digest"]) or 0 for part in manifest.get("layers", [])]
    return {
        "registryId": where.account,
        "repositoryName": where.name,
        "imageDigest": image["imageDigest"],
        **({"imageTags": image["imageTags"]} if image.get("imageTags") else {}),
        "imageSizeInBytes": sum(sizes),
        "imagePushedAt": image["imagePushedAt"],
        "imageManifestMediaType": media,
        "artifactMediaType": manifest.get("config", {}).get("mediaType", media),
    }
