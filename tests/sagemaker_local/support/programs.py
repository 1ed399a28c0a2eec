"""The programs that the tests of the local cloud start: where they find its package and the tests' own."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "local" / "sagemaker_local"


def environment() -> dict[str, str]:
    """Return this process's environment with the folders of the cloud's package and of the tests, and no others."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(PACKAGE.parent)])}
