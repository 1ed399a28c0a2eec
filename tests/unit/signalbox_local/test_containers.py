"""`signalbox test` runs the programs of a container's folder as SageMaker does, and names what it would refuse."""

import csv
import json
import shutil
import sys
import textwrap
from pathlib import Path

import pytest
from tests.support.documents import ROOT
from typer.testing import CliRunner, Result

from signalbox_operate import cli
from signalbox_operate.containers import contract

CONTAINERS = ROOT / "tests" / "system" / "containers"
IRIS = ("--data", "5.1,3.5,1.4,0.2", "--channel")
GOOD_TRAIN = """
    #!/usr/bin/env python3
    import pathlib, sys
    root = pathlib.Path("/opt/ml")
    if not list((root / "input/data/training").iterdir()):
        (root / "output/failure").write_text("no data")
        sys.exit(1)
    (root / "model/model").write_text("1")
"""
GOOD_SERVE = """
    #!/usr/bin/env python3
    from http.server import BaseHTTPRequestHandler, HTTPServer
    class Model(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
        def do_POST(self):
            self.do_GET()
            self.wfile.write(b"1")
    HTTPServer(("", 8080), Model).serve_forever()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A few irises, label first."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [("setosa", 5.1, 3.5, 1.4, 0.2), ("virginica", 6.3, 3.3, 6.0, 2.5), ("setosa", 4.9, 3.0, 1.4, 0.2)]
    with (folder / "iris.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def container(folder: Path, train: str = GOOD_TRAIN, serve: str = GOOD_SERVE) -> Path:
    """Write a container of two programs."""
    folder.mkdir()
    for name, text in {"train": train, "serve": serve}.items():
        (folder / name).write_text(textwrap.dedent(text).lstrip())
        (folder / name).chmod(0o755)
    return folder


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli.app, ["test", *map(str, words)])


def verdicts(result: Result) -> list[str]:
    return [line.split()[0] for line in result.output.splitlines()]


def told(result: Result, verdict: str) -> str:
    (line,) = [line for line in result.output.splitlines() if line.startswith(verdict)]
    return line.removeprefix(verdict).strip()


@pytest.mark.parametrize(
    ("folder", "channel"),
    [
        (ROOT / "projects" / "iris", "train"),
        (CONTAINERS / "decision-trees", "training"),
        (CONTAINERS / "plain", "training"),
    ],
)
def test_containers_of_the_usual_layouts_pass_as_they_are(folder: Path, channel: str, data: Path) -> None:
    done = ask(folder, *IRIS, f"{channel}={data}", "--hyperparameter", "max_leaf_nodes=3")

    assert done.exit_code == 0, done.output
    assert verdicts(done) == ["ok"] * 8
    assert "setosa" in done.output


def test_a_container_of_texts_passes(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text('spam,"win money now, free"\nham,"see you at lunch"\n')
    (tmp_path / "stopwords.txt").write_text("at\n")
    channels = [f"training={tmp_path / 'texts.csv'}", f"stopwords={tmp_path / 'stopwords.txt'}"]

    done = ask(
        CONTAINERS / "texts", *(word for one in channels for word in ("--channel", one)), "--data", '"free money, now"'
    )

    assert done.exit_code == 0, done.output
    assert "spam" in done.output


def test_a_container_of_a_project_is_tried_out_with_what_the_project_says(tmp_path: Path, data: Path) -> None:
    made = {"folder": "container", "problem": "multiclass", "train": "data", "test": "data/iris.csv"}
    settings = made | {"hyperparameters": {"max_leaf_nodes": 3}, "environment": {"MODEL_SERVER_WORKERS": "1"}}
    settings["channels"] = {"more": "data/iris.csv"}
    shutil.copytree(CONTAINERS / "decision-trees", tmp_path / "container")
    (tmp_path / "signalbox.yaml").write_text(json.dumps({"project": "irises", "containers": {"trees": settings}}))

    whole, folder = ask(tmp_path), ask(tmp_path / "container", "--hyperparameter", "max_leaf_nodes=none")

    assert whole.exit_code == 0, whole.output
    assert "channels (training, more) and hyperparameters" in whole.output
    assert verdicts(whole) == ["ok"] * 8
    assert folder.exit_code == 1
    assert "invalid literal for int() with base 10: 'none'" in folder.output


def test_of_several_containers_of_a_project_one_has_to_be_named(tmp_path: Path) -> None:
    both = {name: {"folder": name, "problem": "multiclass"} for name in ("one", "two")}
    for name in both:
        shutil.copytree(CONTAINERS / "plain", tmp_path / name)
    (tmp_path / "signalbox.yaml").write_text(json.dumps({"project": "both", "containers": both}))

    done = ask(tmp_path, "--channel", f"training={tmp_path}")

    assert done.exit_code == 1
    assert "has several containers or none: name the folder of one of" in " ".join(done.stderr.split())


def test_a_training_that_fails_is_told_as_sagemaker_would_show_it(data: Path) -> None:
    done = ask(ROOT / "projects" / "iris", *IRIS, f"train={data}", "--hyperparameter", "max_depth=deep")

    assert done.exit_code == 1
    shown = "train: SageMaker shows: AlgorithmError: hyperparameter max_depth is 'deep': 'deep' is not a whole number"
    assert told(done, "refused").startswith(shown)


def test_a_server_on_another_port_is_told_where_it_listens(tmp_path: Path, data: Path) -> None:
    made = container(tmp_path / "made", serve=GOOD_SERVE.replace("8080", "5000"))

    done = ask(made, *IRIS, f"training={data}")

    assert done.exit_code == 1
    assert told(done, "refused") == "serve: it has to listen on port 8080, and it listens on 0.0.0.0:5000"


def test_a_server_that_does_not_end_at_sigterm_is_told(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "STOP_SECONDS", 1.0)
    deaf = GOOD_SERVE.replace(
        "python3\n", "python3\n    import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    )
    made = container(tmp_path / "made", serve=deaf)

    done = ask(made, *IRIS, f"training={data}")

    assert done.exit_code == 1
    assert told(done, "refused").startswith("serve at SIGTERM: it still runs 1 s after SIGTERM and is killed")


def test_what_a_program_printed_is_told_where_it_dies(tmp_path: Path, data: Path) -> None:
    made = container(tmp_path / "made", serve="#!/usr/bin/env python3\nimport nowhere\n")

    done = ask(made, *IRIS, f"training={data}")

    assert done.exit_code == 1
    assert "serve: it ended before it answered /ping; it printed:" in told(done, "refused")
    assert "No module named 'nowhere'" in told(done, "refused")


def test_a_training_that_never_ends_is_ended(tmp_path: Path, data: Path) -> None:
    made = container(tmp_path / "made", train="#!/bin/sh\nsleep 600\n")

    done = ask(made, *IRIS, f"training={data}", "--seconds", "1")

    assert done.exit_code == 1
    assert told(done, "refused").startswith("train: it did not end within 1 s")


@pytest.mark.parametrize(
    ("train", "problem"),
    [
        ("#!/bin/sh\necho 1 > /opt/ml/model/m\n", "it ends with 0, so SageMaker takes it as trained"),
        ("#!/bin/sh\nset -e\ncat /opt/ml/input/data/training/* > /opt/ml/model/m\n", "says nothing of why"),
    ],
)
def test_a_training_that_hides_its_failure_is_warned_about(
    tmp_path: Path, data: Path, train: str, problem: str
) -> None:
    done = ask(container(tmp_path / "made", train=train), *IRIS, f"training={data}")

    assert done.exit_code == 0, done.output
    assert problem in told(done, "warned")


def test_files_that_could_never_run_are_refused_before_anything_runs(tmp_path: Path, data: Path) -> None:
    made = container(tmp_path / "made")
    (made / "train").chmod(0o644)
    (made / "serve").write_bytes((made / "serve").read_bytes().replace(b"\n", b"\r\n"))

    done = ask(made, *IRIS, f"training={data}")

    assert done.exit_code == 1
    assert verdicts(done) == ["refused", "refused", "ok"]
    assert f"program train: it is not executable: run chmod +x {made / 'train'}" in done.output
    assert "program serve: its first line ends with a carriage return" in done.output


def test_a_folder_of_several_containers_wants_one_named(tmp_path: Path, data: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(CONTAINERS / "plain", tmp_path / "both" / name)

    done = ask(tmp_path / "both", *IRIS, f"training={data}")

    assert done.exit_code == 1
    assert "has several containers" in done.stderr


def test_without_the_local_cloud_the_way_out_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "signalbox_local", None)

    done = ask(CONTAINERS / "plain", *IRIS, f"training={data}")

    assert done.exit_code == 1
    assert "or build the image and give it with --image" in " ".join(done.stderr.split())
