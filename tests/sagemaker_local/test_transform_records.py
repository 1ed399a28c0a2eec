"""How batch transform cuts an object into requests and puts the answers together again."""

import json
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import transform

from sagemaker_local.jobs import records
from sagemaker_local.jobs.filters import FilterError
from sagemaker_local.jobs.records import MEGABYTE, Batch, Plan, RecordError


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"TransformInput": {"SplitType": "RecordIO"}}, "SplitType RecordIO is not emulated"),
        ({"TransformInput": {"SplitType": "None"}, "DataProcessing": {"JoinSource": "Input"}}, "SplitType Line"),
        ({"TransformOutput": {"AssembleWith": "None"}, "DataProcessing": {"JoinSource": "Input"}}, "AssembleWith Line"),
        ({"TransformOutput": {"Accept": "application/json"}, "DataProcessing": {"JoinSource": "Input"}}, "the same"),
        ({"DataProcessing": {"InputFilter": "$.a"}}, "does not fit CSV"),
        ({"DataProcessing": {"OutputFilter": "nonsense"}}, "does not start with"),
    ],
)
def test_combinations_that_aws_refuses_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises((RecordError, FilterError), match=problem):
        records.validate(transform(**changes))


def plan(**changes: Any) -> Plan:
    settled = {"single": False, "max_payload": changes.pop("max_payload", MEGABYTE)}
    return Plan.of(transform(**changes), **settled)


def test_a_request_has_as_many_rows_as_fit_the_payload_limit() -> None:
    cut = list(records.batches(b"aaa\nbbb\nccc\ndd\n", plan(max_payload=8)))

    assert cut == [Batch(["aaa", "bbb"], b"aaa\nbbb"), Batch(["ccc", "dd"], b"ccc\ndd")]


def test_a_row_over_the_payload_limit_is_an_error_unless_there_is_none() -> None:
    with pytest.raises(RecordError, match="over MaxPayloadInMB"):
        list(records.batches(b"aaaa\n", plan(max_payload=3)))
    assert [batch.body for batch in records.batches(b"aaaa\nb", plan(max_payload=0))] == [b"aaaa\nb"]


def test_rows_that_are_not_text_are_an_error() -> None:
    with pytest.raises(RecordError, match="not UTF-8"):
        list(records.batches(b"\xff\n", plan()))


def test_an_unsplit_csv_is_filtered_row_by_row() -> None:
    whole = plan(TransformInput={"SplitType": "None"}, DataProcessing={"InputFilter": "$[1:]"})

    assert [batch.body for batch in records.batches(b"1,2\n3,4\n", whole)] == [b"2\n4"]


def test_a_single_json_answer_may_be_written_on_several_lines() -> None:
    kinds = {"TransformInput": {"ContentType": "application/json"}, "TransformOutput": {"Accept": "application/json"}}
    joined = plan(**kinds, DataProcessing={"JoinSource": "Input"})

    output = records.assemble([(Batch(['{"a": 1}'], b""), b'{\n"p": 2\n}\n')], joined)

    assert json.loads(output) == {"a": 1, "SageMakerOutput": {"p": 2}}
