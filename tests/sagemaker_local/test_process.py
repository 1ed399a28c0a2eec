"""The cloud's process as its starter sees it, played by small programs: up, too late, dead at once, stubborn."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local import process
from sagemaker_local.process import CloudError, LocalCloud, Options

READY = """
import json, os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        bodies = {"health": f"ready {os.getpid() + OFFSET}", "mails": "[{}]", "calls": json.dumps([sys.argv[1:]])}
        body = bodies[self.path.rsplit("/", 1)[-1]].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
if STUBBORN:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a text be the program of the cloud."""
    started = subprocess.Popen

    def play(text: str) -> None:
        def popen(command: list[str], **more: Any) -> Any:
            assert command[:3] == [sys.executable, "-m", "sagemaker_local.server"]
            return started([sys.executable, "-c", text, *command[3:]], **more)

        monkeypatch.setattr(subprocess, "Popen", popen)

    return play


def ready(*, stubborn: bool = False, offset: int = 0) -> str:
    return f"STUBBORN = {stubborn}\nOFFSET = {offset}\n{READY}"


def test_a_cloud_that_answers_awss_names_has_a_proxy_and_its_authority(played: Any, tmp_path: Path) -> None:
    played(ready())
    with LocalCloud(Options(folder=tmp_path, aws_names=True)) as cloud:
        words: Any = cloud.calls()[0]
        assert cloud.environment["HTTPS_PROXY"] == f"http://127.0.0.1:{words[words.index('--proxy-port') + 1]}"
        assert cloud.environment["AWS_CA_BUNDLE"] == str(tmp_path / "aws-names.pem")


def test_a_cloud_is_waited_for_asked_and_stopped(played: Any, tmp_path: Path) -> None:
    played(ready())
    with LocalCloud(Options(folder=tmp_path / "new", repeat_events=0.5)) as cloud:
        assert cloud.mails() == [{}]
        words: Any = cloud.calls()[0]
        assert words[words.index("--repeat-events") + 1] == "0.5"
        assert cloud.environment["AWS_ENDPOINT_URL"] == cloud.url == f"http://127.0.0.1:{cloud.port}"
        assert os.getpgid(cloud.pid) == cloud.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(cloud.pid, 0)
    cloud.stop()


def test_a_cloud_that_ends_at_once_says_why(played: Any, tmp_path: Path) -> None:
    played("import sys; sys.exit('the port is taken')")
    with pytest.raises(CloudError, match="ended at once:\nthe port is taken"), LocalCloud(Options(folder=tmp_path)):
        pass


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", ready(offset=1)])
def test_a_cloud_that_does_not_answer_itself_is_ended(
    played: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(process, "START_SECONDS", 0.5)
    played(program)
    cloud = LocalCloud(Options(folder=tmp_path))
    with pytest.raises(CloudError, match="did not answer within"), cloud:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(cloud.pid, 0)


def test_a_cloud_that_does_not_want_to_end_is_killed(
    played: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_STOP_SECONDS", 0.2)
    played(ready(stubborn=True))
    with LocalCloud(Options(folder=tmp_path)) as cloud:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(cloud.pid, 0)


def test_a_cloud_that_ends_while_it_is_waited_for_says_why(played: Any, tmp_path: Path) -> None:
    played("import time; time.sleep(0.2); raise SystemExit('out of memory')")
    cloud = LocalCloud(Options(folder=tmp_path))
    with pytest.raises(CloudError, match="ended with status 1:\nout of memory"):
        cloud.join()
