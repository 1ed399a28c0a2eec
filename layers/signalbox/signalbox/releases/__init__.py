"""Releases: each stage of a model serves the package that the registry says it should, or is rolled back.

The release machine asks `planning` before every action and does what the answer says; `verifying` looks at the result.
What a stage needs: `rules`; what is made of each answer: `reactions`; how both change what a release remembers:
`steps`, `answers`, `tracking`; what each action asks of AWS: `actions`, and the package `hosting`.
"""

from signalbox import moments, stages
from signalbox.aws.endpoints import Endpoints
from signalbox.aws.predictions import EndpointCaller
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.releases.adapters import ReleasesTable
from signalbox.releases.ports import ReleasePorts
from signalbox.releases.verifying import VerifyingPorts
from signalbox.settings import PlanRelease


def planning_ports(settings: PlanRelease) -> ReleasePorts:
    """Return what `plan_release` needs on AWS."""
    return ReleasePorts(
        packages=ModelRegistry(),
        endpoints=Endpoints(),
        store=ReleasesTable(settings.releases_table),
        stages=lambda: stages.load(settings.stages_parameter),
        clock=moments.now,
        prefix=settings.prefix,
        role=settings.model_role_arn,
        poll_seconds=settings.poll_seconds,
    )


def store(table: str) -> ReleasesTable:
    """Return what is known of releases, in the table of that name."""
    return ReleasesTable(table)


def verifying_ports() -> VerifyingPorts:
    """Return what `verify_release` needs on AWS."""
    return VerifyingPorts(ModelRegistry(), Endpoints(), EndpointCaller(), ObjectStore())
