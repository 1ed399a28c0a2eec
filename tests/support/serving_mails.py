"""What a release's mail says that the stages serve, read from its text as a person reads it."""

import re

from signalbox.mail import Mail

# What a mail says of a stage: the version that it serves, or that it serves none of the registry's.
type Said = set[tuple[str, int | None]]

_ROW = re.compile(r"^  (\w+) serves: (.+)$", re.MULTILINE)
_SERVES = re.compile(r"\b(\w+) serves version (\d+)")
_BARE = re.compile(r"\b(\w+) (?:has no endpoint|serves no package of the registry)")
_BACK = re.compile(r"version (\d+) is back in (.+?)(?=, version| and version|$)")
_RELEASED = re.compile(r"version (\d+) is released to (.+)$")
_STAYS = re.compile(r"\b(\w+) stays as it is: version (\d+) serves there")


def rows(mail: Mail) -> dict[str, int | None]:
    """Return what the details say of each stage."""
    return {stage: _version(what) for stage, what in _ROW.findall(mail.text)}


def sentences(mail: Mail) -> Said:
    """Return everything that the subject and the sentences say about stages."""
    said: Said = {(stage, int(version)) for stage, version in _SERVES.findall(mail.text)}
    said |= {(stage, int(version)) for stage, version in _STAYS.findall(mail.text)}
    said |= {(stage, None) for stage in _BARE.findall(mail.text)}
    for found in (_BACK, _RELEASED):
        for version, stages in found.findall(mail.subject):
            said |= {(stage, int(version)) for stage in re.split(r", | and ", stages)}
    return said


def _version(what: str) -> int | None:
    found = re.match(r"\S+/(\d+), by endpoint ", what)
    return int(found[1]) if found else None
