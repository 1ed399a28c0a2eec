"""Images are built and tried out by plain Docker; here a program of that name stands for it and remembers."""

import base64
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli
from signalbox_operate.containers import building

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
# It writes down how it is called; `run` of an image runs the program of that name in a folder, as a container would.
DOCKER = """
import json, os, pathlib, subprocess, sys
home = pathlib.Path(os.environ["FAKE_DOCKER"])
words = sys.argv[1:]
with (home / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
state = json.loads((home / "state").read_text())
if words[0] in state.get("fails", []):
    sys.exit("docker: it does not work")
if words[0] == "login":
    (home / "password").write_text(sys.stdin.read())
elif words[:2] == ["image", "inspect"]:
    print(json.dumps([state["image"]]))
elif words[0] == "run":
    tree = words[words.index("--volume") + 1].split(":")[0]
    variables = {"TREE": tree, "STATE": str(home)}
    if words[-1] == "train":
        sys.exit(subprocess.call(["sh", "-c", state["train"]], env={**os.environ, **variables}))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-c", state["serve"]], env={**os.environ, **variables}, **quiet)
    (home / "server").write_text(str(server.pid))
    print("c0ffee")
elif words[0] == "port":
    print((home / "port").read_text() if (home / "port").exists() else "")
elif words[0] == "inspect":
    print("true")
elif words[0] == "stop":
    os.kill(int((home / "server").read_text()), 15)
"""
SERVE = """
import os, pathlib
from http.server import BaseHTTPRequestHandler, HTTPServer
class Model(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def do_POST(self):
        model = (pathlib.Path(os.environ["TREE"].removesuffix("/model")) / "model" / "m").read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(model)))
        self.end_headers()
        self.wfile.write(model)
server = HTTPServer(("127.0.0.1", 0), Model)
(pathlib.Path(os.environ["STATE"]) / "port").write_text(f"127.0.0.1:{server.server_port}")
server.serve_forever()
"""
TRAIN = 'if ls "$TREE"/input/data/training/* >/dev/null 2>&1; then echo setosa > "$TREE/model/m"; else exit 1; fi'
IMAGE: dict[str, Any] = {"Os": "linux", "Architecture": "amd64", "Config": {"Entrypoint": None, "User": ""}}


class Docker:
    """The program that stands for Docker: what it is asked, and what it answers."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.set()

    def set(self, **state: Any) -> None:
        """Say what it knows."""
        (self.home / "state").write_text(json.dumps({"image": IMAGE, "train": TRAIN, "serve": SERVE} | state))

    def calls(self) -> list[list[str]]:
        """Return the words of each call."""
        file = self.home / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """A program called docker, the first on the path."""
    home = tmp_path / "docker-home"
    (home / "bin").mkdir(parents=True)
    (home / "docker.py").write_text(DOCKER)
    # A shell takes a Python whose place has a blank, which a first line cannot name.
    line = shlex.join([sys.executable, str(home / "docker.py")])
    (home / "bin" / "docker").write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    (home / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_DOCKER", str(home))
    return Docker(home)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """ECR without a repository."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    token = base64.b64encode(b"AWS:secret").decode()
    repository = {"repositoryUri": f"{REGISTRY}/iris-tree"}
    answers = {
        "describe_repositories": client_error("RepositoryNotFoundException"),
        "create_repository": {"repository": repository},
        "get_authorization_token": {"authorizationData": [{"authorizationToken": token}]},
    }
    found = {"ecr": RecordingClient("ecr", answers)}
    monkeypatch.setattr(account, "client", found.__getitem__)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A container's folder, in no repository of git."""
    made = tmp_path / "iris-tree"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM python\n")
    return made


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_an_image_is_built_for_sagemakers_platform_and_pushed_under_its_content(
    docker: Docker, clients: dict[str, Any], folder: Path
) -> None:
    done = ask("build", folder)

    assert done.exit_code == 0, done.output
    image = f"{REGISTRY}/iris-tree:{building.digest(folder)}"
    built = ["build", "--platform", "linux/amd64", "--provenance=false", "--tag", image, str(folder)]
    login = ["login", "--username", "AWS", "--password-stdin", REGISTRY]
    assert docker.calls() == [built, login, ["push", image]]
    assert (docker.home / "password").read_text() == "secret"
    (made,) = clients["ecr"].requests("CreateRepository")
    assert (made["repositoryName"], made["imageTagMutability"]) == ("iris-tree", "IMMUTABLE")
    said = [line for line in done.output.splitlines() if line.startswith("$ docker")]
    assert said[0] == f"$ docker {' '.join(built)}"
    assert "secret" not in done.output
    assert f"pushed {image}; train it: signalbox train --image {image} --commit" in done.output


def test_a_repository_that_is_there_is_used(docker: Docker, clients: dict[str, Any], folder: Path) -> None:
    known = {"repositories": [{"repositoryUri": f"{REGISTRY}/team/trees"}]}
    clients["ecr"].answers["describe_repositories"] = known

    done = ask("build", folder, "--name", "team/trees", "--tag", "1.0")

    assert done.exit_code == 0, done.output
    assert docker.calls()[-1] == ["push", f"{REGISTRY}/team/trees:1.0"]
    assert clients["ecr"].requests("CreateRepository") == []


