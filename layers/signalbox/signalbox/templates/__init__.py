"""Mails and pages from Jinja2 templates: no scripts, no images, nothing loaded from elsewhere."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signalbox import names
from signalbox.templates import style

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """Return a template of this folder, filled. A value that the template needs and does not get raises."""
    return _environment().get_template(template).render(**values)


def when(moment: str) -> str:
    """Return a timestamp for people: `Sunday 1 March 2026, 10:20 UTC`; a text that is none stays as it is."""
    try:
        read = datetime.fromisoformat(moment).astimezone(UTC)
    except ValueError:
        return moment
    return f"{read:%A} {read.day} {read:%B %Y, %H:%M} UTC"


def package_label(package: str) -> str:
    """Return a package ARN for people: `version 3`, or the end of an ARN that is not ours."""
    try:
        return f"version {names.version_of_package(package)}"
    except ValueError:
        return package.rsplit(":", 1)[-1]


def package_name(package: str) -> str:
    """Return the group and version in a package's ARN: `signalbox-abalone/3`."""
    return package.rpartition("model-package/")[2] or package


def _ending(loop: Any) -> tuple[str, ...]:
    """Return the class of a table's last row, which has no line under it."""
    return ("end",) if loop.last else ()


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
    environment.filters |= {"when": when, "package_label": package_label, "package_name": package_name}
    environment.globals |= {"css": style.attributes, "stylesheet": style.sheet, "ending": _ending}
    return environment
