"""The function that evaluates, with its settings and the real adapters."""

import json
from typing import Any

import pytest
from functions.evaluate_model import app
from tests.support.evaluation import GOLDEN, OLD, REPORT, LiveEndpoint, predictions, question, sagemaker
from tests.support.parameters import RememberedParameters
from tests.support.samples import lambda_context

from signalbox.aws import clients


def test_the_function_evaluates_with_the_last_stage_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = {"instance_type": "ml.m5.large", "instance_count": 1}
    document = {"stages": [{"name": "staging"} | stage, {"name": "prod"} | stage]}
    ssm = RememberedParameters({"/stages": json.dumps(document)})
    s3, client, live = predictions(test="9,M,0.4,8\n"), sagemaker(OLD), LiveEndpoint()
    services = {"s3": s3, "sagemaker": client, "sagemaker-runtime": live, "ssm": ssm}
    monkeypatch.setattr(clients, "client", lambda service, **_: services[service])
    for name, value in {"PREFIX": "signalbox", "STAGES_PARAMETER": "/stages"}.items():
        monkeypatch.setenv(name, value)
    context: Any = lambda_context("evaluate_model")
    app._ports.cache_clear()
    try:
        answer = app.handler(question(), context)
    finally:
        app._ports.cache_clear()
    assert answer["report"] == REPORT
    assert json.loads(s3.texts[REPORT])["metrics"]["mse"]["value"] == 1.0
    assert GOLDEN in s3.texts
    assert client.requests("DescribeEndpoint") == [{"EndpointName": "signalbox-abalone-prod"}] * 2
    assert [one["EndpointName"] for one in live.requests("InvokeEndpoint")] == ["signalbox-abalone-prod"]