def test_the_tag_is_the_commit_of_a_folder_without_changes(
    docker: Docker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ann@example.com")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", "-C", folder, *words], check=True)
    head = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout

    ask("build", folder, "--no-push")
    (folder / "Dockerfile").write_text("FROM python:3\n")
    ask("build", folder, "--no-push")

    clean, changed = (words[words.index("--tag") + 1] for words in docker.calls())
    assert clean == f"iris-tree:{head[:12]}"
    assert changed == f"iris-tree:{building.digest(folder)}"


def test_a_container_of_a_project_is_built_under_its_own_name(docker: Docker, folder: Path) -> None:
    entry = {"folder": folder.name, "problem": "multiclass"}
    (folder.parent / "signalbox.yaml").write_text(json.dumps({"project": "irises", "containers": {"trees": entry}}))

    done = ask("build", folder.parent, "--no-push")

    assert done.exit_code == 0, done.output
    assert f"built trees:{building.digest(folder)}" in done.output


@pytest.mark.parametrize("name", ["Dockerfile", "train"])
def test_a_digest_is_of_names_content_and_the_right_to_be_executed(folder: Path, name: str) -> None:
    (folder / "train").write_text("#!/bin/sh\n")
    before = building.digest(folder)

    (folder / name).chmod(0o755)
    executable = building.digest(folder)
    (folder / name).write_text("other")

    assert len({before, executable, building.digest(folder)}) == 3
    assert building.digest(folder) == building.digest(folder)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--name", "Iris Tree"], "'Iris Tree' is no name of a repository"),
        (["--tag", "a b"], "'a b' is no tag"),
    ],
)
def test_names_that_ecr_would_refuse_are_refused_before_anything_is_built(
    docker: Docker, clients: dict[str, Any], folder: Path, words: list[str], told: str
) -> None:
    done = ask("build", folder, *words)

    assert done.exit_code == 1
    assert told in done.stderr
    assert docker.calls() == []


def test_a_folder_without_a_dockerfile_is_told(tmp_path: Path) -> None:
    assert "there is no Dockerfile in" in ask("build", tmp_path).stderr


def test_where_there_is_no_docker_nothing_is_made_and_the_way_out_is_told(
    clients: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    done = ask("build", folder)

    assert done.exit_code == 1
    assert "there is no docker on this machine: install Docker" in done.stderr
    assert clients["ecr"].calls == []


def test_a_build_that_fails_pushes_nothing(docker: Docker, clients: dict[str, Any], folder: Path) -> None:
    docker.set(fails=["build"])

    done = ask("build", folder)

    assert done.exit_code == 1
    assert "docker build failed with exit code 1: what it printed says why" in done.stderr
    assert [words[0] for words in docker.calls()] == ["build"]


def test_the_local_cloud_needs_no_image(
    docker: Docker, clients: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    done = ask("build", folder)

    assert done.exit_code == 1
    assert "the local cloud runs a container's folder itself" in done.stderr
    assert docker.calls() == []


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file to train on."""
    (tmp_path / "data.csv").write_text("setosa,5.1\n")
    return tmp_path / "data.csv"


def trial(data: Path, *words: str) -> Result:
    return ask("test", "--image", "iris-tree:1", "--channel", f"training={data}", "--data", "5.1", *words)


def verdicts(result: Result) -> list[str]:
    return [line.split()[0] for line in result.output.splitlines()]


def test_an_image_is_tried_out_by_docker(docker: Docker, data: Path) -> None:
    done = trial(data, "--environment", "COLOUR=red")

    assert done.exit_code == 0, done.output
    assert verdicts(done) == ["ok", "ok", "warned", "ok", "ok", "ok"]
    assert "setosa" in done.output
    train, serve = _runs(docker)
    assert train[-2:] == ["iris-tree:1", "train"]
    assert train[train.index("--network") + 1] == "none"
    assert train[train.index("--env") + 1] == "COLOUR=red"
    assert serve[serve.index("--volume") + 1].endswith("/model:/opt/ml/model:ro")
    assert ["rm", "--force", "c0ffee"] in docker.calls()


def _runs(docker: Docker) -> tuple[list[str], list[str]]:
    """Return the first training's words and the server's."""
    runs = [words for words in docker.calls() if words[0] == "run"]
    return runs[0], runs[-1]


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ({"Architecture": "arm64"}, "it is built for linux/arm64, and most instances run linux/amd64"),
        ({"Config": {"Entrypoint": ["/bin/sh", "-c", "serve"]}}, "its ENTRYPOINT is a shell's text"),
    ],
)
def test_an_image_that_sagemaker_could_not_start_is_refused_before_it_runs(
    docker: Docker, data: Path, image: dict[str, Any], told: str
) -> None:
    docker.set(image=IMAGE | image)

    done = trial(data)

    assert done.exit_code == 1
    assert told in done.output
    assert [words[0] for words in docker.calls()] == ["image"]


def test_an_image_of_another_user_is_warned_about(docker: Docker, data: Path) -> None:
    docker.set(image=IMAGE | {"Config": {"User": "app"}})

    assert "it runs as app, and SageMaker gives /opt/ml to root: leave USER out" in trial(data).output


def test_an_image_that_is_not_there_is_told(docker: Docker, data: Path) -> None:
    docker.set(fails=["image"])

    done = trial(data)

    assert done.exit_code == 1
    assert "docker image failed: docker: it does not work" in done.stderr


def test_a_training_that_never_ends_is_removed(docker: Docker, data: Path) -> None:
    docker.set(train="exec sleep 60")

    done = trial(data, "--seconds", "1")

    assert done.exit_code == 1
    assert "it did not end within 1 s" in done.output
    assert docker.calls()[-1][:2] == ["rm", "--force"]
