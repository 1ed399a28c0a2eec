"""Mails and pages from Jinja2 templates: no scripts, nothing loaded from elsewhere."""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from signalbox import plain, words
from signalbox.templates import style

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# A browser may end a line behind each hyphen of `--name`.
_OPTION = r"(?<!\S)--[\w-]+"


def render(template: str, **values: object) -> str:
    """Return a template of this folder, filled. A value that the template needs and does not get raises."""
    return _environment().get_template(template).render(**values)


class _Lines(str):
    """A text that has come through `_as_lines`."""

    __slots__ = ()


def _as_lines(text: str, indent: int = 0) -> _Lines:
    """Let a text of several lines keep them, each with so many spaces before it."""
    margin = " " * indent
    return _Lines("\n".join(f"{margin}{line}" if line else line for line in plain.lines(text).split("\n")))


def _as_command(text: str) -> "Markup":
    """Let a command keep its lines, and each option's name stay in one piece."""
    from markupsafe import Markup, escape  # noqa: PLC0415  # as below

    whole = style.attributes("whole")
    marked = re.sub(_OPTION, lambda found: f"<span{whole}>{found[0]}</span>", str(escape(_as_lines(text))))
    return Markup(marked)  # noqa: S704  # escaped


def _written(value: object) -> object:
    """Return what a template writes of a value: one line, unless it says that there may be several.

    So text of strangers can neither begin a line of its own in a mail nor turn what stands around it.
    """
    return plain.line(value) if type(value) is str else value  # markup of ours is a class of its own


@cache
def _environment() -> "Environment":
    # Imported at the first mail or page, so that a cold start that fails on its settings or its event is a quick one.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        finalize=_written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "as_command": _as_command,
        "as_lines": _as_lines,
        "css": style.attributes,
        "when": words.when,
        "package_label": words.package_label,
        "package_name": words.package_name,
    }
    environment.globals["stylesheet"] = style.sheet()
    return environment
