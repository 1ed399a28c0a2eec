"""Is the stage released? The endpoint serves, on the expected config, an approved package that answers as it should."""

import json
import math
from dataclasses import dataclass
from typing import Any

from signalbox.releases.errors import (
    EndpointNotInServiceError,
    GoldenMismatchError,
    PackageWithdrawnError,
    ReleaseError,
    RolledBackError,
)
from signalbox.releases.ports import Answer, Endpoints, GoldenFiles, Registry
from signalbox.releases.rules import APPROVED, IN_SERVICE

# Below this difference two numbers are the same: a tolerance that is relative alone cannot hold at zero.
_SAME = 1e-9


@dataclass(frozen=True)
class Checks:
    """The ports of the verification."""

    registry: Registry
    endpoints: Endpoints
    files: GoldenFiles


def verify(payload: dict[str, Any], checks: Checks) -> dict[str, Any]:
    """Return `{"verdict": "released", "checked": [...], "answers": n, "worst_difference": x}`; changes nothing.

    `payload` is `{"endpoint", "config", "package": arn | null, "golden": s3 | null}`. Without golden requests only
    the config is compared, and `checked` says so; without a package its approval is not asked for.

    Raises:
        EndpointNotInServiceError: the endpoint does not serve.
        RolledBackError: it serves another config.
        PackageWithdrawnError: the package lost its approval meanwhile. A rejection finds the endpoint either before
            or after the update: before, this check sees it; after, the rejection's own release does.
        GoldenMismatchError: an answer differs from that of the batch transform.
        ReleaseError: the golden requests cannot be read.
    """
    _check_config(payload["endpoint"], payload["config"], checks.endpoints)
    if payload["package"]:
        package = checks.registry.package(payload["package"])
        if package is None or package.status != APPROVED:
            raise PackageWithdrawnError(payload["package"], package.status if package else "not registered")
    if not payload["golden"]:
        return {"verdict": "released", "checked": ["config"], "answers": 0, "worst_difference": None}
    golden = _parse(checks.files.read(payload["golden"]), payload["golden"])
    differences = [
        _difference(
            number, request, checks.endpoints.ask(payload["endpoint"], request["body"], golden["content_type"]), golden
        )
        for number, request in enumerate(golden["requests"], start=1)
    ]
    worst = max(differences, default=0.0)
    return {
        "verdict": "released",
        "checked": ["config", "golden requests"],
        "answers": len(differences),
        "worst_difference": worst,
    }


def _check_config(name: str, expected: str, endpoints: Endpoints) -> None:
    endpoint = endpoints.status(name)
    if endpoint is None:
        raise EndpointNotInServiceError(name, "gone", "somebody deleted it")
    if endpoint.status != IN_SERVICE:
        raise EndpointNotInServiceError(name, endpoint.status, endpoint.reason)
    if endpoint.config != expected:
        raise RolledBackError(name, endpoint.config, expected)


def _parse(text: str, uri: str) -> dict[str, Any]:
    try:
        golden: dict[str, Any] = json.loads(text)
        usable = golden["problem"] in ("regression", "classification") and golden["content_type"]
        usable = usable and all(isinstance(one["body"], str) and "expected" in one for one in golden["requests"])
        if golden["problem"] == "regression":
            golden["tolerance"] = float(golden["tolerance"])
            usable = usable and all(math.isfinite(float(one["expected"])) for one in golden["requests"])
    except (KeyError, TypeError, ValueError) as error:
        raise ReleaseError(f"{uri} has no golden requests ({error!r}): evaluate the package again") from None
    if not usable:
        raise ReleaseError(f"{uri} has no usable golden requests: evaluate the package again")
    return golden


def _difference(number: int, request: dict[str, Any], answer: Answer, golden: dict[str, Any]) -> float:
    """Return how far the answer is from what was expected: relative for a number, 0 for an equal class."""
    at = f"golden request {number} of {len(golden['requests'])}"
    expected, text = str(request["expected"]).strip(), answer.text.strip()
    if answer.failure:
        raise GoldenMismatchError(f"{at} was refused ({answer.failure})")
    if golden["problem"] == "classification":
        if text != expected:
            raise GoldenMismatchError(f"{at} was answered {text[:80]!r}, expected {expected!r}")
        return 0.0
    try:
        apart = abs(float(text) - float(expected))
    except ValueError:
        raise GoldenMismatchError(f"{at} was answered {text[:80]!r}, which is not a number") from None
    difference = 0.0 if apart <= _SAME else apart / max(abs(float(expected)), _SAME)
    if not difference <= golden["tolerance"]:  # written so that a NaN is a mismatch
        raise GoldenMismatchError(f"{at} was answered {text}, expected {expected} within {golden['tolerance']:g} of it")
    return difference
