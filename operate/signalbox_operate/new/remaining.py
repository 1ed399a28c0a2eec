"""What is left for a person to do in a project that was made of something of theirs."""

from pathlib import Path

from signalbox_operate.projects import checking, reading, target
from signalbox_operate.projects.model import ProjectError

_REGION = "us-east-1"  # for images: every image of AWS is there


def of(folder: Path) -> list[str]:
    """Return what `check` says of a project, each thing once; none where it can be deployed.

    Raises:
        OperateError: its folder has no project.
    """
    try:
        checking.check(reading.read(folder), target.example(_REGION))
    except ProjectError as error:
        return list(dict.fromkeys(error.problems))
    return []
