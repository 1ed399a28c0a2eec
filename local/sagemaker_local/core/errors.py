"""The errors that SageMaker answers with, by the codes of its API."""


class ApiError(Exception):
    """A refusal: an error code of the API, a message for the caller, and what else the error's shape has."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str | int) -> None:
        super().__init__(f"{code}: {message}")
        self.members = members
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> ApiError:
    """Return a ValidationException."""
    return ApiError("ValidationException", message)


def not_found(message: str) -> ApiError:
    """Return a ResourceNotFound."""
    return ApiError("ResourceNotFound", message)


def in_use(message: str) -> ApiError:
    """Return a ResourceInUse."""
    return ApiError("ResourceInUse", message)


def limit_exceeded(message: str) -> ApiError:
    """Return a ResourceLimitExceeded."""
    return ApiError("ResourceLimitExceeded", message)


def conflict(message: str) -> ApiError:
    """Return a ConflictException."""
    return ApiError("ConflictException", message)


def denied(message: str) -> ApiError:
    """Return an AccessDeniedException."""
    return ApiError("AccessDeniedException", message)
