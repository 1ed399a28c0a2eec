"""Run uploads again whose run did not succeed: they wait anew, and the next run takes them with what came since.

An upload is of one run at a time: each is moved by a transaction of its own that asks whether it is still that run's.
So a repetition, after a death in between too, moves what is left, and what another run has by now stays there.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from signalbox import moments
from signalbox.aws.table import Table, put_request, unchanged, update_request
from signalbox.uploads import items
from signalbox.uploads.adapters import SqsRunRequests
from signalbox.uploads.model import NO_UPLOADS, SUCCEEDED, Run, Upload
from signalbox.uploads.table import UploadsTable
from signalbox_operate.runs import PipelineRun
from signalbox_operate.stack import OperateError, Stack

_MOST = 1_000  # runs after it that are looked through for repetitions


def source(found: PipelineRun, table: UploadsTable) -> Run:
    """Return the run whose uploads a run was over: itself, or the one that it repeated.

    Raises:
        OperateError: it had no uploads, is not over, or succeeded; the message says what to do instead.
    """
    known = table.find(found.name)
    if known is None or known.repeats == NO_UPLOADS:
        raise OperateError(
            f"{found.name} took no uploads: `signalbox start {found.pipeline}` starts its pipeline by hand"
        )
    run = table.find(known.source) or known
    if known.open or run.open:
        raise OperateError(f"{found.name} is not over: `signalbox runs {found.name}` shows how it stands")
    check_failed(run, table)
    return run


def check_failed(run: Run, table: UploadsTable) -> None:
    """Refuse a run whose uploads are in a run that succeeded, or that goes on: itself, or one that repeats it.

    Raises:
        OperateError: they are; the message says what to do instead.
    """
    for one in (run, *_repetitions(run, table)):
        if one.status == SUCCEEDED:
            raise OperateError(
                f"the uploads of {run.id} are in a run that succeeded, {one.id}, and no upload is in two: upload the "
                f"files again, or push a change of the pipeline, which runs over them"
            )
        if one.open:
            again = "" if one is run else f" runs over the uploads of {run.id} again, and"
            raise OperateError(f"{one.id}{again} is not over: `signalbox runs {one.id}` shows how it stands")


def _repetitions(run: Run, table: UploadsTable) -> list[Run]:
    """Return the runs that a push has started over the uploads of a run, as far as they are among the newest."""
    return [one for one, _ in table.newest(_MOST) if one.repeats == run.id]


def chosen(run: Run, without: Collection[str], table: UploadsTable) -> Sequence[Upload]:
    """Return the uploads of a run but those with one of the keys in `without`.

    Raises:
        OperateError: one of the keys is none of the run's, or no other is left.
    """
    taken = table.taken(run)
    unknown = sorted(set(without) - {one.key for one in taken})
    if unknown:
        raise OperateError(f"{run.id} has no upload {unknown[0]!r}: `signalbox runs {run.id}` shows its keys")
    left = [one for one in taken if one.key not in without]
    if not left:
        raise OperateError(f"nothing of {run.id} is left to run again")
    return left


def give_back(run: Run, uploads: Sequence[Upload], table: Table, now: datetime) -> int:
    """Let uploads of a run wait again from now on; return how many of them were still that run's.

    Raises:
        ServiceBusyError, CallRefusedError: see `Table.transact`.
    """
    return sum(table.transact(*_waiting_again(run, one, table.name, now)) for one in uploads)


def ask(stack: Stack, pipeline: str, sqs: Any) -> None:
    """Ask for a run of a pipeline.

    Raises:
        ServiceBusyError, CallRefusedError: SQS did not take it.
    """
    # With a delay of a second hardly any request is another one's repetition.
    SqsRunRequests(stack.output("RunsQueueUrl"), 1, moments.now, sqs).ask(pipeline)


def _waiting_again(run: Run, upload: Upload, table: str, now: datetime) -> tuple[Any, ...]:
    again = upload._replace(recorded_at=moments.text_of(now))
    changes = {"run": None, "gone": None, "expires": None, "recorded_at": again.recorded_at, "pipeline": run.pipeline}
    return (
        {"Update": update_request(table, items.upload_key(upload), changes, unchanged({"run": run.id}))},
        {"Put": put_request(table, {**items.waiting_key(again, run.pipeline), **items.facts_of(again)})},
    )
