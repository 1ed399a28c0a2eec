"""Why a job's program failed, where the end of its log tells more than its exit code."""

from pathlib import Path

from sagemaker_local.runtime import strays
from sagemaker_local.runtime.lines import end
from sagemaker_local.runtime.workspace import Workspace

_TOO_LARGE = "File too large"  # what every program says of EFBIG


def found(workspace: Workspace, log: Path, volume: int) -> str:
    """Return a failure's cause as a sentence; `volume` is VolumeSizeInGB."""
    if volume and workspace.boxed and _TOO_LARGE in end(log):
        return f"a file was to be larger than the volume (VolumeSizeInGB {volume}): {_TOO_LARGE}"
    return strays.in_log(workspace, log) or "See job logs for more information"
