"""Make a project of a template: its files, with the project's name in its `signalbox.yaml`."""

import re
from collections.abc import Sequence
from pathlib import Path

from signalbox_operate.new import ci, folders
from signalbox_operate.projects import reading, yaml_file
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.projects.schema import FILE, SCHEMA
from signalbox_operate.stack import OperateError

# The fields whose values are names and places of the project: what else has its name, such as a folder, keeps it.
_NAMED = re.compile(r"^(?P<field>\s*(project|models|model|prefix)\s*:|.*\b(models|model|prefix):)")


def write(project: str, template: Path, pin: str, folder: Path, services: Sequence[str] = ()) -> None:
    """Write a project that is made of a template, or nothing. No program of it is run: nobody has read it yet.

    Raises:
        OperateError: the template is none, or the folder is there.
    """
    if not (template / FILE).is_file():
        raise OperateError(f"the template has no {FILE}: it has to be a project's folder, as `signalbox new` makes one")
    with folders.made(folder) as inside:
        folders.copy(template, inside)
        ci.write(inside, services)
        file = inside / FILE
        text = renamed(file.read_text(encoding="utf-8"), _name(file), project)
        file.write_text(f"# Made from {pin}\n{text}", encoding="utf-8")
        try:
            reading.read(inside)
        except ProjectError as error:
            raise OperateError(f"the template is wrong: {error}") from error


def _name(file: Path) -> str:
    given, _ = yaml_file.load(file, SCHEMA)
    return str(given["project"])


def renamed(text: str, before: str, after: str) -> str:
    """Return a `signalbox.yaml` with another name of its project: of the model of that name, and of its uploads."""
    whole = re.compile(rf"(?<![\w./-]){re.escape(before)}(?![\w-])|(?<=incoming/){re.escape(before)}(?=/)")
    lines = text.splitlines(keepends=True)
    return "".join(whole.sub(after, line) if _NAMED.match(line) else line for line in lines)
