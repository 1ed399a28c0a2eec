"""The two stacks of a promotion: who is signed in, what is deployed, and where something was refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.model_documents import ProjectDocumentError
from signalbox.pushes.documents import PushDocumentError
from signalbox_operate import refusals
from signalbox_operate import stack as stacks
from signalbox_operate.projects import target
from signalbox_operate.projects.place import Place
from signalbox_operate.promotions.model import Deployed, Side
from signalbox_operate.stack import OperateError, PlacedError

_REFUSED = (
    *(OperateError, ProjectDocumentError, PushDocumentError),
    *(CallRefusedError, ServiceBusyError, ClientError, BotoCoreError),
)


@contextmanager
def within(where: str) -> Iterator[None]:
    """Say of whatever is refused in which of the two places that was.

    Raises:
        PlacedError: something was refused, or cannot be done there.
    """
    try:
        yield
    except PlacedError:
        raise
    except _REFUSED as error:
        raise PlacedError(f"in {where}: {refusals.sentence(error)}") from error


def read(name: str, region: str | None, client: Callable[[str], Any], say: Callable[[str], None]) -> Side:
    """Return a stack and who is signed in there.

    Raises:
        PlacedError: there is no such stack, or nobody is signed in.
    """
    with within(f"the stack {name}{f' in {region}' if region else ''}"):
        if not region:
            raise OperateError(refusals.NO_REGION)
        caller = client("sts").get_caller_identity()
        account = str(caller["Account"])
    with within(f"the stack {name} (account {account}, {region})"):
        place = Place(stacks.read(name, client("cloudformation")), region, client, say)
        return Side(place, account, str(caller["Arn"]))


def check_apart(source: Side, aim: Side) -> None:
    """Refuse to promote a stack's pipeline to itself.

    Raises:
        OperateError: the two are one.
    """
    if (source.account, source.place.region, source.place.prefix) == (aim.account, aim.place.region, aim.place.prefix):
        raise OperateError(f"source and target are both {source.title}: name two stacks with --from and --to")


def deployed(project: str, pipeline: str | None, side: Side) -> Deployed | None:
    """Return a project's pipeline in a stack, the only one where none is named; None where there is no such project.

    Raises:
        OperateError: the project has no such pipeline, or several and none is named.
    """
    document = side.place.find(project)
    if document is None:
        return None
    keys = ", ".join(document.pipelines) or "none"
    if pipeline is None and len(document.pipelines) != 1:
        raise OperateError(f"name the pipeline of {project}: it has {keys}")
    key = pipeline or next(iter(document.pipelines))
    if key not in document.pipelines:
        raise OperateError(f"the project {project} has no pipeline {key!r}: it has {keys}")
    outputs = side.place.stack_of(project).outputs()
    if "JobRoleArn" not in outputs:
        raise OperateError(f"the project {project} has no roles: deploy it again")
    known = target.of_stack(side.place.stack, side.place.region, outputs["JobRoleArn"])
    return Deployed(side, document, key, known, outputs["PipelineRoleArn"])
