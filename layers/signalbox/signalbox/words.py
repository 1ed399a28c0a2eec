"""Numbers, times and names as people read them, the same in every report, mail and page."""

import math
import re
from datetime import date
from typing import NamedTuple

from signalbox import moments, names

_ACRONYM = 4
_MINUTE, _HOUR = 60, 3600
_CENT = 0.01
_LABELS = {"r2": "R²"}
_COMMIT = "[0-9a-fA-F]{7,64}"  # of git, whole or shortened
_COMMIT_SHOWN = 7


class Shortened(NamedTuple):
    """What is shown short where it can be looked at in full: in HTML, whose mark has the rest; a text has it all."""

    text: str
    full: str


def label(metric: str) -> str:
    """Return a metric's name: `MSE`, `R²`, `Accuracy`, `Balanced accuracy`."""
    words = metric.replace("_", " ")
    short = words.upper() if len(words) <= _ACRONYM and words.isalnum() else words[:1].upper() + words[1:]
    return _LABELS.get(metric.lower(), short)


def number(value: float, *, signed: bool = False) -> str:
    """Return a number: four significant digits, a true minus sign, a sign in front if asked for."""
    if not math.isfinite(value):
        return "not a number"
    text = f"{value:+.4g}" if signed else f"{value:.4g}"
    if "e" in text and 1 <= abs(value) < 1e15:  # noqa: PLR2004  # up to there every whole number is exact
        text = f"{value:+,.0f}" if signed else f"{value:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}") if value else "0"


def duration(seconds: float) -> str:
    """Return a time span: `45 s`, `2 min 14 s`, `1 h 5 min`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def money(dollars: float) -> str:
    """Return an amount of US dollars that was reckoned: `about $83.95`, `less than $0.01`."""
    return f"about ${dollars:,.2f}" if dollars >= _CENT else "less than $0.01"


def when(text: str) -> str:
    """Return a moment's text as `Sunday 1 March 2026, 10:20 UTC`; a text that is no moment stays as it is."""
    try:
        moment = moments.moment_of(text)
    except ValueError:
        return text
    return f"{moment:%A} {moment.day} {moment:%B %Y, %H:%M} UTC"


def day(text: str) -> str:
    """Return `2026-08-11` as `11 August 2026`, `2023-12` as `December 2023`; another text stays as it is."""
    year, _, rest = text.partition("-")
    month, _, number = rest.partition("-")
    try:
        known = date(int(year), int(month), int(number or 1))
    except ValueError:
        return text
    return f"{known.day} {known:%B %Y}" if number else f"{known:%B %Y}"


def package_label(package: str) -> str:
    """Return a package ARN as `version 3`, or the end of an ARN that is not ours."""
    try:
        return f"version {names.version_of_package(package)}"
    except ValueError:
        return package.rsplit(":", 1)[-1]


def package_name(package: str) -> str:
    """Return the group and version in a package's ARN: `signalbox-abalone/3`."""
    return package.rpartition("model-package/")[2] or package


def model_name(text: str) -> str:
    """Return what a mail calls a model that is known by a name, by its package's ARN or by its image only.

    `signalbox-abalone/3` for the ARN of a package, `iris` for an image `…/iris:1.2`; every other text stays as it is.
    """
    if text.startswith("arn:"):
        return package_name(text)
    if ".dkr.ecr." in text:
        return re.split("[:@]", text.rpartition("/")[2])[0]
    return text if text and text != "unknown" else "A model"


def is_commit(text: str) -> bool:
    """Say whether a text looks like the id of a commit of git: hexadecimal digits, and nothing that a shell reads."""
    return re.fullmatch(_COMMIT, text) is not None


def short_commit(text: str) -> str:
    """Return the first seven digits of a commit's id; a text that is none stays as it is."""
    return text[:_COMMIT_SHOWN] if is_commit(text) else text


def commit(text: str) -> Shortened | str:
    """Return a commit as a fact: its id is shown short; a text that is no such id stays as it is."""
    return Shortened(short_commit(text), text) if is_commit(text) else text


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence: `staging, canary and prod`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
