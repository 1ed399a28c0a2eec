"""Parameter Store: its events on the default bus, and what a call by a path is decided on."""

import logging
import random
from collections.abc import Mapping
from typing import Any

from sagemaker_local import ministack

_LOG = logging.getLogger("sagemaker_local")


def tell_of_parameters(repeat: float = 0.0) -> None:
    """Gap: nobody is told that a parameter was made, changed or deleted.

    AWS Systems Manager User Guide, "Reference: Amazon EventBridge event patterns and types for Systems Manager". Events
    are sent "on a best effort basis", and may come twice: so many do here as `repeat` says.
    """
    chance = random.Random(0)  # noqa: S311  # a repeatable chance is the point

    def tell(operation: str, name: str, parameter: Mapping[str, Any]) -> None:
        detail = {"operation": operation, "name": name, "type": parameter["Type"]}
        if parameter.get("Description"):
            detail["description"] = parameter["Description"]
        for _ in range(2 if chance.random() < repeat else 1):
            try:
                ministack.put_event("aws.ssm", "Parameter Store Change", [parameter["ARN"]], detail)
            except Exception:  # noqa: BLE001  # whatever it is: the parameter is changed all the same
                _LOG.exception("an event was lost: %s of %s", operation, name)

    ministack.after_parameter(tell)


def decide_parameters_by_their_path() -> None:
    """Gap: GetParametersByPath is decided on `*`; on AWS on the path, as if it were a parameter's name.

    AWS Systems Manager User Guide, "Restricting access to Parameter Store parameters using IAM policies": whoever may
    use a path gets what is under it.
    """

    def path(_query: Mapping[str, Any], body: bytes) -> str | None:
        given = ministack.json_object(body).get("Path")
        return f"parameter/{str(given).lstrip('/')}" if given else None

    ministack.name_resource("ssm", path)
