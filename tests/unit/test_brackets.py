"""Brackets in a text are shown as they are: no program of the project takes what it prints for rich's markup."""

import ast
import io

import pytest
from rich.console import Console
from tests.support.documents import ROOT

from signalbox_local.demo.terminal import Running, StepError, Terminal

HOSTILE = "a [red]b[/red] [/] [not a tag] \\[c]"


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def terminal(printed: io.StringIO) -> Terminal:
    made = Terminal()
    made.console.file = printed
    made.console.width = 200
    return made


def test_every_line_of_the_demo_shows_brackets(terminal: Terminal, printed: io.StringIO) -> None:
    terminal.heading(HOSTILE)
    terminal.note(HOSTILE, lead=HOSTILE)
    terminal.error(HOSTILE, HOSTILE)
    terminal.table(HOSTILE, [HOSTILE], [[HOSTILE]])
    terminal.panel(HOSTILE, (HOSTILE, "bold"))
    with terminal.step(HOSTILE) as step:
        step.report(HOSTILE)
    with pytest.raises(StepError), terminal.step(HOSTILE):
        raise StepError("no")
    assert printed.getvalue().count(HOSTILE) == 13


def test_the_spinner_shows_brackets_and_for_how_many_seconds_the_step_has_run() -> None:
    running = Running("title", begun=0.0)
    running.say(HOSTILE)
    assert running.__rich__().plain.startswith(f"{HOSTILE} (")
    assert running.__rich__().plain.endswith(" s)")


def test_no_console_of_the_project_reads_markup() -> None:
    files = [*(ROOT / "operate").rglob("*.py"), *(ROOT / "local").rglob("*.py")]
    made = [
        (file.name, {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords})
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == Console.__name__
    ]
    assert len(made) >= 3
    assert [name for name, given in made if given.get("markup") != "False"] == []
