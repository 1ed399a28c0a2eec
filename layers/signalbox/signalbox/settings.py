"""What each function is told by its environment: one frozen dataclass per function.

Every field `table_name` is read from the variable `TABLE_NAME`. Nothing has a default: a function that was deployed
without a variable says which one at its first invocation.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


class SettingError(Exception):
    """A variable is missing, empty or of the wrong type."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"environment variable {variable} {problem}: correct the function's Environment in template.yaml"
        )


@dataclass(frozen=True)
class Settings:
    """Base of the settings: strings and whole numbers."""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the settings in `environment`.

        Raises:
            SettingError: a variable is missing, empty, or not a whole number where one is wanted.
        """
        return cls(**{field.name: _value(environment, field.name.upper(), field.type) for field in fields(cls)})


def _value(environment: Mapping[str, str], variable: str, kind: object) -> str | int:
    text = environment.get(variable, "")
    if not text:
        raise SettingError(variable, "is missing or empty")
    if kind is not int:
        return text
    try:
        return int(text)
    except ValueError:
        raise SettingError(variable, f"is {text!r}, not a whole number") from None


@dataclass(frozen=True)
class RecordUploads(Settings):
    """Settings of `record_uploads`."""

    uploads_table: str
    runs_queue_url: str
    pipeline_name: str
    quiet_seconds: int


@dataclass(frozen=True)
class StartRun(Settings):
    """Settings of `start_run`."""

    uploads_table: str
    runs_queue_url: str
    pipeline_name: str
    quiet_seconds: int
    artifacts_bucket: str


@dataclass(frozen=True)
class OnModelPackage(Settings):
    """Settings of `on_model_package`."""

    prefix: str
    reviews_table: str
    mlops_machine_arn: str
    release_machine_arn: str


@dataclass(frozen=True)
class PlanTraining(Settings):
    """Settings of `plan_training`."""

    prefix: str
    data_bucket: str
    artifacts_bucket: str


@dataclass(frozen=True)
class EvaluateModel(Settings):
    """Settings of `evaluate_model`."""

    prefix: str
    artifacts_bucket: str
    stages_parameter: str


@dataclass(frozen=True)
class RequestReview(Settings):
    """Settings of `request_review`."""

    reviews_table: str
    review_secret_arn: str
    review_url: str
    sender: str
    approvers: str


@dataclass(frozen=True)
class ReviewPage(Settings):
    """Settings of `review_page`."""

    reviews_table: str
    review_secret_arn: str


@dataclass(frozen=True)
class CloseReview(Settings):
    """Settings of `close_review`."""

    reviews_table: str


@dataclass(frozen=True)
class PlanRelease(Settings):
    """Settings of `plan_release`."""

    prefix: str
    stages_parameter: str
    releases_table: str
    model_role_arn: str


@dataclass(frozen=True)
class VerifyRelease(Settings):
    """Settings of `verify_release`."""

    prefix: str


@dataclass(frozen=True)
class Announce(Settings):
    """Settings of `announce`."""

    sender: str
    approvers: str


@dataclass(frozen=True)
class InvokeEndpoint(Settings):
    """Settings of `invoke_endpoint`."""

    prefix: str
    default_model: str
    stages_parameter: str
