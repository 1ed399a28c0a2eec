"""Runs are started here and nowhere else, one at a time for each pipeline."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.batch import BatchResponse, Consumer, DeadLetterQueue
from signalbox.events import EventError, ExecutionChange
from signalbox.observability import count, logger, measure
from signalbox.uploads import rules, uploaders
from signalbox.uploads.model import (
    CLAIMED,
    CLAIMING,
    EMPTY,
    STARTED,
    ExecutionState,
    Run,
    RunPostponedError,
    RunRefusedError,
    Upload,
)
from signalbox.uploads.ports import PipelineExecutions, RunRequests, UploadObjects, UploadStore
from signalbox.uploads.refusals import Refusals
from signalbox.uploads.waiting import seconds_waiting


class StartingPorts(NamedTuple):
    """What starting needs from outside: the runs of `pipeline`, whose manifests are kept under the URI `manifests`.

    `refusals` tells people of a run that cannot start.
    """

    pipeline: str
    manifests: str
    store: UploadStore
    objects: UploadObjects
    executions: PipelineExecutions
    requests: RunRequests
    dead_letters: DeadLetterQueue
    refusals: Refusals
    clock: Callable[[], datetime]


class RunRequested(NamedTuple):
    """Somebody wants the next run of a pipeline tried."""

    pipeline: str


def start(event: Mapping[str, object], ports: StartingPorts) -> BatchResponse:
    """Start and close the runs that a batch of messages makes due; return the messages that failed.

    A FIFO message group makes it serial. Should two be at work all the same (a message that came back too early), the
    table decides: a run's number, its uploads and each change of its status are taken by one of them, and the other
    gives way with RunConflictError, which brings its message back.

    A run goes Claiming → Claimed → Started → over. Death between any two calls leaves one of these states, and the
    next message goes on from there: uploads are moved to a run in transactions, the manifest of a sealed run is always
    the same, and the same token finds the execution that was started before.

    Raises:
        EventError: `event` is not from a queue.
    """
    consumer = Consumer(event, partial(read, pipeline=ports.pipeline), ports.dead_letters)
    for delivery in consumer:
        with delivery as message, _postponed(ports):
            if isinstance(message, RunRequested) or (message.final and message.pipeline == ports.pipeline):
                _advance(message, ports)
    return consumer.response


def read(body: Mapping[str, object], pipeline: str) -> RunRequested | ExecutionChange:
    """Return the request or the status change in a message.

    Raises:
        EventError: it is neither, or a request for another pipeline than this one.
    """
    if body.get("kind") != rules.RUN_REQUESTED:
        return ExecutionChange.read(body)
    if body.get("pipeline") != pipeline:
        raise EventError(f"a run of {body.get('pipeline')!r} is requested, but {pipeline!r} is started here")
    return RunRequested(pipeline)


@contextmanager
def _postponed(ports: StartingPorts) -> Iterator[None]:
    """Ask for a run later where one cannot be started now.

    The request for later is sent before this message is acknowledged, so one of the two always exists. A message that
    came back by itself instead would count towards the dead-letter queue, and hold up the group for the visibility
    timeout. However many are postponed, one request is sent per half window. That goes for a run that is refused, too:
    its uploads stay with it, and it starts once what refuses it is mended. People are told of that after the request.
    A table or a bucket that does not answer postpones a run just the same: each step of it may be repeated.
    """
    try:
        yield
    except ServiceBusyError as error:
        ports.requests.ask()
        logger.info("run postponed", extra={"pipeline": ports.pipeline, "reason": str(error)})
        count("RunPostponed")
    except RunPostponedError as error:
        ports.requests.ask()
        logger.info("run postponed", extra={"pipeline": ports.pipeline, "reason": error.waits_for})
        count("RunPostponed")
        measure("UploadsWaiting", seconds_waiting(ports.store, ports.clock()))
        if isinstance(error, RunRefusedError):
            ports.refusals.tell(error, ports.store, ports.clock())


def _advance(message: RunRequested | ExecutionChange, ports: StartingPorts) -> None:
    """Do what is due: close the run that is over, go on with the run that is half done, start the next."""
    run = ports.store.latest()
    if run is not None and run.status == STARTED:
        state = _end_of(run, message, ports)
        if state is None:
            return
        run = _close(run, state, ports)
    half_done = run is not None and run.open
    if run is None or not half_done:
        if not ports.store.waiting(most=1):
            return
        run = rules.next_run(ports.pipeline, run, ports.clock())
        ports.store.open(run)
    if run.status == CLAIMING:
        run = _claim(run, ports)
    _launch(run, ports)
    if half_done:
        # Its execution may be over already, and the event about it handled before we knew whose it was.
        ports.requests.ask()


def _end_of(run: Run, message: RunRequested | ExecutionChange, ports: StartingPorts) -> ExecutionState | None:
    """Return how the execution of a started run ended, from the event about it or from SageMaker; None if it has not.

    Raises:
        RunPostponedError: it has not, and uploads wait for its end.
    """
    execution = str(run.execution)
    if isinstance(message, ExecutionChange) and message.execution_arn == execution:
        # The event does not say why; how it ended, it says before Describe may.
        found = None if message.status == "Succeeded" else ports.executions.state(execution)
        return ExecutionState(message.status, found.reason if found else None)
    ended = rules.end_of(run, ports.executions.state(execution), ports.clock())
    if ended is None and ports.store.waiting(most=1):
        # The end of the active run starts the next one. Should the event about it get lost, this does.
        raise RunPostponedError(f"{run.id} is active")
    return ended


def _close(run: Run, state: ExecutionState, ports: StartingPorts) -> Run:
    closed = ports.store.move(run, state.status, at=ports.clock(), reason=state.reason)
    logger.info("run closed", extra={"run": run.id, "status": state.status, "reason": state.reason})
    count(f"Run{state.status}")
    return closed


def _claim(run: Run, ports: StartingPorts) -> Run:
    """Let a run that was opened take what waits, and seal it."""
    room = rules.MOST_UPLOADS - len(ports.store.taken(run))
    waiting = ports.store.waiting(most=room) if room > 0 else ()
    ports.store.take(run, rules.of_one_bucket(waiting))
    # Sealed before the start: the manifest behind a token must not grow when the start is repeated.
    return ports.store.move(run, CLAIMED, at=ports.clock())


def _launch(run: Run, ports: StartingPorts) -> None:
    """Bring a sealed run to its execution."""
    uploads = ports.store.taken(run)
    if not uploads:
        ports.store.move(run, EMPTY, at=ports.clock())
        return
    ready = run
    try:
        ready = _with_manifest(run, uploads, ports)
        execution = ports.executions.start(
            token=run.token,
            manifest=_manifest(run, ports),
            display_name=rules.display_name(run, uploads),
            description=rules.description(run, uploads),
        )
    except RunPostponedError as error:
        if (error.waits_for, ready.has_manifest) != (run.waits_for, run.has_manifest):
            ports.store.note(ready, error.waits_for)
        raise
    ports.store.move(run, STARTED, at=ports.clock(), execution=execution)
    logger.info("run started", extra={"run": run.id, "execution": execution, "uploads": len(uploads)})
    count("RunStarted")


def _with_manifest(run: Run, uploads: Sequence[Upload], ports: StartingPorts) -> Run:
    """Write the run's manifest, unless an earlier try has done so; return the run that has it.

    Who uploaded its files is written before, so that whoever finds a manifest finds them too.

    Raises:
        RunRefusedError: S3 refused it for good.
    """
    if run.has_manifest:
        return run
    people = uploaders.of(uploads)
    try:
        if people is not None:
            ports.objects.write(f"{ports.manifests}/{run.id}.uploaders.json", json.dumps(people), "application/json")
        ports.objects.write(_manifest(run, ports), rules.manifest(uploads), "application/json")
    except CallRefusedError as error:
        raise RunRefusedError(error.code, str(error)) from error
    return replace(run, has_manifest=True)


def _manifest(run: Run, ports: StartingPorts) -> str:
    return f"{ports.manifests}/{run.id}.json"
