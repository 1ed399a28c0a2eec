"""A connection that breaks is "later", and our own repetition is no rival: seen through a proxy that loses answers.

Behind the proxy is the local cloud, before it are the layer's own adapters with the library's own retries, between
which it waits less.
"""

import json
from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.retries.standard import ExponentialBackoff

from sagemaker_local.server import ACCOUNT, REGION
from signalbox import moments
from signalbox.aws.errors import ServiceBusyError
from signalbox.aws.machines import StateMachines, TaskClosedError
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import NEW, Table, key, unchanged
from signalbox.project_documents import ProjectPipeline
from signalbox.reviews.adapters import DynamoReviews
from signalbox.uploads.adapters import SageMakerExecutions
from signalbox.uploads.mails import NotificationTable
from signalbox.uploads.model import CLAIMED, RunConflictError, Upload, Wish
from signalbox.uploads.rules import next_run
from signalbox.uploads.table import UploadsTable
from tests.contract.world import World, allow, name, until
from tests.support.faults import DONE, FAULTS, Fault, FaultyProxy, Weather, faulty_proxy
from tests.support.reviews import MemoryStore
from tests.support.reviews import World as ReviewsWorld

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LATE, READ_SECONDS = 1.5, 1.0
UPLOAD = Upload("data", "incoming/a.csv", "v1", 10, moments.text_of(NOW))


@pytest.fixture
def proxy(cloud: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    with faulty_proxy(cloud.url, Weather(late=LATE)) as running:
        yield running


def client(service: str, cloud: World, proxy: FaultyProxy, attempts: int = 3) -> Any:
    """Return a client as the functions have it, but for its patience."""
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=proxy.url,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=cloud.secret,
        config=Config(retries=retries, read_timeout=READ_SECONDS, s3={"addressing_style": "path"}),
    )


@pytest.fixture
def table(cloud: World, proxy: FaultyProxy) -> Table:
    """Return an empty table that is reached through the proxy."""
    made = name("table")
    keys: Any = [("pk", "HASH"), ("sk", "RANGE")]
    cloud.client("dynamodb").create_table(
        TableName=made,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one, _ in keys],
        KeySchema=[{"AttributeName": one, "KeyType": kind} for one, kind in keys],
    )
    return Table(made, client("dynamodb", cloud, proxy))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_is_not_noticed_and_one_that_stays_is_later(
    fault: Fault, table: Table, proxy: FaultyProxy
) -> None:
    table.put({"pk": "a", "sk": "b"})

    proxy.weather.next = [fault]
    assert table.get("a", "b") == {"pk": "a", "sk": "b"}
    proxy.weather.next = [fault] * 3
    with pytest.raises(ServiceBusyError, match="dynamodb:GetItem"):
        table.get("a", "b")


@pytest.mark.parametrize("fault", FAULTS)
def test_an_object_whose_content_breaks_off_is_later(fault: Fault, cloud: World, proxy: FaultyProxy) -> None:
    bucket = name("bucket")
    cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("s3").put_object(Bucket=bucket, Key="a", Body=b"line\n" * 20_000)
    objects = ObjectStore(client("s3", cloud, proxy, attempts=1))

    for read in (objects.text, lambda uri: list(objects.lines(uri))):
        proxy.weather.next = [fault]
        with pytest.raises(ServiceBusyError, match="s3:GetObject"):
            read(f"s3://{bucket}/a")
        assert read(f"s3://{bucket}/a")


# Every conditional write of the three tables: done, unheard, and sent again by the library.
lost = pytest.mark.parametrize("fault", DONE)


@lost
def test_a_put_whose_answer_was_lost_holds_its_condition(fault: Fault, table: Table, proxy: FaultyProxy) -> None:
    proxy.weather.next = [fault]
    assert table.put({"pk": "a", "sk": "b", "by": "me"}, NEW)
    proxy.weather.next = [fault]
    assert not table.put({"pk": "a", "sk": "b", "by": "you"}, NEW)


@lost
def test_an_update_whose_answer_was_lost_holds_its_condition(fault: Fault, table: Table, proxy: FaultyProxy) -> None:
    table.put({"pk": "a", "sk": "b", "status": "open", "note": "x"})
    proxy.weather.next = [fault]
    changed = table.update(key("a", "b"), {"status": "mine", "note": None}, unchanged({"status": "open"}))
    assert changed == {"pk": "a", "sk": "b", "status": "mine"}
    proxy.weather.next = [fault]
    assert table.update(key("a", "b"), {"status": "yours"}, unchanged({"status": "open"})) is None


@lost
def test_a_rival_that_writes_between_the_two_tries_has_won(
    fault: Fault, table: Table, proxy: FaultyProxy, cloud: World
) -> None:
    table.put({"pk": "a", "sk": "b", "status": "open"})
    Table(table.name, cloud.client("dynamodb")).update(
        key("a", "b"), {"status": "yours"}, unchanged({"status": "open"})
    )
    proxy.weather.next = [fault]
    assert table.update(key("a", "b"), {"status": "mine"}, unchanged({"status": "open"})) is None


