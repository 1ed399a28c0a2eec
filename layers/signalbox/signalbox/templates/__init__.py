"""Mails and pages from Jinja2 templates: no scripts, nothing loaded from elsewhere."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from signalbox import words
from signalbox.templates import style

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """Return a template of this folder, filled. A value that the template needs and does not get raises."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> "Environment":
    # Imported at the first mail or page, so that a cold start that fails on its settings or its event is a quick one.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "css": style.attributes,
        "when": words.when,
        "package_label": words.package_label,
        "package_name": words.package_name,
    }
    environment.globals["stylesheet"] = style.sheet()
    return environment
