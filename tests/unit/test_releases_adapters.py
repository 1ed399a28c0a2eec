"""A release's table, and the models that it asks: requests, answers, errors."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.unit.releases_world import MODEL, TABLE, StoreFake, arn

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.model import ModelAnswer
from signalbox.aws.predictions import EndpointCaller
from signalbox.aws.table import put_request
from signalbox.releases.adapters import ReleasesTable
from signalbox.releases.model import Desired, Served
from signalbox.releases.ports import ReleaseStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EARLY, LATE = "2026-11-20T10:00:00.000000Z", "2026-11-20T11:00:00.000000Z"


class Written:
    """A store, and the way in which the release machine writes into the same table."""

    def __init__(self, store: ReleaseStore, put: Any) -> None:
        self.store = store
        self._put = put
        self._number = 0

    def record(self, model: str, stage: str, served: Served, verdict: str = "released", at: str = "") -> None:
        """Write what the machine writes: an item of this version, or one of the version before."""
        self._number += 1
        item = {
            "pk": f"model#{model}",
            "sk": f"release#2026-11-20T10:00:{self._number:02}Z#run#{stage}",
            "stage": stage,
            "package": served.package,
            "config": served.config,
            "verdict": verdict,
        } | ({"at": at, "commit": "4f1c2e9"} if at else {})
        self._put(put_request(TABLE, item | ({"because": "approved"} if self._number % 2 else {"trigger": "approved"})))


@pytest.fixture(params=["fake", "dynamodb"])
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    if request.param == "fake":
        fake = StoreFake()
        yield Written(fake, fake.put)
        return
    with mock_aws():
        dynamodb = created_table(TABLE)
        yield Written(ReleasesTable(TABLE, dynamodb, lambda: NOW), lambda put: dynamodb.put_item(**put))


def test_nothing_is_desired_or_released_at_first(written: Written) -> None:
    assert written.store.name == TABLE
    assert written.store.desired(MODEL) is None
    assert list(written.store.released(MODEL, "prod")) == []


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        (Desired(EARLY, "a", arn(1)), Desired(LATE, "b", arn(2)), arn(2)),
        (Desired(LATE, "b", arn(2)), Desired(EARLY, "a", arn(1)), arn(2)),
        (Desired(EARLY, "b", arn(2)), Desired(EARLY, "a", arn(1)), arn(2)),
        (Desired(EARLY, "a", arn(1)), Desired(EARLY, "b", arn(2)), arn(2)),
        (Desired(EARLY, "a", arn(1)), Desired(EARLY, "a", arn(1)), arn(1)),
    ],
)
def test_the_later_request_holds_whatever_order_they_come_in(
    written: Written, first: Desired, second: Desired, holds: str
) -> None:
    written.store.desire(MODEL, first)
    written.store.desire(MODEL, second)
    written.store.desire("iris", Desired(LATE, "z", arn(9)))

    desired = written.store.desired(MODEL)

    assert desired is not None
    assert desired.package == holds


def test_a_request_of_the_future_that_an_earlier_version_recorded_gives_way(written: Written) -> None:
    written.store.desire(MODEL, Desired("2099-01-01T00:00:00.000000Z", "typed-wrong", arn(1)))
    written.store.desire(MODEL, Desired(EARLY, "a", arn(2)))

    desired = written.store.desired(MODEL)

    assert desired is not None
    assert desired.package == arn(2)


def test_releases_of_a_stage_are_read_oldest_first_also_those_of_the_version_before(written: Written) -> None:
    written.record(MODEL, "prod", Served(arn(1), "c1"))
    written.record(MODEL, "staging", Served(arn(2), "c2"))
    written.record("iris", "prod", Served(arn(3), "c3"))
    written.record(MODEL, "prod", Served(arn(4), "c4"))
    written.record(MODEL, "prod", Served(arn(5), "c5"), verdict="failed")
    written.store.note(MODEL, "action#2026-11-20#run#00001", {"action": "create-model", "stage": "prod"})

    assert list(written.store.released(MODEL, "prod")) == [Served(arn(1), "c1"), Served(arn(4), "c4")]


def test_releases_of_executions_that_overlapped_are_read_in_the_order_of_their_records(written: Written) -> None:
    written.record(MODEL, "prod", Served(arn(1), "c1"))
    written.record(MODEL, "prod", Served(arn(2), "c2"), at="2026-11-20T10:09:00.000000Z")
    written.record(MODEL, "prod", Served(arn(3), "c3"), at="2026-11-20T10:08:00.000000Z")

    assert [one.package for one in written.store.released(MODEL, "prod")] == [arn(1), arn(3), arn(2)]


def test_an_action_is_noted_as_often_as_it_likes() -> None:
    with mock_aws():
        dynamodb = created_table(TABLE)
        table = ReleasesTable(TABLE, dynamodb)

        for _ in range(2):
            table.note(MODEL, "action#s#run#00001", {"action": "create-model", "at": EARLY})

        (item,) = dynamodb.scan(TableName=TABLE)["Items"]
        assert item["action"] == {"S": "create-model"}


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("put_item", lambda table: table.desire("abalone", Desired(EARLY, "a", arn(1)))),
        ("put_item", lambda table: table.note("abalone", "action#1", {"action": "wait"})),
        ("get_item", lambda table: table.desired("abalone")),
        ("query", lambda table: table.released("abalone", "prod")),
    ],
)
@pytest.mark.parametrize(
    ("code", "error"),
    [("ProvisionedThroughputExceededException", ServiceBusyError), ("ResourceNotFoundException", CallRefusedError)],
)
def test_errors_of_the_table_become_ours(method: str, call: Any, code: str, error: type[Exception]) -> None:
    dynamodb: Any = RecordingClient("dynamodb", {method: client_error(code)})

    with pytest.raises(error, match=code):
        call(ReleasesTable(TABLE, dynamodb))


def test_an_endpoint_is_asked_in_the_content_type_of_the_request() -> None:
    runtime: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": {"Body": io.BytesIO(b"8.7\n")}})

    assert EndpointCaller(runtime).ask("e", "M,0.4", "text/csv") == ModelAnswer("8.7\n")
    assert runtime.requests("InvokeEndpoint") == [
        {"EndpointName": "e", "Body": b"M,0.4", "ContentType": "text/csv", "Accept": "text/csv"}
    ]


def test_a_refusal_of_the_model_is_an_answer_and_a_refusal_of_sagemaker_is_an_error() -> None:
    answers = [
        client_error("ModelError", "500 from primary"),
        client_error("ServiceUnavailable", "later"),
        client_error("AccessDeniedException", "no"),
    ]
    runtime: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": answers})
    models = EndpointCaller(runtime)

    assert models.ask("e", "M", "text/csv") == ModelAnswer(failure="500 from primary")
    with pytest.raises(ServiceBusyError, match="ServiceUnavailable later"):
        models.ask("e", "M", "text/csv")
    with pytest.raises(CallRefusedError, match="InvokeEndpoint of e was refused: AccessDeniedException no"):
        models.ask("e", "M", "text/csv")
