"""Runs are started here and nowhere else, one at a time for each pipeline."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import NamedTuple

from signalbox import projects
from signalbox.aws.errors import ServiceBusyError
from signalbox.batch import BatchResponse, Consumer, DeadLetterQueue
from signalbox.events import EventError, ExecutionChange, changed_parameter
from signalbox.observability import count, logger, measure
from signalbox.projects import OwnedPipeline
from signalbox.reading import Fields
from signalbox.uploads import claiming, gathering, launching, lifetimes, remaining, repeating, rules, sealing
from signalbox.uploads.claiming import ClaimingPorts
from signalbox.uploads.gathering import GatheringPorts
from signalbox.uploads.launching import LaunchingPorts
from signalbox.uploads.model import (
    CLAIMED,
    CLAIMING,
    STARTED,
    UNCLAIMED,
    ExecutionState,
    InputGoneError,
    Run,
    RunConflictError,
    RunPostponedError,
    RunRefusedError,
    Upload,
)
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.ports import (
    FileCopier,
    PipelineExecutions,
    ProjectReader,
    RunLifetimes,
    RunRequests,
    UploadObjects,
    UploadStore,
)
from signalbox.uploads.refusals import Refusals
from signalbox.uploads.remaining import MillisecondsLeft
from signalbox.uploads.waiting import seconds_waiting

_COMMIT = "[0-9a-f]{7,64}"
_LONGEST = 60_000  # milliseconds of the function, at its start


class StartingPorts(NamedTuple):
    """What starting needs from outside, for the pipelines whose names begin with `prefix` and a hyphen.

    What runs read is kept in the bucket `artifacts`. `store_of` returns the uploads of a pipeline by its name;
    `refusals` tells people of a run that cannot start, `notices` of a set that cannot be run, or not whole. `left` is
    how many milliseconds the function has left.
    """

    prefix: str
    artifacts: str
    projects: ProjectReader
    store_of: Callable[[str], UploadStore]
    objects: UploadObjects
    copier: FileCopier
    executions: PipelineExecutions
    lifetimes: RunLifetimes
    requests: RunRequests
    dead_letters: DeadLetterQueue
    refusals: Refusals
    notices: SetNotices
    clock: Callable[[], datetime]
    left: MillisecondsLeft = lambda: _LONGEST


class RunRequested(NamedTuple):
    """Somebody wants the next run of a pipeline tried; with `commit`, a push wants a run at that.

    `number` counts the changes that pushes have made to the pipeline.
    """

    pipeline: str
    commit: str = ""
    number: int = 1


class ClaimsRequested(NamedTuple):
    """Somebody wants what no project claims looked at; `pipeline` is whose message group it is handled in."""

    pipeline: str = UNCLAIMED


def start(event: Mapping[str, object], ports: StartingPorts) -> BatchResponse:
    """Start and close the runs that a batch of messages makes due; return the messages that failed.

    A FIFO message group makes it serial, for each pipeline by itself. Should two be at work all the same (a message
    that came back too early), the table decides: a run's number, its uploads and each change of its status are taken by
    one of them, and the other gives way with RunConflictError, which brings its message back.

    A run goes Claiming → Claimed → Started → over. Death between any two calls leaves one of these states, and the
    next message goes on from there: uploads are moved to a run in transactions, the manifest of a sealed run is always
    the same, and the same token finds the execution that was started before.

    A run whose project is removed goes on: an active one is closed when it ends, and one that has its uploads and no
    execution waits, and is told to people, until a project has its pipeline again.

    Raises:
        EventError: `event` is not from a queue.
    """
    consumer = Consumer(event, partial(read, prefix=ports.prefix), ports.dead_letters)
    began = ports.clock()  # whoever sent a message has written before that what it is about
    for delivery in consumer:
        with delivery as message:
            if isinstance(message, RunRequested) and message.commit:
                # Not what may be postponed: a request for later does not know the commit, so the message comes back.
                repeating.write_down(
                    message.pipeline, message.commit, message.number, ports.store_of(message.pipeline), began
                )
            with _postponed(message, ports, began):
                remaining.check(ports.left, "the messages before it took the function's time")
                if isinstance(message, ClaimsRequested):
                    claiming.distribute(ports.projects.read_after(began), _claiming(ports))
                elif isinstance(message, RunRequested) or message.final:
                    _advance(message, ports, began)
    return consumer.response


def read(body: Mapping[str, object], prefix: str) -> RunRequested | ClaimsRequested | ExecutionChange:
    """Return the request or the change in a message.

    Raises:
        EventError: it is none of them, a request for a pipeline of another stack, or one of a push without its commit.
    """
    kind, pipeline = body.get("kind"), str(body.get("pipeline"))
    if body.get("source") == "aws.ssm":
        logger.info("project changed", extra={"parameter": changed_parameter(body)})
        return ClaimsRequested()
    if kind not in (rules.RUN_REQUESTED, rules.REPEAT_REQUESTED, rules.CLAIM_REQUESTED):
        return ExecutionChange.read(body)
    if pipeline != UNCLAIMED and not pipeline.startswith(f"{prefix}-"):
        raise EventError(f"a run of {pipeline!r} is requested, but pipelines are called {prefix}-… here")
    if kind == rules.CLAIM_REQUESTED:
        return ClaimsRequested(pipeline)
    if kind == rules.REPEAT_REQUESTED:
        return RunRequested(pipeline, _commit(body), Fields(body, EventError).whole("number", (1, 1_000_000_000), 1))
    return RunRequested(pipeline)


def _commit(body: Mapping[str, object]) -> str:
    commit = str(body.get("commit"))
    if not re.fullmatch(_COMMIT, commit):
        raise EventError(f"a run at the commit {commit!r} is requested: give the commit's hash, in small letters")
    return commit


@contextmanager
def _postponed(
    message: RunRequested | ClaimsRequested | ExecutionChange, ports: StartingPorts, began: datetime
) -> Iterator[None]:
    """Ask for a run later where one cannot be started now.

    The request for later is sent before this message is acknowledged, so one of the two always exists. A message that
    came back by itself instead would count towards the dead-letter queue, and hold up the group for the visibility
    timeout. However many are postponed, one request is sent per half delay of the queue. That goes for a run that is
    refused, too: its uploads stay with it, and it starts once what refuses it is mended. People are told of that after
    the request. A table or a bucket that does not answer postpones a run just the same: each step of it may be
    repeated. So does a sweep that meets another one.

    Of a push's run whose input is gone, people are told, and nothing is asked for: the next uploads do so.
    """
    claims, pipeline = isinstance(message, ClaimsRequested), message.pipeline
    ask = ports.requests.ask_for_claims if claims else ports.requests.ask
    try:
        yield
    except InputGoneError as error:
        _tell(error, pipeline, ports, began)
    except (ServiceBusyError, RunPostponedError, RunConflictError) as error:
        if isinstance(error, RunConflictError) and not claims:
            raise
        ask(pipeline)
        logger.info("run postponed", extra={"pipeline": pipeline, "reason": str(error)})
        count("RunPostponed")
        if isinstance(error, RunPostponedError):
            measure("UploadsWaiting", seconds_waiting(ports.store_of(pipeline), ports.clock()))
        if isinstance(error, RunRefusedError):
            _tell(error, pipeline, ports, began)


def _tell(error: RunRefusedError, pipeline: str, ports: StartingPorts, began: datetime) -> None:
    owned = projects.owner(ports.projects.read_after(began), pipeline)
    ports.refusals.tell(error, pipeline, owned.project if owned else None, ports.store_of(pipeline), ports.clock())


def _advance(message: RunRequested | ExecutionChange, ports: StartingPorts, began: datetime) -> None:
    """Do what is due: close the run that is over, go on with the run that is half done, start the next."""
    pipeline, store = message.pipeline, ports.store_of(message.pipeline)
    run = store.latest()
    if run is not None and run.status == STARTED:
        state = _end_of(run, message, store, ports, began)
        if state is None:
            return
        run = _close(run, state, store, ports)
    half_done = run is not None and run.open
    wish = None if half_done else rules.open_wish(store.wish(), run)
    newest = None if half_done else store.last_waiting()
    if not half_done and wish is None and newest is None:
        return
    known = ports.projects.read_after(began)
    owned = projects.owner(known, pipeline)
    if newest is not None and owned is not None and not _due(newest, owned, store, ports):
        return
    if run is None or not half_done or (owned is None and run.status != CLAIMING):
        # What is another's by now is not run here; where no project has the pipeline any more, that is all of it. And
        # if a sealed run waits for its project then, nobody knows until when: what came after it need not wait too.
        claiming.release(pipeline, known, _claiming(ports))
    found = gathering.gather(owned, known, run, _gathering(store, ports, began))
    if run is None or not half_done:
        following = rules.next_run(pipeline, run, ports.clock())
        ready = _ready(found, store)
        run = repeating.open_next(following, wish, owned, store, ports.objects, ready=ready)
    if run is None:
        return
    if run.status == CLAIMING:
        run = sealing.take(run, owned, found.lots if found else None, store, ports.left)
        run = sealing.leave_out_deleted(run, store, ports.objects, ports.clock, ports.left)
        # Sealed before the start: the manifest behind a token must not grow when the start is repeated.
        run = store.move(run, CLAIMED, at=ports.clock())
    with_what = ports.artifacts, store, ports.objects, ports.copier, ports.executions, ports.clock, began
    started = launching.launch(run, owned, LaunchingPorts(*with_what))
    if half_done or not started:
        # Its execution may be over already, and the event about it handled before we knew whose it was. Where it had
        # nothing to run over, a push may still wait for its run.
        ports.requests.ask(pipeline)


def _ready(found: gathering.Gathered | None, store: UploadStore) -> bool | None:
    """Say whether something that waits may be run now; None where it waits on, and a push with it."""
    if found is None:
        return store.last_waiting() is not None
    return None if found.quiet and not found.lots else bool(found.lots)


def _due(newest: Upload, owned: OwnedPipeline, store: UploadStore, ports: StartingPorts) -> bool:
    """Say whether what waits for a pipeline may have its run; until then it is asked for again.

    Of what is taken in lots, each lot has its own time.
    """
    window = owned.window
    if owned.in_lots or rules.is_due(store.waiting(most=window.batch or 1), newest, window, ports.clock()):
        return True
    ports.requests.ask(owned.pipeline.name)
    return False


def _claiming(ports: StartingPorts) -> ClaimingPorts:
    return ClaimingPorts(ports.store_of, ports.requests, ports.left)


def _gathering(store: UploadStore, ports: StartingPorts, began: datetime) -> GatheringPorts:
    return GatheringPorts(store, ports.objects, ports.notices, ports.requests, ports.clock, began)


def _end_of(
    run: Run, message: RunRequested | ExecutionChange, store: UploadStore, ports: StartingPorts, began: datetime
) -> ExecutionState | None:
    """Return how the execution of a started run ended, from the event about it or from SageMaker; None if it has not.

    Raises:
        RunPostponedError: it has not, and uploads or a push wait for its end.
    """
    execution = str(run.execution)
    if isinstance(message, ExecutionChange) and message.execution_arn == execution:
        # The event does not say why; how it ended, it says before Describe may.
        found = None if message.status == "Succeeded" else ports.executions.state(execution)
        return ExecutionState(message.status, found.reason if found else None)
    ended = rules.end_of(run, ports.executions.state(execution), ports.clock())
    if ended is None and (store.waiting(most=1) or rules.open_wish(store.wish(), run)):
        known = ports.projects.read_after(began)
        # Of a set whose files do not come, people are told in time, however long the run takes.
        gathering.gather(projects.owner(known, run.pipeline), known, None, _gathering(store, ports, began))
        # The end of the active run starts the next one. Should the event about it get lost, this does.
        raise RunPostponedError(f"{run.id} is active")
    return ended


def _close(run: Run, state: ExecutionState, store: UploadStore, ports: StartingPorts) -> Run:
    lifetimes.end(run, state.status, store, ports.lifetimes, ports.clock(), ports.left)
    closed = store.move(run, state.status, at=ports.clock(), reason=state.reason)
    logger.info("run closed", extra={"run": run.id, "status": state.status, "reason": state.reason})
    count(f"Run{state.status}")
    return closed
