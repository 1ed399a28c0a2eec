"""Releases: each stage of a model serves the package that the registry says it should, or is put back.

The release machine asks `plan` before every step of every stage, does what the answer says, and has `verify` look at
the result. Rules: `rules.py`, `verification.py`; requests to SageMaker: `requests.py`; ports and adapters as named.
"""

from typing import Any, Protocol

from signalbox import stages
from signalbox.aws import clients
from signalbox.releases.adapters import DynamoLedger, S3GoldenFiles, SageMakerEndpoints, SageMakerRegistry
from signalbox.releases.planning import plan, plan_put_back
from signalbox.releases.ports import Outside, Setup
from signalbox.releases.verification import Checks, verify

__all__ = ["Checks", "Planner", "checks", "verify"]


class PlanSettings(Protocol):
    """What planning has to be told."""

    @property
    def prefix(self) -> str:
        """Return the prefix of every name."""

    @property
    def stages_parameter(self) -> str:
        """Return the name of the SSM parameter that holds the stages document."""

    @property
    def releases_table(self) -> str:
        """Return the name of the releases table."""

    @property
    def model_role_arn(self) -> str:
        """Return the role under which models run."""


class Planner:
    """The answer to every question of the release machine."""

    def __init__(self, settings: PlanSettings) -> None:
        self._settings = settings
        sagemaker = clients.client("sagemaker")
        self._outside = Outside(
            SageMakerRegistry(sagemaker),
            SageMakerEndpoints(sagemaker),
            DynamoLedger(clients.client("dynamodb"), settings.releases_table),
        )

    def answer(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the plan of a stage or, where the payload has a `failed` plan, how the stage is put back.

        The stages document is read each time: a stage that was added or resized counts from the next step on.

        Raises:
            StagesDocumentError: the stages document cannot be used.
            ReleaseError: the question has no answer.
            ServiceBusyError: AWS could not answer now.
        """
        if payload.get("failed"):
            return plan_put_back(payload, self._outside)
        document = stages.load(self._settings.stages_parameter)
        return plan(payload, document, self._outside, Setup(self._settings.prefix, self._settings.model_role_arn))


def checks() -> Checks:
    """Return the ports of the verification."""
    sagemaker = clients.client("sagemaker")
    return Checks(
        SageMakerRegistry(sagemaker),
        SageMakerEndpoints(sagemaker, clients.client("sagemaker-runtime")),
        S3GoldenFiles(clients.client("s3")),
    )
