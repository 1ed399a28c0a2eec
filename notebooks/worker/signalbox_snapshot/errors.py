"""What ends a backup or a restore: each with what is wrong and what to do about it."""


class SnapshotError(Exception):
    """A backup or a restore cannot go on; `advice` says what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


class UnreachableError(SnapshotError):
    """A service did not answer, however often it was asked."""


class RefusedError(SnapshotError):
    """A service refused a request: HTTP's `status`, the service's `code`, and the bucket's `region` if it tells one."""

    def __init__(self, reason: str, advice: str, status: int = 0, code: str = "", region: str = "") -> None:
        super().__init__(reason, advice)
        self.region = region
        self.status = status
        self.code = code


class MissingError(RefusedError):
    """There is no such object."""


class DamagedError(SnapshotError):
    """What the bucket has is not what was put there."""


class IncompleteError(SnapshotError):
    """Some files could not be read or restored: what was done is kept, and is not called complete."""


class BusyError(SnapshotError):
    """Another worker is at work on this instance."""


class StoppedError(SnapshotError):
    """The worker was told to stop."""

    def __init__(self) -> None:
        super().__init__(
            "cut: the instance was stopped before the work was done",
            "start the instance again: the work goes on where it was cut",
        )
