"""Programs that behave badly: each ends with a clear sentence, in time, and touches nobody else."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, job_context, program, server_context, training
from tests.sagemaker_local.support.worlds import needs_namespaces

from sagemaker_local.jobs.training import run_training
from sagemaker_local.runtime import data
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.runtime.lines import Lines
from sagemaker_local.runtime.workspace import Workspace
from sagemaker_local.serving import InvocationError, ModelServer, ServerStartError

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_local.jobs.context import Outcome

CONTAINER = {"Image": OWN}
BASE = "import os\nbase = os.environ['SAGEMAKER_BASE_DIR']\n"


def train(folder: Path, text: str, s3: FakeS3 | None = None, **changes: object) -> Outcome:
    program(folder / "containers", BASE + text, kind="train")
    context = job_context(folder, s3 or FakeS3())
    return run_training(training(**changes), context, threading.Event(), lambda *_: None)


@needs_namespaces
def test_a_file_larger_than_its_volume_cannot_be_written(tmp_path: Path) -> None:
    outcome = train(tmp_path, "open(base + '/model/zeros', 'wb').truncate(1 << 40)")

    assert outcome.failure_reason == (
        "AlgorithmError: a file was to be larger than the volume (VolumeSizeInGB 5): File too large, exit code: 1"
    )


@pytest.mark.usefixtures("without_namespaces")
def test_a_sparse_terabyte_is_refused_by_its_size_and_not_read(tmp_path: Path) -> None:
    s3 = FakeS3()

    outcome = train(tmp_path, "open(base + '/model/zeros', 'wb').truncate(1 << 40)", s3)

    assert outcome.status == "Failed"
    assert "left 1,099,511,6" in (outcome.failure_reason or "")
    assert "keeps 2,147,483,648 at most" in (outcome.failure_reason or "")
    assert s3.uris("s3://out") == []


@pytest.mark.parametrize("target", ["../../secret", "/etc/hostname", "nowhere"])
def test_a_link_that_leads_out_of_an_output_is_not_followed(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "ml" / "output"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (folder / "kept").write_text("kept")
    (folder / "link").symlink_to(target)
    s3 = FakeS3()

    with pytest.raises(ContainerError, match="the link link leads out of its folder"):
        data.upload(s3.client, folder, "s3://out/x")
    assert s3.uris() == []

    (folder / "link").unlink()
    (folder / "link").symlink_to("kept")
    assert data.upload(s3.client, folder, "s3://out/x") == 2


def test_a_failure_file_is_read_to_its_first_thousand_characters_and_never_through_a_link(tmp_path: Path) -> None:
    work = Workspace(tmp_path / "ml").create()
    (tmp_path / "secret").write_text("secret")
    with (work.output / "failure").open("wb") as stream:
        stream.write(b"no rows")
        stream.truncate(1 << 40)
    (work.output / "message").symlink_to(tmp_path / "secret")

    assert work.told("failure").startswith("no rows")
    assert len(work.told("failure")) == 1024
    assert work.told("message") == ""


def test_a_log_without_line_ends_is_read_in_bounded_pieces(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff\x00" * 500_000 + b"\nend")

    pieces = list(Lines(log).all())

    assert sum(len(piece) for piece in pieces[:-1]) == 1_000_000
    assert max(len(piece) for piece in pieces) <= 64 * 1024
    assert pieces[-1] == "end"


@needs_namespaces
def test_a_server_that_listens_elsewhere_is_told_where(tmp_path: Path) -> None:
    text = "import socket, time\ns = socket.create_server(('127.0.0.1', 5000))\ntime.sleep(60)"
    program(tmp_path / "containers", text)

    with pytest.raises(ServerStartError, match=r"listens on 127\.0\.0\.1:5000, and has to listen on port 8080"):
        ModelServer(CONTAINER, server_context(tmp_path, FakeS3(), timeout=2))


@needs_namespaces
def test_a_server_that_becomes_a_daemon_has_ended(tmp_path: Path) -> None:
    program(tmp_path / "containers", "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n")

    with pytest.raises(ServerStartError, match="ended with exit code 0 before it answered /ping"):
        ModelServer(CONTAINER, server_context(tmp_path, FakeS3()))


ENDLESS = """
    from http.server import BaseHTTPRequestHandler, HTTPServer
    import os

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"0" * 1_000_000)

    HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    program(tmp_path / "containers", ENDLESS)
    server = ModelServer(CONTAINER, server_context(tmp_path, FakeS3(), grace=0.2))
    try:
        with pytest.raises(InvocationError, match="more than 104,857,600 bytes"):
            server.invoke(b"")
    finally:
        server.close(0)


def test_an_answer_that_drips_is_cut_off_at_the_time_limit(tmp_path: Path) -> None:
    drip = ENDLESS.replace('self.wfile.write(b"0" * 1_000_000)', 'self.wfile.write(b"0") and time.sleep(0.1)')
    program(tmp_path / "containers", drip.replace("import os\n", "import os, time\n"))
    server = ModelServer(CONTAINER, server_context(tmp_path, FakeS3(), grace=0.2))
    began = time.monotonic()
    try:
        with pytest.raises(InvocationError, match=r"did not answer within 1 s"):
            server.invoke(b"", timeout=1)
        assert time.monotonic() - began < 10
    finally:
        server.close(0)


@needs_namespaces
def test_the_world_of_a_program_is_removed_with_it(tmp_path: Path) -> None:
    outcome = train(tmp_path, "open('/root/more', 'w').write('x')")

    assert outcome.failure_reason is None
    assert not (tmp_path / "job" / "root").exists()


@needs_namespaces
def test_a_program_whose_launcher_is_killed_ends_too(tmp_path: Path) -> None:
    program(tmp_path / "containers", ENDLESS)
    server = ModelServer(CONTAINER, server_context(tmp_path, FakeS3(), grace=0.2))
    launcher = server._program._process
    launcher.kill()
    launcher.wait()

    with pytest.raises(InvocationError):
        server.invoke(b"")
    assert not server.healthy()
    server.close(0)
