"""The errors that CodeBuild answers with, and those that end a phase of a build."""

from sagemaker_local.core.errors import ApiError


def refused(message: str) -> ApiError:
    """Return an InvalidInputException."""
    return ApiError("InvalidInputException", message)


def missing(message: str) -> ApiError:
    """Return a ResourceNotFoundException."""
    return ApiError("ResourceNotFoundException", message)


class PhaseError(Exception):
    """What ends a phase of a build: the status code and the message of its context (User Guide, "Troubleshooting")."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BuildEndedError(Exception):
    """A build was stopped, or its time is up; `status` is STOPPED or TIMED_OUT."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


def yaml_error(message: str) -> PhaseError:
    """Return what ends a build whose buildspec cannot be used."""
    return PhaseError("YAML_FILE_ERROR", message)


def client_error(message: str) -> PhaseError:
    """Return what ends a build that could not get what it needs, or not leave what it made."""
    return PhaseError("CLIENT_ERROR", message)
