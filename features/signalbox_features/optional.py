"""Libraries that only some definitions and files need, and that not every place has."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from signalbox_features.model import FeaturesError


def load(name: str, needed_for: str) -> Any:
    """Return a module.

    Raises:
        FeaturesError: it is not installed here.
    """
    try:
        return import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise FeaturesError(f"{needed_for} needs the Python package {library}, which is not installed here") from error
