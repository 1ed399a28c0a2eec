"""What can go wrong in a release: the release machine names these classes in its Retry and Catch."""


class ReleaseError(Exception):
    """A release cannot be planned or verified; a repetition would not help."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class ServiceBusyError(Exception):
    """AWS throttled the call or failed for a moment: the same call later is likely to succeed."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}: try again in a moment")


class EndpointNotInServiceError(Exception):
    """The endpoint does not serve: the message has SageMaker's reason."""

    def __init__(self, endpoint: str, status: str, reason: str) -> None:
        why = reason or "SageMaker gave no reason: look at the endpoint's log group"
        super().__init__(f"endpoint {endpoint} is {status}, not InService: {why}")


class RolledBackError(Exception):
    """The endpoint serves, but not what was deployed."""

    def __init__(self, endpoint: str, config: str, expected: str) -> None:
        super().__init__(
            f"endpoint {endpoint} is InService, but on {config}, not on {expected}: SageMaker rolled the update back; "
            "look at the stage's alarms and at the endpoint's log group"
        )


class PackageWithdrawnError(Exception):
    """The package lost its approval while it was being deployed."""

    def __init__(self, package: str, status: str) -> None:
        super().__init__(f"{package} is {status}, no longer Approved: it must not serve")


class GoldenMismatchError(Exception):
    """The endpoint answers a golden request otherwise than the batch transform did."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}: compare the stage's image and environment with those of the batch transform")
