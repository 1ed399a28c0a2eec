"""XGBoost, imported without scikit-learn.

XGBoost imports scikit-learn, and scipy's statistics with it, wherever they are installed, to offer estimators that
nothing here uses. Without them a program that trains, tests or serves starts in a third of the time.
"""

import importlib
import sys
from types import ModuleType


def _without(name: str, unwanted: str) -> ModuleType:
    """Import `name` as though `unwanted` were not installed, unless the process has it already."""
    if unwanted in sys.modules:
        return importlib.import_module(name)
    sys.modules[unwanted] = None  # type: ignore[assignment]  # Python's own mark for a module that cannot be imported
    try:
        return importlib.import_module(name)
    finally:
        del sys.modules[unwanted]


xgboost = _without("xgboost", "sklearn")
