"""What ends a job, or the start of a model server."""


class ContainerError(Exception):
    """A container cannot run, or cannot go on; the message is the FailureReason of its job or endpoint."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason[:1024])
