"""Model servers: start, answers, and an end that cuts nobody off."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, container, program, server_context, tar_gz, until

from sagemaker_local.images import UnknownImageError
from sagemaker_local.serving import InvocationError, ModelServer, ServerClosedError, ServerStartError

if TYPE_CHECKING:
    from pathlib import Path

CONTAINER = {"Image": OWN}
SLOW = """
    import time
    def post(body, headers):
        print("asked", flush=True)
        time.sleep(float(body))
        return 200, b"late"
"""


def start(folder: Path, serve: str = "", *, s3: FakeS3 | None = None, grace: float = 5, **more: object) -> ModelServer:
    container(folder / "containers", serve=serve)
    return ModelServer({**CONTAINER, **more}, server_context(folder, s3 or FakeS3(), grace=grace))


def test_a_server_sees_its_model_and_environment_and_passes_requests_through(tmp_path: Path) -> None:
    serve = """
        def post(body, headers):
            base = os.environ["SAGEMAKER_BASE_DIR"]
            model = open(base + "/model/weights").read()
            sent = [headers[name] for name in ("Content-Type", "Accept", "X-Own")]
            seen = [body.decode(), model, os.environ["COLOUR"], *sent]
            return 201, json.dumps(seen).encode(), "application/json"
    """
    s3 = FakeS3({"s3://m/model.tar.gz": tar_gz({"weights": "0.5"})})
    server = start(tmp_path, serve, s3=s3, ModelDataUrl="s3://m/model.tar.gz", Environment={"COLOUR": "red"})

    status, headers, body = server.invoke(b"1,2", "text/csv", "application/json", headers={"X-Own": "own"})

    assert (status, headers["content-type"]) == (201, "application/json")
    assert body == b'["1,2", "0.5", "red", "text/csv", "application/json", "own"]'
    assert server.healthy()
    server.close()
    assert not server.healthy()


def test_uncompressed_model_data_are_downloaded_as_they_are(tmp_path: Path) -> None:
    serve = """
        def post(body, headers):
            return 200, open(os.environ["SAGEMAKER_BASE_DIR"] + "/model/deep/weights", "rb").read()
    """
    source = {"S3Uri": "s3://m/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    s3 = FakeS3({"s3://m/model/deep/weights": "0.5"})
    server = start(tmp_path, serve, s3=s3, ModelDataSource={"S3DataSource": source})

    assert server.invoke(b"")[2] == b"0.5"
    server.close()


def test_a_server_that_dies_at_once_gives_the_end_of_its_log(tmp_path: Path) -> None:
    containers = program(tmp_path / "containers", "import sys; print('no weights'); sys.exit(7)")
    assert containers.is_dir()

    with pytest.raises(ServerStartError, match=r"exit code 7 before it answered /ping\nno weights"):
        ModelServer(CONTAINER, server_context(tmp_path, FakeS3()))


@pytest.mark.parametrize("text", ["import time; time.sleep(60)", None])
def test_a_server_that_never_answers_ping_is_given_up_and_ended(tmp_path: Path, text: str | None) -> None:
    if text is None:
        container(tmp_path / "containers", serve="def get(path):\n    return 500, b''\n")
    else:
        program(tmp_path / "containers", text)

    with pytest.raises(ServerStartError, match=r"did not answer /ping with 200 within 0\.5 s"):
        ModelServer(CONTAINER, server_context(tmp_path, FakeS3(), timeout=0.5))


def test_a_start_can_be_given_up(tmp_path: Path) -> None:
    program(tmp_path / "containers", "import time; time.sleep(60)")
    stop = threading.Event()
    stop.set()

    with pytest.raises(ServerStartError, match="given up"):
        ModelServer(CONTAINER, server_context(tmp_path, FakeS3()), stop=stop)


def test_a_model_whose_data_are_missing_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match=r"s3://m/gone\.tar\.gz.*NoSuchKey"):
        start(tmp_path, ModelDataUrl="s3://m/gone.tar.gz")


def test_an_unknown_image_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(UnknownImageError):
        ModelServer({"Image": "lost"}, server_context(tmp_path, FakeS3()))


def test_an_image_without_a_serve_program_does_not_start(tmp_path: Path) -> None:
    container(tmp_path / "containers", train="")

    with pytest.raises(ServerStartError, match="no program 'serve'"):
        ModelServer(CONTAINER, server_context(tmp_path, FakeS3()))


def test_a_model_that_takes_too_long_is_an_error_of_the_invocation(tmp_path: Path) -> None:
    server = start(tmp_path, SLOW, grace=0.1)

    with pytest.raises(InvocationError, match=r"did not answer within 0\.2 s"):
        server.invoke(b"5", timeout=0.2)
    server.close(0)


def test_a_server_that_died_gives_no_answer(tmp_path: Path) -> None:
    server = start(tmp_path, "def post(body, headers):\n    os._exit(1)\n")

    with pytest.raises(InvocationError, match="gave no answer"):
        server.invoke(b"x")
    until(lambda: not server.healthy())
    with pytest.raises(InvocationError):
        server.get("/ping")
    server.close()


def test_closing_waits_for_the_request_in_flight_and_refuses_new_ones(tmp_path: Path) -> None:
    server = start(tmp_path, SLOW)
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(server.invoke(b"0.4")[2]))
    asking.start()
    until(lambda: "asked" in server.log.read_text())

    server.close(10)

    asking.join()
    assert answers == [b"late"]
    with pytest.raises(ServerClosedError):
        server.invoke(b"0")
    server.close()


def test_closing_cuts_off_what_is_not_answered_in_time(tmp_path: Path) -> None:
    server = start(tmp_path, SLOW, grace=0.2)
    failures: list[InvocationError] = []

    def ask() -> None:
        try:
            server.invoke(b"30")
        except InvocationError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: "asked" in server.log.read_text())

    server.close(0.1)

    asking.join()
    assert len(failures) == 1
