"""Train the abalone model (XGBoost, script mode) and save it so that it serves by itself.

The model folder gets the booster, the encoding it was trained with, and the code that answers with both.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xgboost
else:
    from boosting import xgboost  # lies beside this file where the job runs

logger = logging.getLogger(__name__)

SERVING_CODE = ("inference.py", "encoding.py", "boosting.py")


class TrainingError(Exception):
    """The model cannot be trained; the message says which channel and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def read_channel(name: str) -> xgboost.DMatrix:
    """Return the rows of a channel, whose files are CSV without header, label first.

    Raises:
        TrainingError: the channel was not given, or has no rows.
    """
    folder = _folder(name)
    files = sorted(folder.rglob("*.csv"))
    tables = [np.loadtxt(path, delimiter=",", ndmin=2) for path in files if path.stat().st_size]
    if not tables:
        raise TrainingError(f"channel {name} has no rows: give it CSV files, label first")
    rows = np.concatenate(tables)
    return xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])


def _folder(channel: str) -> Path:
    variable = f"SM_CHANNEL_{channel.upper()}"
    if variable not in os.environ:
        raise TrainingError(f"channel {channel} is missing: the job's InputDataConfig has to name it")
    return Path(os.environ[variable])


def train(given: argparse.Namespace) -> xgboost.Booster:
    """Return the booster of the round that is best on the validation rows, and print its error there."""
    rows, held_out = read_channel("train"), read_channel("validation")
    settings = {
        "objective": "reg:squarederror",
        "eval_metric": "rmse",
        "max_depth": given.max_depth,
        "eta": given.eta,
        "min_child_weight": given.min_child_weight,
        "subsample": given.subsample,
        "seed": given.seed,
    }
    booster = xgboost.train(
        settings,
        rows,
        num_boost_round=given.num_round,
        evals=[(rows, "train"), (held_out, "validation")],
        early_stopping_rounds=given.early_stopping_rounds,
        verbose_eval=25,
    )
    logger.info("best round %d: validation rmse %.4f", booster.best_iteration, booster.best_score)
    return booster[: booster.best_iteration + 1]


def save(booster: xgboost.Booster, folder: Path) -> None:
    """Write booster, encoding and serving code; JSON is what every version of XGBoost reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "xgboost-model").write_bytes(bytes(booster.save_raw("json")))
    shutil.copyfile(_folder("transform") / "transform.json", folder / "transform.json")
    (folder / "code").mkdir(exist_ok=True)
    for name in SERVING_CODE:
        shutil.copyfile(Path(__file__).resolve().parent / name, folder / "code" / name)


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Return the hyperparameters; what this version does not know is refused by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_round", type=int, default=300, help="most rounds")
    parser.add_argument("--early_stopping_rounds", type=int, default=20, help="stop after so many without a gain")
    parser.add_argument("--max_depth", type=int, default=4)
    parser.add_argument("--eta", type=float, default=0.08)
    parser.add_argument("--min_child_weight", type=float, default=4)
    parser.add_argument("--subsample", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the job; 0 is success, else the reason is in the failure file and on the error output."""
    given = read_arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        save(train(given), Path(os.environ["SM_MODEL_DIR"]))
    except (TrainingError, xgboost.core.XGBoostError, ValueError, OSError) as error:
        failure = Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output")) / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(str(error), encoding="utf-8")
        logger.error("%s", error)  # noqa: TRY400  # the reason is the message; a traceback would hide it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
