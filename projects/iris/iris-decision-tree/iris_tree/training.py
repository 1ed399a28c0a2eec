"""Train the tree: `train` of the container."""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import joblib  # type: ignore[import-untyped]  # ships no types
from sklearn.tree import DecisionTreeClassifier

from iris_tree.contract import MODEL_FILE, ContainerError, Folders, read_channel

logger = logging.getLogger(__name__)


def _whole_number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[+-]?[0-9]+", text.strip()):
            raise ValueError(f"{text!r} is not a whole number")
        number = int(text)
        if number < least:
            raise ValueError(f"{number} is under {least}")
        return number

    return read


# Name → how its text is read; the limits are those of DecisionTreeClassifier.
_HYPERPARAMETERS: dict[str, Callable[[str], int]] = {
    "max_leaf_nodes": _whole_number(2),
    "max_depth": _whole_number(1),
    "min_samples_leaf": _whole_number(1),
    "random_state": _whole_number(0),
}


def read_hyperparameters(given: dict[str, str]) -> dict[str, int]:
    """Return the tree's settings.

    Raises:
        ContainerError: a hyperparameter is unknown or not a number that the tree takes.
    """
    settings = {"random_state": 0}
    for name, text in given.items():
        if name not in _HYPERPARAMETERS:
            known = ", ".join(_HYPERPARAMETERS)
            raise ContainerError(f"hyperparameter {name!r} is unknown; known are {known}")
        try:
            settings[name] = _HYPERPARAMETERS[name](text)
        except ValueError as error:
            raise ContainerError(f"hyperparameter {name} is {text!r}: {error}") from error
    return settings


def train(folders: Folders) -> Any:
    """Fit the tree on channel `train`, save it and return it.

    Raises:
        ContainerError: data or hyperparameters cannot be used.
    """
    settings = read_hyperparameters(folders.hyperparameters())
    labels, rows = read_channel(folders.channel("train"))
    if len(set(labels)) == 1:
        raise ContainerError(f"all {len(labels)} rows are {labels[0]}: a classifier needs two kinds or more")
    tree = DecisionTreeClassifier(**settings).fit(rows, labels)
    folders.model.mkdir(parents=True, exist_ok=True)
    joblib.dump(tree, folders.model / MODEL_FILE)
    logger.info("%d rows, %d leaves, train:accuracy=%.4f", len(rows), tree.get_n_leaves(), tree.score(rows, labels))
    return tree


def main() -> int:
    """Run the training; 0 is success, else the reason is in the failure file and on the error output."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    folders = Folders.of_environment()
    try:
        train(folders)
    except Exception as error:
        folders.fail(str(error) if isinstance(error, ContainerError) else f"{type(error).__name__}: {error}")
        logger.exception("training failed")
        return 1
    return 0
