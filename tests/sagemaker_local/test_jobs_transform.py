"""Batch transform jobs: splitting, assembling, filters, join, settings and failures, against real servers."""

from __future__ import annotations

import gzip
import json
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, ROLE, container, job_context, program, transform

from sagemaker_local.jobs.transform import TransformSettings, run_transform

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

SUM = """
    def post(body, headers):
        rows = [line.split(",") for line in body.decode().splitlines()]
        if any("bad" in row for row in rows):
            return 400, b"cannot predict bad rows"
        print(f"rows {len(rows)}\\n", end="", flush=True)  # one write: several threads print
        return 200, "".join(f"{sum(map(float, row))}\\n" for row in rows).encode()
"""
MODEL = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": OWN}}


def run(
    folder: Path,
    s3: FakeS3,
    serve: str | None = SUM,
    *,
    stop: threading.Event | None = None,
    model: dict[str, Any] | None = None,
    timeout: float = 10,
    **changes: Any,
) -> Outcome:
    if serve is not None:
        container(folder / "containers", serve=serve)
    statuses: list[str] = []
    outcome = run_transform(
        transform(**changes),
        model or MODEL,
        job_context(folder, s3, grace=0.5),
        stop or threading.Event(),
        lambda status, _: statuses.append(status),
        startup_timeout=timeout,
    )
    assert statuses == ["InProgress", outcome.status]
    return outcome


def test_every_input_object_gets_an_output_object_under_its_relative_key(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1,2\n3,4\n", "s3://data/test/deep/b.csv": "5,6"})

    outcome = run(tmp_path, s3)

    assert (outcome.status, outcome.failure_reason) == ("Completed", None)
    assert s3.get("s3://out/run/a.csv.out") == b"3.0\n7.0\n"
    assert s3.get("s3://out/run/deep/b.csv.out") == b"11.0\n"
    assert s3.uris("s3://out") == ["s3://out/run/a.csv.out", "s3://out/run/deep/b.csv.out"]


def test_the_model_sees_the_filtered_row_and_the_output_has_the_whole_row_and_the_prediction(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "9,1,2\r\n8,3,4\n\n"})

    run(tmp_path, s3, DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input"})

    assert s3.get("s3://out/run/a.csv.out") == b"9,1,2,3.0\n8,3,4,7.0\n"


def test_an_output_filter_cuts_the_joined_row_down(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "9,1,2\n8,3,4\n"})
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}

    run(tmp_path, s3, DataProcessing=processing)

    assert s3.get("s3://out/run/a.csv.out") == b"9,3.0\n8,7.0\n"


def test_json_lines_are_joined_under_a_key(tmp_path: Path) -> None:
    serve = """
        def post(body, headers):
            return 200, "".join(json.dumps(sum(json.loads(line))) + "\\n" for line in body.splitlines()).encode()
    """
    kind = "application/jsonlines"
    s3 = FakeS3({"s3://data/test/a.jsonl": '{"id": 1, "x": [1, 2]}\n{"id": 2, "x": [3]}\n'})
    processing = {"InputFilter": "$.x", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}

    outcome = run(
        tmp_path,
        s3,
        serve,
        TransformInput={"ContentType": kind},
        TransformOutput={"Accept": kind},
        DataProcessing=processing,
    )

    assert outcome.failure_reason is None
    lines = s3.get("s3://out/run/a.jsonl.out").decode().splitlines()
    assert [json.loads(line) for line in lines] == [{"id": 1, "SageMakerOutput": 3}, {"id": 2, "SageMakerOutput": 3}]


@pytest.mark.parametrize(("strategy", "requests"), [("MultiRecord", ["rows 3"]), ("SingleRecord", ["rows 1"] * 3)])
def test_the_batch_strategy_decides_how_many_rows_a_request_has(
    tmp_path: Path, strategy: str, requests: list[str]
) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n2\n3\n"})

    outcome = run(tmp_path, s3, BatchStrategy=strategy, MaxConcurrentTransforms=2)

    assert s3.get("s3://out/run/a.csv.out") == b"1.0\n2.0\n3.0\n"
    assert outcome.log is not None
    assert outcome.log.read_text().splitlines() == requests


def test_the_container_decides_what_the_request_leaves_open(tmp_path: Path) -> None:
    serve = """
        def get(path):
            offered = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
            return (200, json.dumps(offered).encode()) if path == "/execution-parameters" else (200, b"")
    """
    s3 = FakeS3({"s3://data/test/a.csv": "1\n2\n"})

    outcome = run(tmp_path, s3, textwrap.dedent(SUM) + textwrap.dedent(serve))

    assert outcome.log is not None
    assert outcome.log.read_text().splitlines() == ["rows 1", "rows 1"]


@pytest.mark.parametrize(
    ("request_", "offered", "expected"),
    [
        ({}, {}, (1, False, 6)),
        ({}, {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}, (4, True, 2)),
        (
            {"MaxConcurrentTransforms": 2, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 0},
            {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2},
            (2, False, 0),
        ),
        ({"MaxConcurrentTransforms": 0}, {"MaxConcurrentTransforms": 4}, (4, False, 6)),
    ],
)
def test_the_request_comes_before_the_container_and_the_container_before_the_default(
    request_: dict[str, Any], offered: dict[str, Any], expected: tuple[int, bool, int]
) -> None:
    settings = TransformSettings.of(request_, offered)

    assert (settings.concurrent, settings.single, settings.payload_mb) == expected


