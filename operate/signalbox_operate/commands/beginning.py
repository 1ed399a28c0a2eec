"""Begin a project: from a table, from a template, from a pipeline definition."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from signalbox_operate.commands.terminal import console, shown
from signalbox_operate.new import asking, folders, profile, writing
from signalbox_operate.new.model import Answers
from signalbox_operate.stack import OperateError

_NAME, _LONGEST = re.compile(r"[a-z0-9](-?[a-z0-9])*"), 30

Table = Annotated[
    Path | None, typer.Option("--from", exists=True, dir_okay=False, readable=True, help="Table that is learnt from")
]
Label = Annotated[str | None, typer.Option(help="Column that is predicted: its name, or its number from 1")]
ProblemName = Annotated[
    str | None, typer.Option(help="One of: regression, binary, multiclass; else found in the label")
]
Header = Annotated[bool | None, typer.Option("--header/--no-header", help="Does the first line name the columns?")]
Delimiter = Annotated[str | None, typer.Option(help="Sign between the columns, or tab, semicolon, bar, comma, blank")]
Dates = Annotated[str | None, typer.Option(help="One of: day-first, month-first; else found in the dates")]
Threshold = Annotated[float | None, typer.Option(help="MSE at most, or accuracy at least, of a model to register")]
Names = Annotated[list[str] | None, typer.Option(help="A column, as often as needed")]


def new(
    name: Annotated[str, typer.Argument(help="Name of the project, and of its folder: wine")],
    *,
    table: Table = None,
    label: Label = None,
    problem: ProblemName = None,
    header: Header = None,
    delimiter: Delimiter = None,
    dates: Dates = None,
    threshold: Threshold = None,
    drop: Names = None,
    keep: Names = None,
) -> None:
    """Begin a project: a folder that learns from a table, of which nothing else has to be written."""
    _check_name(name)
    folder = Path(name)
    folders.check_free(folder)
    if table is None:
        raise OperateError("a project begins with something: give the table that it is to learn from with --from")
    given = Answers(label, problem, header, delimiter, dates, threshold, tuple(drop or ()), tuple(keep or ()))
    found = asking.settled(lambda answers: profile.look(table, answers), given, _ask if _can_ask() else None)
    writing.write(name, table, found, folder)
    for sentence in found.sentences:
        console.print(f"- {shown(sentence)}")
    console.print(f"The project is in {folder}/. Try it: signalbox run {folder}. Its README.md says how it goes on.")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise OperateError(
            f"a project cannot be called {name!r}: a name has at most {_LONGEST} small letters, digits, and single "
            "hyphens between them"
        )


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _ask(question: str, choices: Sequence[str]) -> str:
    """Ask until one of the choices is typed, or its number."""
    console.print(shown(question))
    for number, choice in enumerate(choices, start=1):
        console.print(f"  {number}  {shown(choice)}")
    while True:
        typed = str(typer.prompt("Your answer", prompt_suffix=": ")).strip()
        if typed in choices:
            return typed
        if typed.isdecimal() and 1 <= int(typed) <= len(choices):
            return choices[int(typed) - 1]
