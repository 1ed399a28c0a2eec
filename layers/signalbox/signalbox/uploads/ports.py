"""What the upload journey needs from outside, where tests have memory twins of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from signalbox.aws.objects import ObjectCopy, StoredObject
from signalbox.events import ExecutionChange
from signalbox.project_documents import Project, ProjectPipeline
from signalbox.uploads.model import UNCLAIMED, ExecutionState, Run, Upload, Wish
from signalbox.uploads.remaining import MillisecondsLeft

if TYPE_CHECKING:
    from signalbox.contracts.uploads import QuarantinedFile


class ProjectReader(Protocol):
    """The projects of the stack."""

    def read_after(self, moment: datetime) -> Sequence[Project]:
        """Return the projects as they were at some time after `moment`."""


class SetTexts(Protocol):
    """The texts in which objects name the files of sets."""

    def text(self, uri: str, *, version: str | None) -> str | None:
        """Return what an object says, of a version where one is given; None where there is none."""


class UploadObjects(SetTexts, Protocol):
    """Objects in S3: the uploads, and the manifests of the runs."""

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """Return what is under the key now, or None if there is nothing."""

    def write(self, uri: str, text: str, content_type: str) -> None:
        """Write a text object over whatever was there."""


class FileCopier(Protocol):
    """Copies of objects in S3."""

    def copy(self, source: str, target: str) -> ObjectCopy | None:
        """Copy the object at one S3 URI to another, over whatever was there; None where there is no such object."""


class UploadStore(Protocol):
    """The uploads of one pipeline (or of none, `UNCLAIMED`), and the runs that took them."""

    def record(self, upload: Upload) -> bool:
        """Write the upload down as waiting; False if it was written down before.

        Then nothing else happens, but that who uploaded is added, where only this one knows.
        """

    def waiting(self, most: int | None = None) -> Sequence[Upload]:
        """Return the waiting uploads, or at most `most` of them, the oldest first."""

    def last_waiting(self) -> Upload | None:
        """Return the waiting upload that was recorded last."""

    def hand_over(self, uploads: Iterable[Upload], pipeline: str) -> None:
        """Let waiting uploads wait for another pipeline, a bounded number at once, each exactly once.

        Raises:
            RunConflictError: one of the uploads does not wait here any more.
        """

    def set_aside(self, upload: Upload, state: str, detail: str, at: datetime) -> None:
        """Let a waiting upload wait no more, in no run; `state` and `detail` are kept beside it.

        Nothing happens where it waits no more.
        """

    def history(self, bucket: str, key: str) -> Sequence[Upload]:
        """Return every upload recorded under a key, each with the run that took it or None."""

    def latest(self) -> Run | None:
        """Return the run with the highest number."""

    def run_of(self, execution: str) -> Run | None:
        """Return the run with this execution."""

    def last_with_uploads(self) -> Run | None:
        """Return the last run with uploads of its own that succeeded; where none did, the last one with uploads."""

    def ask_again(self, commit: str, at: datetime, number: int = 1) -> bool:
        """Write down that a push asks for a run at a commit; False if it was asked for before, at any time.

        `number` tells apart the changes of one pipeline, of which several may lead to the same commit. It takes the
        place of the wish before it.
        """

    def wish(self) -> Wish | None:
        """Return what the last push has asked for, fulfilled or not."""

    def open(self, run: Run, wish: Wish | None = None) -> None:
        """Write down a new run, and that it fulfils a wish, both or nothing.

        Raises:
            RunConflictError: its number is taken, or the wish is not as it was.
        """

    def take(self, run: Run, uploads: Iterable[Upload]) -> None:
        """Move waiting uploads to the run, a bounded number at once, each exactly once.

        Raises:
            RunConflictError: the run is sealed, or one of the uploads does not wait any more.
        """

    def leave_out(self, run: Run, uploads: Iterable[Upload], at: datetime) -> None:
        """Mark uploads of an unsealed run as gone since `at`, a bounded number at once: it goes on without them.

        Raises:
            RunConflictError: the run is sealed, or one of the uploads is not its own any more.
        """

    def taken(self, run: Run) -> Sequence[Upload]:
        """Return the uploads that the run took and that are not gone, in the order of their digests."""

    def input_of(self, run: Run) -> Sequence[Upload]:
        """Return the uploads that the run is over: those that it took, or those that the run took which it repeats."""

    def move(
        self, run: Run, status: str, *, at: datetime, execution: str | None = None, reason: str | None = None
    ) -> Run:
        """Give the run another status if it still has the one in `run`, and return it.

        Raises:
            RunConflictError: it has another status by now.
        """

    def note(self, run: Run, waits_for: str) -> None:
        """Write beside the run what it waits for, and whether it has its manifest; RunConflictError as in `move`."""


class QuarantineStore(Protocol):
    """The files that executions did not use."""

    def keep(self, execution: str, files: "Sequence[QuarantinedFile]", at: datetime) -> None:
        """Write down until some time after `at` the files that an execution did not use; a repetition does the same."""


class RunLifetimes(Protocol):
    """How long what is known of runs is kept."""

    def expire(self, run: Run, at: datetime, left: MillisecondsLeft) -> None:
        """Let a run and its uploads be forgotten some time after `at`: each upload only as long as it is this run's.

        Raises:
            RunPostponedError: the function's time is nearly over.
        """


class RunRequests(Protocol):
    """The queue of requests for runs, in which one pipeline's messages are handled one after the other."""

    def ask(self, pipeline: str) -> None:
        """See to it that a start of the pipeline's next run is tried after this moment, once, before long."""

    def ask_for_claims(self, pipeline: str = UNCLAIMED) -> None:
        """See to it that what no project claims is looked at after this moment, once, before long.

        Where a message about `pipeline` is being handled, that is not before this one is handled to its end.
        """

    def pass_on(self, change: ExecutionChange, event: Mapping[str, object]) -> None:
        """Send the event about the end of an execution, to be handled as a message about its pipeline."""


class PipelineExecutions(Protocol):
    """The executions of pipelines."""

    def start(
        self, pipeline: ProjectPipeline, value: str | None, *, token: str, display_name: str, description: str
    ) -> str:
        """Start an execution whose parameter has `value`, or find the one started with the same token; return its ARN.

        None stands for a pipeline that takes nothing.

        Raises:
            RunPostponedError: the quota is used up, the service is busy, or the pipeline is being changed.
            RunRefusedError: SageMaker refused the call for good, or there is no such pipeline.
        """

    def state(self, execution: str) -> ExecutionState | None:
        """Return how the execution stands; None if there is no such execution.

        Raises:
            RunPostponedError: the service is busy.
            RunRefusedError: SageMaker refused the call for good.
        """


class NotificationLog(Protocol):
    """What people were notified of by mail: an execution, or a refused run and the code of its refusal."""

    def notified(self, execution: str) -> bool:
        """Say whether the mail about an execution was sent."""

    def claim(self, execution: str, now: datetime, lease: timedelta) -> bool:
        """Take the mail upon oneself, also from one who did so longer ago than `lease`; False if it was sent before.

        Raises:
            ReportUnderWayError: somebody else has taken it a moment ago.
        """

    def close(self, execution: str, now: datetime) -> None:
        """Write down that the mail was sent."""
