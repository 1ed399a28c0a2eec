"""The command line as a wheel, for environments of its own that are not this repository's."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.documents import ROOT

_UNSEEN = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")


def wheel(folder: Path) -> Path:
    """Build the wheel in a folder, as `pip install ./operate` does; of a copy, since that leaves files beside it."""
    for part in ("operate", "features", "layers/signalbox/signalbox", "notebooks/worker"):
        shutil.copytree(ROOT / part, folder / part, ignore=_UNSEEN)
    words = ["wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", *words, str(folder / "operate")], check=True, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built
