"""Programs in namespaces of their own: they find what they find on SageMaker, see nothing else, and leave nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import uuid
import venv
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import ENVIRONMENT, OWN, program, tar_gz, training, untar, until
from tests.sagemaker_local.support.programs import environment
from tests.sagemaker_local.support.worlds import needs_namespaces

from sagemaker_local.images import Image, container
from sagemaker_local.images.container import Container
from sagemaker_local.jobs.context import JobContext
from sagemaker_local.jobs.training import run_training
from sagemaker_local.runtime import guard
from sagemaker_local.runtime.namespaces import Forward
from sagemaker_local.runtime.workspace import Workspace
from sagemaker_local.serving import ModelServer
from sagemaker_local.serving.server import ServerContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sagemaker_local.jobs.context import Outcome

pytestmark = needs_namespaces
MODEL = "s3://out/jobs/job/output/model.tar.gz"
OWN_FOLDERS = ["/tmp", "/root", "/var/tmp", "/opt/program", ""]  # noqa: S108  # a program's own, not this machine's
HARD_CODED = """
    import json, os, socket
    from pathlib import Path
    Path("/opt/ml/output/data/kept").write_text("kept")
    seen = {
        "host": socket.gethostname(),
        "resolves": socket.gethostbyname("algo-1"),
        "hyperparameters": json.loads(Path("/opt/ml/input/config/hyperparameters.json").read_text()),
        "folder": os.getcwd(),
        "home": os.environ["HOME"],
        "base": os.environ["SAGEMAKER_BASE_DIR"],
        "user": os.geteuid(),
        "first_to_go": int(Path("/proc/self/oom_score_adj").read_text()),
        "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    }
    Path("/opt/ml/model/seen.json").write_text(json.dumps(seen))
"""


def train(folder: Path, text: str, *, endpoint: str = "", **changes: object) -> tuple[Outcome, FakeS3]:
    s3 = FakeS3()
    program(folder / "containers", text, kind="train")
    role = {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint} if endpoint else ENVIRONMENT
    context = JobContext(folder / "job", s3.client, role, folder / "containers", 5.0)
    return run_training(training(**changes), context, threading.Event(), lambda *_: None), s3


def serve(folder: Path, text: str, *, endpoint: str = "http://127.0.0.1:9", **container: object) -> ModelServer:
    program(folder / "containers", text)
    s3 = FakeS3({"s3://m/model.tar.gz": tar_gz({"weights": "0.5"})})
    role = {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}
    context = ServerContext(folder / "server", s3.client, role, folder / "containers", startup_timeout=20, grace=5)
    return ModelServer({"Image": OWN, "ModelDataUrl": "s3://m/model.tar.gz", **container}, context)


@contextmanager
def listening(answer: bytes) -> Iterator[int]:
    """Answer every GET on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_program_that_names_opt_ml_and_waits_for_algo_1_finds_both(tmp_path: Path) -> None:
    outcome, s3 = train(tmp_path, HARD_CODED, HyperParameters={"depth": "3"})

    assert outcome.failure_reason is None
    seen = json.loads(untar(s3.get(MODEL))["seen.json"])
    assert (seen["host"], seen["resolves"]) == ("algo-1", "127.0.0.1")
    assert seen["hyperparameters"] == {"depth": "3"}
    assert (seen["base"], seen["home"], seen["folder"], seen["user"]) == ("/opt/ml", "/root", "/opt/program", 0)
    assert seen["first_to_go"] > int(Path("/proc/self/oom_score_adj").read_text())
    assert set(seen["processes"]) <= {"1", "2"}
    assert untar(s3.get(MODEL.replace("model.tar", "output.tar"))) == {"kept": b"kept"}


def test_a_program_sees_neither_the_persons_home_nor_other_jobs_nor_the_cloud(tmp_path: Path) -> None:
    secret = tmp_path / "jobs" / "another" / "model"
    secret.parent.mkdir(parents=True)
    secret.write_text("secret")
    text = f"""
        import os, sys
        homes = [os.path.join(top, name) for top in ("/home", "/root") for name in os.listdir(top)]
        private = [path for path in homes if not sys.prefix.startswith(path) and not sys.base_prefix.startswith(path)]
        seen = [path for path in ({str(secret)!r}, {str(tmp_path)!r}, *private) if os.path.exists(path)]
        seen += [path for path in ("/etc/shadow", "/etc/sudoers") if os.path.exists(path) and open(path).read()]
        seen += os.listdir("/etc/ssh") if os.path.exists("/etc/ssh") else []
        open("/opt/ml/model/seen", "w").write(repr(seen))
    """

    outcome, s3 = train(tmp_path, text)

    assert outcome.failure_reason is None
    assert untar(s3.get(MODEL)) == {"seen": b"[]"}


def test_a_script_that_names_python_without_quotes_runs_though_its_place_here_has_a_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "my work" / "environment"
    venv.create(place, symlinks=True)
    monkeypatch.setattr(
        container, "with_python", lambda image, _: replace(image, python=str(place / "bin" / "python3"))
    )
    line = '$(command -v python3) -c \'import sys; open("/opt/ml/model/prefix", "w").write(sys.prefix)\''

    outcome, s3 = train(tmp_path, f"import os, sys\nsys.exit(os.waitstatus_to_exitcode(os.system({line!r})))")

    assert outcome.failure_reason is None
    assert untar(s3.get(MODEL)) == {"prefix": b"/opt/environment"}


def test_what_a_program_writes_elsewhere_is_its_own_and_the_system_is_to_read(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    text = f"""
        refused = []
        for folder in {[*OWN_FOLDERS, "/usr", "/etc/ssl"]!r}:
            try:
                open(folder + "/{mark}", "w").close()
            except OSError:
                refused.append(folder)
        open("/opt/ml/model/refused", "w").write(" ".join(refused))
    """

    outcome, s3 = train(tmp_path, text)

    assert outcome.failure_reason is None
    assert untar(s3.get(MODEL)) == {"refused": b"/usr /etc/ssl"}
    assert not [top for top in OWN_FOLDERS if (Path(top) / mark).exists()]
    assert not (tmp_path / "containers" / "own" / mark).exists()


def test_a_daemon_that_left_its_session_ends_with_its_program(tmp_path: Path) -> None:
    mark = f"daemon-{uuid.uuid4().hex}"
    text = f"""
        import os, subprocess, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                subprocess.run(["sh", "-c", "trap '' TERM HUP INT; touch /opt/ml/model/up; sleep 600; : {mark}"])
            os._exit(0)
        while not os.path.exists("/opt/ml/model/up"):
            time.sleep(0.01)
    """

    outcome, _ = train(tmp_path, text)

    assert outcome.status == "Completed"
    assert [entry for entry in Path("/proc").glob("[0-9]*") if mark.encode() in command(entry)] == []


def command(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_job_reaches_the_cloud_and_an_isolated_one_reaches_nothing(tmp_path: Path) -> None:
    text = """
        import os, urllib.request
        try:
            said = urllib.request.urlopen(os.environ.get("AWS_ENDPOINT_URL", os.environ["CLOUD"]), timeout=5).read()
        except OSError as error:
            said = b"nothing"
        open("/opt/ml/model/said", "wb").write(said)
    """
    with listening(b"hello") as port:
        where = f"http://127.0.0.1:{port}"
        for name, more, said in (("near", {}, b"hello"), ("alone", {"EnableNetworkIsolation": True}, b"nothing")):
            outcome, s3 = train(tmp_path / name, text, endpoint=where, Environment={"CLOUD": where}, **more)

            assert outcome.failure_reason is None
            assert untar(s3.get(MODEL))["said"] == said


SERVER = """
    import os, urllib.request
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    def asked(question):
        if question == b"write":
            open("/opt/ml/model/more", "w")
        if question == b"cloud":
            return urllib.request.urlopen(os.environ["CLOUD"], timeout=5).read()
        return open("/opt/ml/model/weights", "rb").read() + os.environ["SAGEMAKER_BIND_TO_PORT"].encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        def do_POST(self):
            try:
                status, body = 200, asked(self.rfile.read(int(self.headers["Content-Length"])))
            except OSError as error:
                status, body = 500, str(error).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def test_two_servers_listen_on_8080_at_once_and_read_their_model(tmp_path: Path) -> None:
    servers = [serve(tmp_path / name, SERVER) for name in ("one", "two")]
    try:
        assert [server.invoke(b"")[2] for server in servers] == [b"0.58080", b"0.58080"]
        assert b"Read-only file system" in servers[0].invoke(b"write")[2]
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", 8080)) != 0, "the port is of the servers' own networks"
    finally:
        for server in servers:
            server.close(0)


def test_a_server_reaches_the_cloud_and_an_isolated_one_does_not(tmp_path: Path) -> None:
    with listening(b"hello" * 100_000) as port:
        where = f"http://127.0.0.1:{port}"
        near = serve(tmp_path / "near", SERVER, endpoint=where, Environment={"CLOUD": where})
        alone = serve(
            tmp_path / "alone", SERVER, endpoint=where, Environment={"CLOUD": where}, EnableNetworkIsolation=True
        )
        try:
            assert near.invoke(b"cloud")[2] == b"hello" * 100_000
            assert alone.invoke(b"cloud")[0] == 500
        finally:
            near.close(0)
            alone.close(0)


def test_a_cloud_on_the_servers_own_port_is_reached_on_another(tmp_path: Path) -> None:
    work = Workspace(tmp_path / "ml", boxed=True)
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:8080"}

    started = Container(Image("sagemaker-xgboost"), work, tmp_path, serves=True).start(given)

    assert started["environment"]["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8079"
    assert started["box"].forward == Forward(8079, 8080)


def test_a_closed_server_leaves_no_process_and_no_network(tmp_path: Path) -> None:
    server = serve(tmp_path, SERVER)
    group = server._program.group
    network = Path(f"/proc/{group}/ns/net").readlink()

    server.close(0)

    def networks() -> set[Path]:
        found = set()
        for entry in Path("/proc").glob("[0-9]*/ns/net"):
            try:
                found.add(entry.readlink())
            except OSError:
                continue
        return found

    until(lambda: network not in networks())
    assert group not in guard._groups


FORBIDDEN = """
import os
user = os.getuid()
os.unshare(os.CLONE_NEWUSER)
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1")):
    with open(f"/proc/self/{name}", "w") as stream:
        stream.write(text)
with open("/proc/sys/user/max_user_namespaces", "w") as stream:
    stream.write("0")
from sagemaker_local.runtime import namespaces
print(namespaces.allowed(), namespaces.refusal())
"""


def test_a_machine_that_forbids_namespaces_is_found_out_by_trying() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN], env=environment(), capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("False the program's namespaces could not be made: [Errno 28]")


@pytest.mark.parametrize("command", [["no-such-program"], ["/opt/ml/input/config/hyperparameters.json"]])
def test_a_program_that_cannot_be_executed_is_named(tmp_path: Path, command: list[str]) -> None:
    algorithm = {"TrainingImage": OWN, "TrainingInputMode": "File", "ContainerEntrypoint": command}

    outcome, _ = train(tmp_path, "", AlgorithmSpecification=algorithm)

    assert outcome.status == "Failed"
    assert repr(command[0]) in (outcome.failure_reason or "")
