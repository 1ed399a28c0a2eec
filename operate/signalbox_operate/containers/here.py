"""Runs a container's folder on this machine without Docker, by the local cloud, which comes with a clone."""

from pathlib import Path

from signalbox_operate.containers.model import Runtime
from signalbox_operate.stack import OperateError


def runtime(folder: Path, work: Path) -> Runtime:
    """Return what runs the programs of a folder; `work` is for what it needs beside them.

    Raises:
        OperateError: the local cloud is not here.
    """
    try:
        from signalbox_local import containers  # noqa: PLC0415  # it is not there where the command line alone is
    except ModuleNotFoundError as error:
        raise OperateError(
            "a folder is run by the local cloud, which comes with a clone of Signalbox: run the clone's "
            "operate/signalbox, or build the image and give it with --image"
        ) from error
    return containers.FolderRuntime(folder, work)
