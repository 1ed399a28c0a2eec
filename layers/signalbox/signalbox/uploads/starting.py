"""Runs are started here and nowhere else, one at a time for each pipeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signalbox import batch
from signalbox.events import FINAL_STATUSES, EventError, ExecutionChange
from signalbox.observability import count, logger
from signalbox.uploads import rules
from signalbox.uploads.items import CLAIMED, CLAIMING, EMPTY, GONE, STARTED, ExecutionState, Run, RunPostponedError
from signalbox.uploads.ports import Executions, Manifests, RunRequests, RunTable


@dataclass(frozen=True)
class RunRequested:
    """Somebody wants the next run of a pipeline tried."""

    pipeline: str


class Starter:
    """Starts and closes the runs of one pipeline.

    A FIFO message group makes it serial. Should two be at work all the same (a message that came back too early), the
    table decides: a run's number, its uploads and each change of its status are taken by one of them, and the other
    gives way with RunConflictError, which brings its message back.

    A run goes Claiming → Claimed → Started → over. Death between any two calls leaves one of these states, and the
    next message goes on from there: uploads are moved to a run in transactions, the manifest of a sealed run is always
    the same, and the same token finds the execution that was started before.
    """

    def __init__(
        self,
        *,
        pipeline: str,
        table: RunTable,
        manifests: Manifests,
        executions: Executions,
        requests: RunRequests,
        dead_letters: batch.DeadLetters,
        clock: Callable[[], datetime],
    ) -> None:
        self._pipeline = pipeline
        self._table = table
        self._manifests = manifests
        self._executions = executions
        self._requests = requests
        self._consumer = batch.Consumer(self.read, self.handle, dead_letters)
        self._clock = clock

    def handle_batch(self, event: Mapping[str, Any]) -> batch.Failures:
        """Handle a batch of messages; return those that failed."""
        return self._consumer.process(event)

    def read(self, body: Mapping[str, Any]) -> RunRequested | ExecutionChange:
        """Return the request or the status change in a message.

        Raises:
            EventError: it is neither, or a request for another pipeline than this one.
        """
        if body.get("kind") != rules.RUN_REQUESTED:
            return ExecutionChange.read(body)
        if body.get("pipeline") != self._pipeline:
            raise EventError(f"a run of {body.get('pipeline')!r} is requested, but {self._pipeline!r} is started here")
        return RunRequested(self._pipeline)

    def handle(self, message: RunRequested | ExecutionChange) -> None:
        """Do what is due: close the run that is over, go on with one that is half done, start the next.

        Raises:
            RunConflictError: another start is at work.
            UploadsError: AWS refused a call for good.
        """
        try:
            if isinstance(message, ExecutionChange):
                if message.pipeline != self._pipeline or not message.final:
                    return
                self._close_after(message)
            self._go_on()
        except RunPostponedError as error:
            # The request for later is sent before this message is acknowledged, so one of the two always exists.
            # A message that came back by itself instead would count towards the dead-letter queue, and hold up the
            # group for the visibility timeout. However many are postponed, one request is sent per half window.
            self._requests.ask()
            logger.info("run postponed", extra={"pipeline": self._pipeline, "reason": error.because})
            count("RunPostponed")

    def _go_on(self) -> None:
        while True:
            run = self._table.latest()
            if run is None or not run.open:
                if not self._table.waiting(most=1):
                    return
                run = rules.next_run(self._pipeline, run, self._clock())
                self._table.open(run)
                self._finish(run)
                return
            if run.status != STARTED:
                self._finish(run)
                # Its execution may be over already, and the event about it handled before we knew whose it was.
                self._requests.ask()
                return
            if not self._closed(run):
                return

    def _finish(self, run: Run) -> None:
        """Bring a run that was opened to its execution."""
        now = self._clock()
        if run.status == CLAIMING:
            room = rules.MOST_UPLOADS - len(self._table.taken(run))
            waiting = self._table.waiting(most=room) if room > 0 else ()
            self._table.take(run, rules.of_one_bucket(waiting))
            # Sealed before the start: the manifest behind a token must not grow when the start is repeated.
            run = self._table.move(run, CLAIMED, at=now)
        uploads = self._table.taken(run)
        if not uploads:
            self._table.move(run, EMPTY, at=now)
            return
        manifest = self._manifests.write(run.id, rules.manifest(uploads))
        try:
            execution = self._executions.start(
                token=run.token,
                manifest=manifest,
                display_name=rules.display_name(run, uploads),
                description=rules.description(run, uploads),
            )
        except RunPostponedError as error:
            self._table.note(run, error.because)
            raise
        self._table.move(run, STARTED, at=self._clock(), execution=execution)
        logger.info("run started", extra={"run": run.id, "execution": execution, "uploads": len(uploads)})
        count("RunStarted")

    def _close_after(self, change: ExecutionChange) -> None:
        """Close the run that an event says is over; an event about any other execution changes nothing."""
        run = self._table.latest()
        if run is not None and run.status == STARTED and run.execution == change.execution_arn:
            # The event does not say why; how it ended, it says before Describe may.
            state = None if change.status == "Succeeded" else self._executions.state(change.execution_arn)
            self._close(run, ExecutionState(change.status, state.reason if state else None))

    def _closed(self, run: Run) -> bool:
        """Close a started run if its execution is over, though no event said so; say whether it was."""
        state = self._executions.state(str(run.execution))
        if state is None and run.started_at is not None and self._clock() - run.started_at > rules.NEW:
            state = ExecutionState(GONE, "the execution does not exist any more")
        if state is not None and state.status in {*FINAL_STATUSES, GONE}:
            self._close(run, state)
            return True
        if self._table.waiting(most=1):
            # The end of the active run starts the next one. Should the event about it get lost, this does.
            raise RunPostponedError(f"{run.id} is active")
        return False

    def _close(self, run: Run, state: ExecutionState) -> None:
        self._table.move(run, state.status, at=self._clock(), reason=state.reason)
        logger.info("run closed", extra={"run": run.id, "status": state.status, "reason": state.reason})
        count(f"Run{state.status}")
