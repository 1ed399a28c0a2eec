"""What docker says when it cannot do what it was asked for."""


class DockerError(Exception):
    """A refusal, in words for whoever reads the build's log."""
