"""The function that plans, with its settings and the real adapters."""

from typing import Any

import pytest
from functions.plan_training import app
from tests.support.botocore_strict import RecordingClient
from tests.support.objects import RememberedObjects
from tests.support.parameters import RememberedParameters
from tests.support.samples import lambda_context
from tests.support.training import ARN, EXECUTION_ARN, PACKAGE, SETTINGS, TEST_DATA

from signalbox.aws import clients

DOCUMENT = '{"stages": [{"name": "prod", "instance_type": "ml.m5.large", "instance_count": 1}]}'


def test_the_function_plans_a_registered_package(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = {
        "s3": RememberedObjects({f"{TEST_DATA}test.csv": "9,M,0.4"}),
        "ssm": RememberedParameters({SETTINGS.stages_parameter: DOCUMENT}),
        "sagemaker": RecordingClient("sagemaker", {"describe_model_package": PACKAGE}),
    }
    monkeypatch.setattr(clients, "client", fakes.__getitem__)
    for name, value in vars(SETTINGS).items():
        monkeypatch.setenv(name.upper(), value)
    app._ports.cache_clear()
    context: Any = lambda_context("plan_training")
    try:
        planned = app.handler(
            {"execution": "run-1", "execution_arn": EXECUTION_ARN, "input": {"package": ARN}}, context
        )
    finally:
        app._ports.cache_clear()
    assert (planned["model"], planned["evaluation"]["test_data"]) == ("abalone", TEST_DATA)
