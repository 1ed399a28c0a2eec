"""The iris container's programs, run as SageMaker runs them, under a folder that stands for /opt/ml."""

import csv
import importlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from projects.iris import data

PROJECT = Path(__file__).resolve().parents[3] / "projects" / "iris"
FOLDER = PROJECT / "iris-decision-tree"
KINDS = ("setosa", "versicolor", "virginica")


def command(program: str, base: Path) -> tuple[list[str], dict[str, str]]:
    settings = {"SAGEMAKER_BASE_DIR": str(base), "MODEL_SERVER_WORKERS": "1"}
    return [sys.executable, str(FOLDER / program)], {**os.environ, **settings}


def run(program: str, base: Path) -> "subprocess.CompletedProcess[str]":
    line, environment = command(program, base)
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)


def put(base: Path, rows: str | None, hyperparameters: object = None) -> None:
    (base / "input" / "config").mkdir(parents=True)
    if rows is not None:
        (base / "input" / "data" / "train").mkdir(parents=True)
        (base / "input" / "data" / "train" / "iris.csv").write_text(rows)
    if hyperparameters is not None:
        (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))


@pytest.fixture(scope="module")
def own_modules() -> Iterator[None]:
    """The container's modules can be imported, for what needs no process of its own."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield
    for name in set(sys.modules) - before:
        if name.startswith("iris_tree"):
            del sys.modules[name]


def train_here(base: Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(base))
        return int(importlib.import_module("iris_tree.training").main())


@dataclass(frozen=True)
class Server:
    """A running server, its port, and the folder it was started with."""

    process: "subprocess.Popen[str]"
    port: int
    base: Path

    def ask(self, body: bytes, content_type: str = "text/csv", path: str = "/invocations") -> tuple[int, str]:
        """Send a POST and return status and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ping(self) -> int:
        """Return the status of the health check."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status
        finally:
            connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def started(base: Path, **settings: str) -> Server:
    port = free_port()
    line, environment = command("serve", base)
    environment |= {"SAGEMAKER_BIND_TO_PORT": str(port), **settings}
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")  # ends with the process
    assert any(f"Listening at: http://127.0.0.1:{port} " in line for line in said)
    server = Server(process, port, base)
    assert server.ping() == 200  # the answer waits until a worker is there
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, own_modules: None) -> Iterator[Server]:
    """A server of a model that was trained on the iris data."""
    base = tmp_path_factory.mktemp("iris")
    data.write(base / "input" / "data")
    trained = run("train", base)
    assert trained.returncode == 0, trained.stderr
    found = started(base)
    yield found
    found.process.terminate()
    found.process.wait(60)


def test_the_data_are_split_evenly_label_first_and_the_same_every_time(
    server: Server, tmp_path: Path, own_modules: None
) -> None:
    data.write(tmp_path)
    for part, rows in (("train", 35), ("test", 15)):
        text = (tmp_path / part / "iris.csv").read_text()
        labels = [row[0] for row in csv.reader(text.splitlines())]
        assert {label: labels.count(label) for label in labels} == dict.fromkeys(KINDS, rows)
        assert text == (server.base / "input" / "data" / part / "iris.csv").read_text()


def test_the_served_model_names_the_kind_of_nearly_every_flower_it_never_saw(server: Server) -> None:
    rows = list(csv.reader((server.base / "input" / "data" / "test" / "iris.csv").read_text().splitlines()))
    status, answer = server.ask("\n".join(",".join(row[1:]) for row in rows).encode())
    predicted = answer.splitlines()
    assert status == 200
    assert len(predicted) == len(rows)
    assert sum(row[0] == kind for row, kind in zip(rows, predicted, strict=True)) >= 0.9 * len(rows)


def test_the_server_is_healthy_once_it_listens(server: Server) -> None:
    assert server.ping() == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"5.1,3.5,1.4,0.2", "application/json", 415, "content type 'application/json' is not taken: send text/csv"),
        (b"5.1,3.5,1.4,0.2\n5.1,3.5,1.4", "text/csv", 400, "row 2: 3 columns, wants 4 numbers"),
        (b"5.1,3.5,1.4,wide", "text/csv; charset=utf-8", 400, "row 1: 'wide' is not a number"),
        (b"5.1,3.5,1.4,0.4_5", "text/csv", 400, "row 1: '0.4_5' is not a number"),
        ("5.1,3.5,1.4,\u0663".encode(), "text/csv", 400, "is not a number"),
        (b"5.1,3.5,1.4,nan", "text/csv", 400, "row 1: 'nan' is not a number"),
        (b"\n", "text/csv", 400, "the body has no rows"),
        (b"\xff", "text/csv", 400, "the body is not UTF-8 text"),
        (b"1" * 200_000, "text/csv", 400, "the body is not CSV: field larger than field limit"),
        (b"1" * (6 * 1024 * 1024 + 1), "text/csv", 413, "more than 6291456 bytes"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(
    server: Server, body: bytes, content_type: str, status: int, reason: str
) -> None:
    if status == 413:  # it is refused by its length, so only its head is sent
        answered, text = head_only(server, len(body))
    else:
        answered, text = server.ask(body, content_type)
    assert answered == status
    assert reason in text


def head_only(server: Server, length: int) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest("POST", "/invocations")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_body_of_unknown_length_is_refused_before_it_is_read(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/invocations", iter([b"5.1,3.5,1.4,0.2"]), {"Content-Type": "text/csv"})
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.read().startswith(b"the body has no stated length")
    connection.close()


def test_another_path_is_not_found(server: Server) -> None:
    assert server.ask(b"", path="/models") == (404, "no such path: /models\n")


def test_a_refused_request_does_not_end_the_connection(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for content_type, status in (("text/plain", 415), ("text/csv", 200)):
        connection.request("POST", "/invocations", b"5.1,3.5,1.4,0.2", {"Content-Type": content_type})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_the_server_stops_when_it_is_asked_to(server: Server) -> None:
    other = started(server.base)
    other.process.send_signal(signal.SIGTERM)
    # SageMaker kills a server 30 seconds after the signal.
    assert other.process.wait(30) == 0


def test_a_connection_that_only_waits_keeps_no_server_from_stopping(server: Server) -> None:
    other = started(server.base)
    connection = HTTPConnection("127.0.0.1", other.port, timeout=60)
    connection.request("GET", "/ping")
    connection.getresponse().read()
    other.process.send_signal(signal.SIGTERM)
    assert other.process.wait(60) == 0
    connection.close()


def test_a_request_that_is_being_answered_is_finished_before_the_server_stops(server: Server) -> None:
    other = started(server.base)
    body = b"5.1,3.5,1.4,0.2"
    with socket.create_connection(("127.0.0.1", other.port), timeout=60) as connection:
        head = f"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 100")
        other.process.send_signal(signal.SIGTERM)
        connection.sendall(body)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"setosa\n")
    assert other.process.wait(60) == 0


@pytest.fixture
def calls(server: Server, own_modules: None, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `serve` asks of the system in a container, which has the server's model: gunicorn's command comes last."""
    serving, contract = importlib.import_module("iris_tree.serving"), importlib.import_module("iris_tree.contract")
    monkeypatch.setattr(contract.Folders, "of_environment", lambda: contract.Folders(server.base))
    found: list[Any] = []
    monkeypatch.setattr(serving.os, "setgroups", found.append)
    monkeypatch.setattr(serving.os, "execv", lambda _, command: found.append(" ".join(command)))
    for name in ("SAGEMAKER_BASE_DIR", "SAGEMAKER_BIND_TO_PORT", "MODEL_SERVER_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_a_container_is_reached_from_outside_and_its_workers_are_never_root(
    calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    importlib.import_module("iris_tree.serving").main()
    groups, command = calls
    assert groups == []
    assert "--user nobody --group nogroup" in command
    assert "--bind 0.0.0.0:8080" in command


def test_an_ordinary_user_stays_the_one_it_is(calls: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    importlib.import_module("iris_tree.serving").main()
    assert [command for command in calls if "--user" in command] == []


@pytest.mark.parametrize(("given", "workers"), [({"MODEL_SERVER_WORKERS": "2"}, 2), ({}, os.process_cpu_count())])
def test_there_are_as_many_workers_as_the_environment_or_else_the_machine_says(
    calls: list[Any], monkeypatch: pytest.MonkeyPatch, given: dict[str, str], workers: int
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    importlib.import_module("iris_tree.serving").main()
    assert f"--workers {workers} " in calls[-1]


def test_serving_without_a_model_ends_at_once_and_says_what_is_missing(tmp_path: Path) -> None:
    done = run("serve", tmp_path)
    assert done.returncode == 1
    assert "no model" in done.stdout


def test_serving_a_model_that_cannot_be_read_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.joblib").write_bytes(b"not a model")
    assert run("serve", tmp_path).returncode != 0


GOOD = "setosa,5.1,3.5,1.4,0.2\nvirginica,6.3,3.3,6.0,2.5\n"


@pytest.mark.parametrize(
    ("rows", "hyperparameters", "reason"),
    [
        (None, None, "channel train has no files: give it CSV, label first"),
        ("\n", None, "iris.csv: the data file has no rows"),
        (GOOD + "setosa,1,2,3", None, "iris.csv, line 3, after the label: 3 columns, wants 4 numbers"),
        (GOOD + ",1,2,3,4", None, "iris.csv, line 3: the label is empty"),
        ("setosa,1,2,3,4\n", None, "all 1 rows are setosa: a classifier needs two kinds or more"),
        (GOOD, {"epochs": "3"}, "hyperparameter 'epochs' is unknown; known are max_leaf_nodes, max_depth"),
        (GOOD, {"max_leaf_nodes": "1"}, "hyperparameter max_leaf_nodes is '1': 1 is under 2"),
        (GOOD, {"max_depth": "deep"}, "hyperparameter max_depth is 'deep'"),
        (GOOD, ["max_depth"], "hyperparameters.json is not a JSON object"),
    ],
)
def test_a_training_that_cannot_work_leaves_the_reason_and_exits_1(
    tmp_path: Path, own_modules: None, rows: str | None, hyperparameters: object, reason: str
) -> None:
    put(tmp_path, rows, hyperparameters)
    assert train_here(tmp_path) == 1
    assert (tmp_path / "output" / "failure").read_text().startswith(reason)
    assert not (tmp_path / "model").exists()


def test_a_program_that_fails_tells_it_by_its_exit_code(tmp_path: Path) -> None:
    assert run("train", tmp_path).returncode == 1
    assert (tmp_path / "output" / "failure").read_text().startswith("channel train has no files")


def test_the_hyperparameters_shape_the_tree(
    tmp_path: Path, own_modules: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    put(tmp_path, GOOD, {"max_leaf_nodes": "2", "random_state": "1"})
    assert train_here(tmp_path) == 0
    assert "2 rows, 2 leaves, train:accuracy=1.0000" in caplog.messages


def test_the_image_has_the_versions_that_the_tests_run_with() -> None:
    lock = (PROJECT.parents[1] / "uv.lock").read_text()
    for requirement in (FOLDER / "requirements.txt").read_text().splitlines():
        if not requirement.startswith("#"):
            name, version = requirement.split("==")
            assert re.search(rf'^name = "{name}"\nversion = "{re.escape(version)}"$', lock, re.MULTILINE), requirement


@pytest.mark.parametrize("program", ["train", "serve"])
def test_the_programs_can_be_executed_as_they_are(program: str) -> None:
    assert os.access(FOLDER / program, os.X_OK)
    assert (FOLDER / program).read_text().startswith("#!/usr/bin/env python3\n")