def test_the_server_is_told_that_it_works_for_a_batch(tmp_path: Path) -> None:
    serve = """
        def post(body, headers):
            names = ["BATCH", "BATCH_STRATEGY", "MAX_PAYLOAD_IN_MB", "MAX_CONCURRENT_TRANSFORMS"]
            return 200, " ".join([os.environ["SAGEMAKER_" + name] for name in names] + [os.environ["OWN"]]).encode()
    """
    s3 = FakeS3({"s3://data/test/a": "x"})

    run(tmp_path, s3, serve, Environment={"OWN": "own"}, BatchStrategy="SingleRecord", MaxPayloadInMB=3)

    assert s3.get("s3://out/run/a.out") == b"true SINGLE_RECORD 3 1 own\n"


def test_an_unsplit_object_is_one_request_and_its_answer_is_kept_as_it_is(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.bin.gz": gzip.compress(b"\x00\x01\n\x02")})
    given = {"SplitType": "None", "ContentType": "application/octet-stream", "CompressionType": "Gzip"}

    run(tmp_path, s3, "", TransformInput=given, TransformOutput={"AssembleWith": "None"})

    assert s3.get("s3://out/run/a.bin.gz.out") == b"\x00\x01\n\x02"


def test_a_manifest_names_the_input_objects(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/x/a.csv": "1", "s3://data/m.json": '[{"prefix": "s3://data/x/"}, "a.csv"]'})
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://data/m.json"}}

    run(tmp_path, s3, TransformInput={"DataSource": source})

    assert s3.get("s3://out/run/a.csv.out") == b"1.0\n"


def test_one_bad_record_fails_the_job_with_the_models_own_words(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n2\n", "s3://data/test/b.csv": "bad\n"})

    outcome = run(tmp_path, s3)

    assert outcome.status == "Failed"
    assert outcome.failure_reason == (
        "AlgorithmError: s3://data/test/b.csv: Bad HTTP status received from algorithm: 400: cannot predict bad rows"
    )


@pytest.mark.parametrize(("retries", "status"), [(1, "Completed"), (0, "Failed")])
def test_a_server_error_is_tried_again_as_often_as_the_request_says(tmp_path: Path, retries: int, status: str) -> None:
    serve = """
        calls = []
        def post(body, headers):
            calls.append(body)
            return (500, b"hiccup") if len(calls) == 1 else (200, body)
    """
    s3 = FakeS3({"s3://data/test/a.csv": "1"})
    client = {"InvocationsMaxRetries": retries, "InvocationsTimeoutInSeconds": 5}

    assert run(tmp_path, s3, serve, ModelClientConfig=client).status == status


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("1,2", "1 records to a request of 2, beginning with '1,2': it has to answer one record for each"),
        ("prediction\n7\n8", r"3 records to a request of 2, beginning with 'prediction\n7': it has to"),
        (
            '{"predictions": [7, 8]}',
            """1 records to a request of 2, beginning with '{"predictions": [7, 8]}': it has""",
        ),
        ("7" * 500, f"1 records to a request of 2, beginning with '{'7' * 79}…': it has to"),
        ("", "0 records to a request of 2: it has to"),
    ],
)
def test_a_model_that_answers_too_few_or_too_many_rows_fails_a_join_and_its_answer_is_shown(
    tmp_path: Path, answer: str, told: str
) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n2\n"})
    serve = f"def post(body, headers):\n    return 200, {answer.encode()!r}\n"

    outcome = run(tmp_path, s3, serve, DataProcessing={"JoinSource": "Input"})

    assert f"s3://data/test/a.csv: the model answered {told}" in (outcome.failure_reason or "")


def test_a_filter_that_does_not_fit_a_row_names_the_object(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n"})

    outcome = run(tmp_path, s3, DataProcessing={"InputFilter": "$[5]"})

    assert (outcome.failure_reason or "").startswith("ClientError: s3://data/test/a.csv: filter '$[5]'")


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        ("import sys; print('no model'); sys.exit(3)", "exit code 3 before it answered /ping\nno model"),
        ("import time; time.sleep(60)", "did not answer /ping with 200 within 0.5 s"),
    ],
)
def test_a_server_that_does_not_come_up_fails_the_job(tmp_path: Path, serve: str, reason: str) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n"})
    program(tmp_path / "containers", serve)

    outcome = run(tmp_path, s3, None, timeout=0.5)

    assert reason in (outcome.failure_reason or "")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"Containers": [{"Image": OWN}, {"Image": "lost"}]}, "no repository 'lost'"),
        ({"PrimaryContainer": {"Image": "lost"}}, "no repository 'lost'"),
        ({"Containers": [{"Image": OWN, "ModelDataUrl": "s3://m/gone.tar.gz"}]}, "NoSuchKey"),
    ],
)
def test_a_model_that_cannot_be_served_fails_the_job(tmp_path: Path, model: dict[str, Any], reason: str) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n"})

    assert reason in (run(tmp_path, s3, model=model).failure_reason or "")


def test_a_pipeline_of_containers_is_asked_as_one_model(tmp_path: Path) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1,2\n3,4\n"})

    outcome = run(tmp_path, s3, model={"Containers": [{"Image": OWN}, {"Image": OWN}]})

    assert outcome.status == "Completed"
    assert s3.get("s3://out/run/a.csv.out") == b"3.0\n7.0\n"


def test_missing_input_fails_the_job(tmp_path: Path) -> None:
    assert "No S3 objects found" in (run(tmp_path, FakeS3()).failure_reason or "")


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_stopped_job_ends_soon_and_writes_nothing_more(tmp_path: Path, when: str) -> None:
    s3 = FakeS3({"s3://data/test/a.csv": "1\n"})
    stop = threading.Event()
    serve = "import time\ndef post(body, headers):\n    time.sleep(60)\n"
    timer = threading.Timer(0 if when == "before" else 0.7, stop.set)
    timer.start()
    if when == "before":
        timer.join()

    outcome = run(tmp_path, s3, serve, stop=stop)

    assert outcome.status == "Stopped"
    assert s3.uris("s3://out") == []
    timer.join()
