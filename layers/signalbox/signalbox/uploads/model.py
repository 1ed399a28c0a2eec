"""What the upload journey speaks of: uploads, runs, executions, and what may go wrong with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

from signalbox import names
from signalbox.events import EventError

# The states of a run that is not over. A run that is over has the status of its execution, or one of the last two.
CLAIMING = "Claiming"  # it takes uploads
CLAIMED = "Claimed"  # it has all its uploads, and no execution that we know of
STARTED = "Started"  # it has an execution
OPEN = frozenset({CLAIMING, CLAIMED, STARTED})
SUCCEEDED = "Succeeded"
GONE = "Gone"  # its execution does not exist any more: the pipeline was deleted
EMPTY = "Empty"  # nothing was left to take
# Stands for the pipeline of uploads that no project claims; a pipeline's name has the prefix before it.
UNCLAIMED = "unclaimed"
MANIFESTS = "manifests"
# What became of an upload that is in no run: a newer version took its place, or it names a set that cannot be run.
REPLACED, REFUSED = "replaced", "refused"
# Stands for the run that is repeated where the pipeline takes no uploads; a run's name has its pipeline's before it.
NO_UPLOADS = "nothing"


class UnknownKeyError(EventError):
    """Nothing lies under any of the keys that a data event may mean: which object it is about is not known."""

    def __init__(self, bucket: str, keys: Sequence[str]) -> None:
        tried = " or ".join(f'"{key}"' for key in keys)
        super().__init__(f"bucket {bucket} has nothing under {tried}, as which the event's key was read")


class Upload(NamedTuple):
    """One upload; `size` is in bytes.

    Bucket, key and version are its business key. `recorded_at` is the text that its item has, since it is part of the
    waiting upload's key: `moments.text_of` writes it, and items of earlier versions have another ISO spelling. `by` is
    who uploaded it, "" where nobody said so. `pipeline` is where it waits, or waited, as far as its item says so.
    `gone` is when `run` found that it was deleted and went on without it, "" where none did. `modified` is the text of
    when S3 has it from, "" in items of earlier versions. What waits is `spread` over shards, unless a version before
    them wrote it down.

    Of a run's upload, `names_files` says that it names the files of a set, and is no data. One that is in no run and
    waits no more has a `state` (`REPLACED`, `REFUSED`), and its `detail` says for people why.
    """

    bucket: str
    key: str
    version: str
    size: int
    recorded_at: str
    run: str | None = None
    by: str = ""
    pipeline: str = ""
    gone: str = ""
    modified: str = ""
    names_files: bool = False
    state: str = ""
    detail: str = ""
    spread: bool = True

    @property
    def uri(self) -> str:
        """Return its S3 URI."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def version_id(self) -> str | None:
        """Return S3's version; None where its bucket keeps none, and `version` is made up (`rules.upload_of`)."""
        return None if " " in self.version else self.version

    @property
    def digest(self) -> str:
        """Return the business key in 64 characters: an S3 key alone would not fit a sort key (1,024 bytes)."""
        return names.token(self.bucket, self.key, self.version)


class Run(NamedTuple):
    """One run of a pipeline over the uploads that it took, or over those of a run before it.

    `waits_for` is a remark for people; `has_manifest`, and `copied`, the number of its files that were copied, spare
    writing the same again: none of them decides anything. `folder` is where its manifest lies in the artifacts bucket.
    `repeats` is the run whose uploads it has again (`NO_UPLOADS`: its pipeline takes none); then it takes none.
    `commit` is what was published where a push asked for the run. `lacks` says for people which files of its sets have
    not come. `looked` is how far its uploads were looked for: the digest of the last one, in the order of
    `UploadStore.taken`, and "" at first.
    """

    pipeline: str
    number: int
    created_at: datetime
    status: str = CLAIMING
    execution: str | None = None
    started_at: datetime | None = None
    reason: str | None = None
    waits_for: str | None = None
    has_manifest: bool = False
    copied: int = 0
    folder: str = MANIFESTS  # of runs that versions before projects opened
    repeats: str | None = None
    commit: str = ""
    lacks: str = ""
    looked: str = ""

    @property
    def id(self) -> str:
        """Return the run's name. The time keeps it unique when a table starts again at number one."""
        return f"{self.pipeline}-{self.number:06d}-{self.created_at:%Y%m%dT%H%M%SZ}"

    @property
    def token(self) -> str:
        """Return the ClientRequestToken of its execution: the same run, the same execution."""
        return names.token("run", self.id)

    @property
    def source(self) -> str:
        """Return the name of the run that took the uploads which this one is over; its input is called after that."""
        return self.repeats or self.id

    @property
    def open(self) -> bool:
        """Say whether the run is not over."""
        return self.status in OPEN

    def at(self, status: str) -> Self:
        """Return the run with another status."""
        return self._replace(status=status)


class Wish(NamedTuple):
    """What the last push asks for: a run at `commit`; `run` is the one that was opened for it, None until there is."""

    commit: str
    run: str | None = None


class ExecutionState(NamedTuple):
    """How a pipeline execution stands: SageMaker's status, and its failure reason if it has one."""

    status: str
    reason: str | None = None


class FailedStep(NamedTuple):
    """A step of an execution that failed: its name, and SageMaker's words about it.

    Where it ran a job: which kind (`ProcessingJob`, `TrainingJob`), the job's name, and the job's own words.
    """

    name: str
    reason: str
    kind: str = ""
    job: str = ""
    words: str = ""


class FailedExecution(NamedTuple):
    """Why an execution did not succeed: SageMaker's words, and the steps that failed, in the order of their start.

    `description` is what the execution was started with: see `rules.description`.
    """

    reason: str = ""
    description: str = ""
    steps: tuple[FailedStep, ...] = ()


class RunPostponedError(Exception):
    """A run cannot be started now, and nothing is wrong with it: it has to be tried again later."""

    def __init__(self, waits_for: str) -> None:
        super().__init__(f"the run waits: {waits_for}")
        self.waits_for = waits_for


class RunRefusedError(RunPostponedError):
    """A run cannot be started before somebody mends what the message says; `code` is AWS's word for it."""

    def __init__(self, code: str, waits_for: str) -> None:
        super().__init__(waits_for)
        self.code = code


class InputGoneError(RunRefusedError):
    """A run that a push asks for has nothing to run over: the uploads of the run that it would repeat are gone."""

    def __init__(self, source: Run, commit: str) -> None:
        super().__init__(
            "InputGone",
            f"{source.pipeline} was published at the commit {commit}, and what its run {source.id} took is there no "
            "more: upload data again, and they are run with the new code",
        )
        self.source = source


class RunConflictError(Exception):
    """Another start works on the same run at the same time; one of the two gives way."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: another start of the same pipeline is at work; the message comes back by itself")


class ReportUnderWayError(Exception):
    """Another invocation is about to send the same mail; should it die, this one has to come back."""

    def __init__(self, execution: str) -> None:
        super().__init__(f"the mail about {execution} is being sent: the event comes back by itself to see that it was")
