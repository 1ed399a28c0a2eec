"""The README's promises, kept word by word: the demo, and every command in its order."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from signalbox_local.project import STATE
from tests.support.documents import blocks, commands, read
from tests.support.processes import left_behind, running
from tests.support.reader import Reader, clean_environment, clone


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone in a folder with a space in its name."""
    return clone(tmp_path_factory.mktemp("a folder"))


@pytest.fixture
def mark(tmp_path: Path, root: Path) -> Iterator[str]:
    """Mark the processes of a test, and see in the end that none is left."""
    mark, state = tmp_path.name, root / STATE.name
    before = running(mark, state)
    yield mark
    assert not left_behind(before, mark, state)


def test_the_demo_reaches_right_predictions_of_prod_and_leaves_nothing_running(mark: str, root: Path) -> None:
    done = subprocess.run(
        ["make", "demo"],
        cwd=root,
        env=clean_environment(mark),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    close, rows = map(int, re.findall(r"(\d+) of (\d+) within 3 rings", done.stdout)[0])
    right, flowers = map(int, re.findall(r"(\d+) of (\d+) right", done.stdout)[0])
    assert close > rows / 2
    assert right > flowers / 2
    assert "Approve abalone version 2?" in done.stdout
    assert [title for title in told_titles() if title not in done.stdout] == []
    assert "make up keeps such a cloud running" in " ".join(done.stdout.replace("│", " ").split())
    assert "sam build && sam deploy --guided" in " ".join(done.stdout.replace("│", " ").split())


def test_every_command_of_the_readme_works_in_its_order(mark: str, root: Path, tmp_path: Path) -> None:
    reader = Reader(root, tmp_path, mark)
    try:
        for command in commands(read("README.md")):
            reader.follow(command)
    finally:
        said = reader.press_ctrl_c()

    assert "created" in reader.answer("signalbox deploy")
    assert "signalbox-abalone-prod" in reader.answer("signalbox status")
    rings = float(reader.answer("signalbox invoke prod --data"))
    assert 1 <= rings <= 29
    assert reader.answer("signalbox invoke prod --model iris").strip() == "setosa"
    assert "everything is taken down" in said


def told_titles() -> list[str]:
    """Return the steps in the README's excerpt of the demo, without what came of them and without the data's name."""
    excerpt = blocks(read("README.md"), "text")[0]
    steps = re.findall(r"^✓ (.+?)(?: · .*| \(\d.*)?$", excerpt, re.MULTILINE)
    return [step.partition(" abalone.")[0] for step in steps]
