"""Pushes become builds: each branch is built at its newest commit, and what main publishes is run or trained.

Here the rules and the adapters are put together for the function.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signalbox import moments, names, projects
from signalbox.aws import parameters
from signalbox.aws.dead_letters import SqsDeadLetterQueue
from signalbox.aws.table import Table
from signalbox.pushes import documents
from signalbox.pushes.adapters import CodeBuilds, CodeCommitRepositories
from signalbox.pushes.building import PushPorts
from signalbox.pushes.experiments import BranchResources
from signalbox.pushes.handing import Handing
from signalbox.pushes.model import Published
from signalbox.pushes.publishing import PublishingPorts
from signalbox.pushes.table import BranchTable
from signalbox.settings import OnCodePush

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalbox.contracts.endings import BuildFailure


def push_ports(settings: OnCodePush, notify: "Callable[[BuildFailure], object]") -> PushPorts:
    """Return what `on_code_push` works with; `notify` mails why a build failed."""
    prefix, branches = settings.prefix, BranchTable(Table(settings.pushes_table))

    def approvers_of(project: str) -> tuple[Sequence[str], bool]:
        from signalbox.mail import addresses  # noqa: PLC0415  # mails are rare

        known = next((one for one in projects.load_projects(prefix) if one.project == project), None)
        return (known.approvers, True) if known and known.approvers else (addresses(settings.approvers), False)

    return PushPorts(
        prefix=prefix,
        automations=lambda: documents.readable(parameters.below(names.automation_parameter(prefix, ""))),
        repositories=CodeCommitRepositories(),
        builds=CodeBuilds(),
        branches=branches,
        experiments=BranchResources(prefix),
        publishing=PublishingPorts(
            published=lambda project: _published(names.published_parameter(prefix, project)),
            projects=lambda: projects.load_projects(prefix),
            project_of=lambda model: _project_of(prefix, model),
            branches=branches,
            trainings=Handing(settings.runs_queue_url, settings.mlops_machine_arn),
        ),
        dead_letters=SqsDeadLetterQueue(settings.dead_letters_url),
        approvers_of=approvers_of,
        notify=notify,
        clock=moments.now,
    )


def _published(parameter: str) -> Published | None:
    text = parameters.find(parameter)
    return documents.parse_published(text) if text else None


def _project_of(prefix: str, model: str) -> str | None:
    found = projects.load_model(prefix, model)
    return found.project if found else None
