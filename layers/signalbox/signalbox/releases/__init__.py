"""Releases: each stage of a model serves the package that the registry says it should, or is rolled back.

The release machine asks `planning` before every action and does what the answer says; `verifying` looks at the result.
What a stage needs: `rules`; what is made of each answer: `reactions`; how both change what a release remembers:
`steps`, `answers`, `tracking`; what each action asks of AWS: `actions`, and the package `hosting`.

What only one function needs is imported where it is wired, so that the other starts without it.
"""

from typing import TYPE_CHECKING

from signalbox.aws.endpoints import Endpoints
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore

if TYPE_CHECKING:
    from signalbox.releases.adapters import ReleasesTable
    from signalbox.releases.ports import ReleasePorts
    from signalbox.releases.verifying import VerifyingPorts
    from signalbox.settings import PlanRelease


def planning_ports(settings: "PlanRelease") -> "ReleasePorts":
    """Return what `plan_release` needs on AWS."""
    from functools import partial  # noqa: PLC0415  # see above

    from signalbox import moments, projects, stages  # noqa: PLC0415  # see above
    from signalbox.releases.ports import ReleasePorts  # noqa: PLC0415  # see above

    return ReleasePorts(
        packages=ModelRegistry(),
        endpoints=Endpoints(),
        files=ObjectStore(),
        store=store(settings.releases_table),
        stages=lambda: stages.load(settings.stages_parameter),
        clock=moments.now,
        prefix=settings.prefix,
        role=settings.model_role_arn,
        poll_seconds=settings.poll_seconds,
        document=partial(projects.load_model, settings.prefix),
    )


def store(table: str) -> "ReleasesTable":
    """Return what is known of releases, in the table of that name."""
    from signalbox.releases.adapters import ReleasesTable  # noqa: PLC0415  # see above

    return ReleasesTable(table)


def verifying_ports() -> "VerifyingPorts":
    """Return what `verify_release` needs on AWS."""
    from signalbox.aws.predictions import EndpointCaller  # noqa: PLC0415  # see above
    from signalbox.releases.verifying import VerifyingPorts  # noqa: PLC0415  # see above

    return VerifyingPorts(ModelRegistry(), Endpoints(), EndpointCaller(), ObjectStore())
