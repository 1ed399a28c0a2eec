"""Regions that do not see each other: each has a service of its own, made when somebody first signs for it."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sagemaker_local import ministack
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.core.wire import REST_MODELS, members


class Regional(Protocol):
    """A service as it is in one region."""

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        """Answer one request that ministack has authorised."""

    def resource_arn(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ARN that IAM decides about."""

    def close(self) -> None:
        """End what runs for it."""


class Regions[Service: Regional]:
    """One service for each region; a request goes to that of the region in its signature."""

    def __init__(self, make: Callable[[str], Service]) -> None:
        self._make = make
        self._services: dict[str, Service] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the regions that somebody has signed for."""
        with self._lock:
            return list(self._services)

    def of(self, region: str) -> Service:
        """Return the service of a region."""
        with self._lock:
            if region not in self._services:
                self._services[region] = self._make(region)
            return self._services[region]

    def _here(self) -> Service:
        _, region = ministack.scope()
        return self.of(region)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        """Answer one request that ministack has authorised."""
        return await self._here().handle(method, path, headers, body, query)

    def resource_arn(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ARN that IAM decides about."""
        return self._here().resource_arn(method, path, headers, body)

    def close(self) -> None:
        """End what runs in all regions."""
        with self._lock:
            services = list(self._services.values())
        for service in services:
            service.close()


def condition_keys(action: str, body: bytes) -> dict[str, str | list[str]]:
    """Return the condition keys of a request to SageMaker (Service Authorization Reference): those that are used here.

    ministack makes those of tags by botocore's model of the service; what stands in that place here are the run-time
    APIs, which have no tags.
    """
    request = members(body)
    found = _tag_keys(request)
    status = request.get("ModelApprovalStatus")
    if action in ("sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage") and status is not None:
        found["sagemaker:ModelApprovalStatus"] = str(status)
    return found


def _tag_keys(request: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the keys and values of the tags that a request sets, and the keys that it takes away."""
    given, gone = request.get("Tags"), request.get("TagKeys")
    tags = [tag for tag in given if isinstance(tag, dict)] if isinstance(given, list) else []
    keys = [str(tag.get("Key")) for tag in tags] + [str(key) for key in (gone if isinstance(gone, list) else [])]
    found: dict[str, str | list[str]] = {
        f"aws:RequestTag/{tag.get('Key')}".lower(): str(tag.get("Value")) for tag in tags
    }
    return {**found, "aws:TagKeys": keys} if keys else found


def attach_codebuild(regions: Regions[Any]) -> None:
    """Make CodeBuild known to ministack, in place of its own."""
    ministack.add_service(
        "codebuild", regions.handle, "CodeBuild_20161006.", [], regions.resource_arn, lambda _action, _body: {}
    )


def attach(regions: Regions[Any]) -> None:
    """Make SageMaker known to ministack."""
    ministack.add_resource_tags(
        "sagemaker", lambda: [one for region in regions.names() for one in regions.of(region).tagged()]
    )
    ministack.add_service("sagemaker", regions.handle, "SageMaker.", REST_MODELS, regions.resource_arn, condition_keys)
