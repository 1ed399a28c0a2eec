"""Begin a project: from a table, from a template, from a pipeline definition."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate.commands.terminal import console, shown
from signalbox_operate.new import adopting, asking, ci, folders, profile, sources, templates, writing
from signalbox_operate.new.model import Answers
from signalbox_operate.projects import reading
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
Template = Annotated[
    str | None,
    typer.Option(help="abalone, a folder, s3://BUCKET/PREFIX/ or a git URL; with @sha256:… only what has that digest"),
]
Definition = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, readable=True, help="A pipeline's definition, as JSON")
]
Names = Annotated[list[str] | None, typer.Option(help="A column, as often as needed")]
Services = Annotated[
    list[str] | None,
    typer.Option("--ci", help=f"CI that deploys each push, as often as needed: {ci.SERVICES}, or none; else codebuild"),
]


def new(
    name: Annotated[str, typer.Argument(help="Name of the project, and of its folder: wine")],
    *,
    table: Table = None,
    template: Template = None,
    definition: Definition = None,
    label: Label = None,
    problem: ProblemName = None,
    header: Header = None,
    delimiter: Delimiter = None,
    dates: Dates = None,
    threshold: Threshold = None,
    drop: Names = None,
    keep: Names = None,
    services: Services = None,
) -> None:
    """Begin a project: of a table that it learns from, of a template, or of a pipeline's definition."""
    folder, carried = _free(name), ci.chosen(services or ())
    given = Answers(label, problem, header, delimiter, dates, threshold, tuple(drop or ()), tuple(keep or ()))
    if sum(one is not None for one in (table, template, definition)) != 1:
        raise OperateError(
            "a project begins with one thing: a table that it is to learn from (--from), a template (--template), or a "
            "pipeline's definition (--definition)"
        )
    if table is None and given != Answers():
        raise OperateError("what is said of a table, such as --label, goes with --from alone: leave it out")
    if table is not None:
        _of_table(name, table, given, folder, carried)
    elif template is not None:
        _of_template(name, template, folder, carried)
    elif definition is not None:
        _say_left(folder, adopting.write(name, definition, folder, carried))


def add_ci(
    service: Annotated[str, typer.Argument(help=f"One of: {ci.SERVICES}")],
    folder: Annotated[Path, typer.Argument(help="The project's folder, with its signalbox.yaml")] = Path(),
) -> None:
    """Add the file of a CI to a project: it checks, tests and deploys each push, without keys."""
    reading.read(folder)
    console.print(f"The file is {ci.add(folder, service)}; docs/ci.md of Signalbox says what it needs to deploy.")


def _of_template(name: str, template: str, folder: Path, carried: Sequence[str]) -> None:
    with sources.fetched(template, lambda: account.client("s3")) as (found, pin):
        templates.write(name, found, pin, folder, carried)
    console.print(f"The project is in {folder}/, and nothing of it was run. Read it; then: signalbox check {folder}")
    console.print(f"Another of the same: --template {shown(pin)}")


def _say_left(folder: Path, left: Sequence[str]) -> None:
    console.print(f"The project is in {folder}/." + (" Before it can be deployed:" if left else ""))
    for problem in left:
        console.print(f"- {shown(problem)}")


def _of_table(name: str, table: Path, given: Answers, folder: Path, carried: Sequence[str]) -> None:
    found = asking.settled(lambda answers: profile.look(table, answers), given, _ask if _can_ask() else None)
    writing.write(name, table, found, folder, carried)
    for sentence in found.sentences:
        console.print(f"- {shown(sentence)}")
    console.print(f"The project is in {folder}/. Try it: signalbox run {folder}. Its README.md says how it goes on.")


def _free(name: str) -> Path:
    """Return the folder of a project of that name, which is not there yet."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise OperateError(
            f"a project cannot be called {name!r}: a name has at most {_LONGEST} small letters, digits, and single "
            "hyphens between them"
        )
    folders.check_free(Path(name))
    return Path(name)


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
