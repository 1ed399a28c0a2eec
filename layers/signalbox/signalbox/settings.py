"""What each function is told by its environment: one class per function.

Every field `table_name` is read from the variable `TABLE_NAME`. Nothing has a default: a function that was deployed
without a variable says which one at its first invocation.
"""

import os
from collections.abc import Mapping
from typing import Self, dataclass_transform

from signalbox import numerals

OWN_ADDRESS = "own"
NO_MODEL = "-"  # as no model is called


class SettingError(Exception):
    """A variable is missing, empty or of the wrong type."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"environment variable {variable} {problem}: correct the function's Environment in template.yaml"
        )


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Settings:
    """Base of the settings: strings and whole numbers, given by name, as a dataclass would take them.

    They are no dataclasses: making one costs about half a millisecond, and every function loads the settings of all.
    """

    def __init__(self, **values: str | int) -> None:
        vars(self).update(values)

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the settings in `environment`.

        Raises:
            SettingError: a variable is missing, empty, or not a whole number where one is wanted.
        """
        return cls(**{name: _value(environment, name.upper(), kind) for name, kind in cls.__annotations__.items()})


def _value(environment: Mapping[str, str], variable: str, kind: object) -> str | int:
    text = environment.get(variable, "")
    if not text:
        raise SettingError(variable, "is missing or empty")
    if kind is not int:
        return text
    try:
        return numerals.whole_number(text)
    except ValueError:
        raise SettingError(variable, f"is {text!r}, not a whole number") from None


class RecordUploads(Settings):
    """Settings of `record_uploads`."""

    uploads_table: str
    runs_queue_url: str
    dead_letters_url: str
    prefix: str
    poll_seconds: int


class StartRun(Settings):
    """Settings of `start_run`."""

    uploads_table: str
    runs_queue_url: str
    dead_letters_url: str
    prefix: str
    poll_seconds: int
    artifacts_bucket: str
    sender: str
    reply_to: str
    mail_settings: str
    approvers: str


class ReportRun(Settings):
    """Settings of `report_run`."""

    uploads_table: str
    artifacts_bucket: str
    runs_queue_url: str
    prefix: str
    poll_seconds: int
    sender: str
    reply_to: str
    mail_settings: str
    approvers: str


class ReportExecution(Settings):
    """Settings of `report_execution`."""

    prefix: str
    releases_table: str
    sender: str
    reply_to: str
    mail_settings: str
    approvers: str


class OnCodePush(Settings):
    """Settings of `on_code_push`."""

    prefix: str
    pushes_table: str
    dead_letters_url: str
    runs_queue_url: str
    mlops_machine_arn: str
    sender: str
    reply_to: str
    mail_settings: str
    approvers: str


class ReceiveHook(Settings):
    """Settings of `receive_hook`."""

    prefix: str
    pushes_table: str
    pushes_queue_url: str


class OnModelPackage(Settings):
    """Settings of `on_model_package`."""

    prefix: str
    reviews_table: str
    mlops_machine_arn: str
    release_machine_arn: str
    sender: str
    mail_settings: str
    reply_to: str
    approvers: str


class PlanTraining(Settings):
    """Settings of `plan_training`."""

    prefix: str
    data_bucket: str
    artifacts_bucket: str
    job_role_arn: str
    test_role_arn: str
    key_arn: str
    training_instance_type: str
    transform_instance_type: str
    image_accounts: str
    stages_parameter: str


class EvaluateModel(Settings):
    """Settings of `evaluate_model`."""

    prefix: str
    stages_parameter: str


class RequestReview(Settings):
    """Settings of `request_review`."""

    prefix: str
    reviews_table: str
    review_secret_arn: str
    review_url: str
    sender: str
    reply_to: str
    mail_settings: str
    approvers: str


class ReviewPage(Settings):
    """Settings of `review_page`; `page_url` is `OWN_ADDRESS` where people reach it under the API's own address.

    That address itself cannot be given: the API names the function, so the function cannot name the API.
    """

    reviews_table: str
    review_secret_arn: str
    page_url: str
    sender: str
    reply_to: str
    mail_settings: str


class CloseReview(Settings):
    """Settings of `close_review`."""

    reviews_table: str


class PlanRelease(Settings):
    """Settings of `plan_release`."""

    prefix: str
    stages_parameter: str
    releases_table: str
    model_role_arn: str
    poll_seconds: int


class Announce(Settings):
    """Settings of `announce`."""

    prefix: str
    sender: str
    reply_to: str
    mail_settings: str
    approvers: str
    api_url: str


class InvokeEndpoint(Settings):
    """Settings of `invoke_endpoint`; `default_model` is `NO_MODEL` where there is none."""

    prefix: str
    default_model: str
    stages_parameter: str
