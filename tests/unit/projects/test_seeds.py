"""A seed is a folder that people copy: it is complete, and goes on where it is copied to."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.documents import ROOT

SEEDS = sorted(folder for folder in (ROOT / "projects").iterdir() if folder.is_dir())
OURS = {
    folder.name
    for place in (".", "layers/signalbox", "local", "operate", "features", "notebooks/worker")
    for folder in (ROOT / place).iterdir()
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.name)
def test_a_seed_imports_nothing_of_the_repository_but_the_builder_of_pipelines(seed: Path) -> None:
    found = {name for path in seed.rglob("*.py") for name in imports(path) if name.partition(".")[0] in OURS}
    assert found <= {"signalbox_operate.pipelines"}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.name)
def test_a_seed_says_what_it_is_what_its_data_are_and_how_it_is_changed(seed: Path) -> None:
    text = (seed / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {seed.name}\n")
    assert "\n## Data\n" in text
    assert "\n## Change it\n" in text
