"""Pushes become builds: each branch is built at its newest commit, and what main publishes is run or trained.

Here the rules and the adapters are put together for the functions. What only one of them needs is imported where it is
wired, so that the other starts without it.
"""

from functools import partial
from typing import TYPE_CHECKING

from signalbox import moments, names
from signalbox.aws import parameters
from signalbox.aws.table import Table
from signalbox.pushes import documents
from signalbox.pushes.heads import DeliveryTable, HeadTable
from signalbox.settings import OnCodePush, ReceiveHook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from signalbox.contracts.endings import BuildFailure
    from signalbox.pushes.building import PushPorts
    from signalbox.pushes.model import Published
    from signalbox.pushes.receiving import HookPorts


def push_ports(settings: OnCodePush, notify: "Callable[[BuildFailure], object]") -> "PushPorts":
    """Return what `on_code_push` works with; `notify` mails why a build failed."""
    from signalbox import owners, projects  # noqa: PLC0415  # see above
    from signalbox.aws.dead_letters import SqsDeadLetterQueue  # noqa: PLC0415  # see above
    from signalbox.pushes.adapters import CodeBuilds, CodeCommitRepositories  # noqa: PLC0415  # see above
    from signalbox.pushes.building import PushPorts  # noqa: PLC0415  # see above
    from signalbox.pushes.experiments import BranchResources  # noqa: PLC0415  # see above
    from signalbox.pushes.handing import Handing  # noqa: PLC0415  # see above
    from signalbox.pushes.publishing import PublishingPorts  # noqa: PLC0415  # see above
    from signalbox.pushes.table import BranchTable  # noqa: PLC0415  # see above

    prefix, table = settings.prefix, Table(settings.pushes_table)
    branches = BranchTable(table)

    def approvers_of(project: str) -> "tuple[Sequence[str], bool]":
        from signalbox.mail import addresses  # noqa: PLC0415  # mails are rare

        known = next((one for one in projects.load_projects(prefix) if one.project == project), None)
        return (known.approvers, True) if known and known.approvers else (addresses(settings.approvers), False)

    return PushPorts(
        prefix=prefix,
        automations=lambda: documents.readable(parameters.below(names.automation_parameter(prefix, ""))),
        repositories=CodeCommitRepositories(),
        heads=HeadTable(table),
        builds=CodeBuilds(),
        branches=branches,
        experiments=BranchResources(prefix),
        publishing=PublishingPorts(
            published=lambda project: _published(names.published_parameter(prefix, project)),
            projects=lambda: projects.load_projects(prefix),
            project_of=partial(owners.project, prefix),
            branches=branches,
            trainings=Handing(settings.runs_queue_url, settings.mlops_machine_arn),
        ),
        dead_letters=SqsDeadLetterQueue(settings.dead_letters_url),
        approvers_of=approvers_of,
        notify=notify,
        clock=moments.now,
    )


def hook_ports(settings: ReceiveHook) -> "HookPorts":
    """Return what `receive_hook` works with."""
    from signalbox.pushes import hook_places  # noqa: PLC0415  # see above
    from signalbox.pushes.receiving import HookPorts  # noqa: PLC0415  # see above

    texts = hook_places.Fresh(parameters.find)
    return HookPorts(
        automation=partial(hook_places.automation_of, prefix=settings.prefix, texts=texts),
        secret=hook_places.Fresh(partial(hook_places.secret, settings.prefix)).text,
        deliveries=DeliveryTable(Table(settings.pushes_table)),
        queue=hook_places.PushesQueue(settings.pushes_queue_url),
        clock=moments.now,
    )


def _published(parameter: str) -> "Published | None":
    text = parameters.find(parameter)
    return documents.parse_published(text) if text else None