@lost
def test_a_run_is_opened_filled_sealed_and_told_though_each_answer_was_lost(
    fault: Fault, table: Table, proxy: FaultyProxy
) -> None:
    store, run = UploadsTable(table, "signalbox-abalone"), next_run("signalbox-abalone", None, NOW)
    proxy.weather.next = [fault, None]
    assert store.record(UPLOAD)
    proxy.weather.next = [fault, None]
    store.open(run)
    proxy.weather.next = [fault, None]
    store.take(run, [UPLOAD])
    proxy.weather.next = [fault, None]
    assert store.move(run, CLAIMED, at=NOW).status == CLAIMED
    assert [taken.key for taken in store.taken(run)] == [UPLOAD.key]
    proxy.weather.next = [fault, None]
    with pytest.raises(RunConflictError):
        store.move(run, CLAIMED, at=NOW + timedelta(seconds=1))
    log = NotificationTable(table)
    proxy.weather.next = [fault, None]
    assert log.claim("execution", NOW, timedelta(seconds=45))


@lost
def test_a_commit_is_asked_for_and_its_run_opened_once_though_each_answer_was_lost(
    fault: Fault, table: Table, proxy: FaultyProxy
) -> None:
    pipeline = name("signalbox")
    store, run = UploadsTable(table, pipeline), next_run(pipeline, None, NOW)
    proxy.weather.next = [fault, None]
    assert store.ask_again("c1", NOW)
    proxy.weather.next = [fault, None]
    assert not store.ask_again("c1", NOW)
    wish = store.wish()
    proxy.weather.next = [None, fault, None]
    store.open(run, wish)
    assert (store.latest(), store.wish()) == (run, Wish("c1", run.id))


@lost
def test_a_review_is_asked_and_decided_once_though_each_answer_was_lost(
    fault: Fault, table: Table, proxy: FaultyProxy
) -> None:
    store, review = DynamoReviews(table), ReviewsWorld(store=MemoryStore()).request()
    proxy.weather.next = [fault, None]
    assert store.create(review, None)
    decided = {"status": "approved", "by": "ann@example.com", "at": moments.text_of(NOW)}
    proxy.weather.next = [fault, None]
    assert store.change(review.id, {"status": "open"}, decided) == replace(review, **decided)  # type: ignore[arg-type]  # the stored texts
    proxy.weather.next = [fault, None]
    assert store.change(review.id, {"status": "open"}, decided | {"by": "bob@example.com"}) is None


@lost
def test_an_execution_whose_start_was_not_heard_is_started_once(fault: Fault, cloud: World, proxy: FaultyProxy) -> None:
    machine = waiting_machine(cloud)
    proxy.weather.next = [fault]
    assert StateMachines(client("stepfunctions", cloud, proxy)).start(machine, "one", {"a": 1})
    assert len(cloud.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 1


@lost
def test_a_task_that_was_answered_unheard_is_closed_and_its_execution_goes_on(
    fault: Fault, cloud: World, proxy: FaultyProxy, tmp_path: Path
) -> None:
    execution, token = asked(cloud, tmp_path)
    machines = StateMachines(client("stepfunctions", cloud, proxy))

    proxy.weather.next = [fault]
    with pytest.raises(TaskClosedError):
        machines.succeed(token, {"decision": "approved"})
    assert machines.goes_on(execution)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    assert not machines.goes_on(execution)


@lost
def test_a_pipeline_whose_start_was_not_heard_runs_once(fault: Fault, cloud: World, proxy: FaultyProxy) -> None:
    sagemaker, pipeline = cloud.client("sagemaker"), name("pipeline")
    sagemaker.create_pipeline(
        PipelineName=pipeline,
        PipelineDefinition=json.dumps(PIPELINE),
        ClientRequestToken=f"{pipeline:x<32}",
        RoleArn=cloud.role(allow("*")),
    )
    proxy.weather.next = [fault]
    executions = SageMakerExecutions(client("sagemaker", cloud, proxy))
    started = executions.start(
        ProjectPipeline(pipeline),
        "s3://artifacts/m.json",
        token=f"{pipeline:t<32}",
        display_name="run-1",
        description="one upload",
    )
    found = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in found] == [started]


PIPELINE = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "InputManifest", "Type": "String"}],
    "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "nothing to do"}}],
}


def asked(cloud: World, folder: Path, **limits: Any) -> tuple[str, str]:
    """Start an execution that waits to be answered, and a minute then; return its ARN and the token.

    `limits` are fields of the task that waits.
    """
    kept = folder / "token"
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": cloud.function(
                "def handler(event, _):\n    open(event['kept'], 'w').write(event['token'])"
            ),
            "Payload": {"kept": str(kept), "token.$": "$$.Task.Token"},
        },
        "Next": "Wait",
        **limits,
    }
    started = cloud.client("stepfunctions").start_execution(stateMachineArn=waiting_machine(cloud, Ask=task))
    return str(started["executionArn"]), until(lambda: kept.read_text() if kept.exists() else None)


def waiting_machine(cloud: World, **first: Any) -> str:
    """Make a machine that waits for a minute, after another state where one is given, and return its ARN."""
    states = {**first, "Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
    made = cloud.client("stepfunctions").create_state_machine(
        name=name("machine"),
        roleArn=cloud.role(allow("*"), service="states.amazonaws.com"),
        definition=json.dumps({"StartAt": next(iter(states)), "States": states}),
    )
    return str(made["stateMachineArn"])
