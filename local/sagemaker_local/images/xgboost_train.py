"""Algorithm mode of the XGBoost image: train on the channels `train` and `validation` by hyperparameters alone.

Contract and hyperparameters: developer guide, "XGBoost algorithm with Amazon SageMaker AI"; the model file's
name and the printed metrics: github.com/aws/sagemaker-xgboost-container.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, override

from sagemaker_local.images.formats import LIBSVM, FormatError, read_csv, read_libsvm
from sagemaker_local.images.slim import xgboost

MODEL_FILE = "xgboost-model"
_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
_OWN = {"num_round", "early_stopping_rounds", "eval_metric"}
_PASSED_ON = set(
    "num_class alpha base_score booster colsample_bylevel colsample_bynode colsample_bytree eta gamma "  # noqa: SIM905 (less than a page of quotes)
    "grow_policy interaction_constraints lambda max_bin max_delta_step max_depth max_leaves min_child_weight "
    "monotone_constraints normalize_type nthread objective one_drop process_type rate_drop refresh_leaf sample_type "
    "sampling_method scale_pos_weight seed skip_drop subsample tree_method tweedie_variance_power updater verbosity "
    "huber_slope".split()
)
# What the toolkit adds to every job; none of it is XGBoost's.
_IGNORED = {"_tuning_objective_metric", "sagemaker_region", "sagemaker_container_log_level", "sagemaker_job_name"}


class TrainingInputError(Exception):
    """The job's hyperparameters or data cannot be trained on."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Customer Error: {problem}")


def read_hyperparameters(given: dict[str, str]) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what is XGBoost's own and what steers the training loop.

    Raises:
        TrainingInputError: num_round is missing or no positive number, or a name is unknown.
    """
    named = {_ALIASES.get(name, name): _plain(value) for name, value in given.items() if name not in _IGNORED}
    unknown = sorted(set(named) - _OWN - _PASSED_ON)
    if unknown:
        raise TrainingInputError(f"Extraneous hyperparameter found: {unknown[0]}")
    if "num_round" not in named:
        raise TrainingInputError("Missing required hyperparameter: num_round")
    counts = ("num_round", "early_stopping_rounds")
    loop: dict[str, int] = {name: _count(name, named[name]) for name in counts if name in named}
    parameters: dict[str, Any] = {name: value for name, value in named.items() if name in _PASSED_ON}
    if "eval_metric" in named:
        parameters["eval_metric"] = [metric.strip(" []'\"") for metric in named["eval_metric"].split(",")]
    return parameters, loop


def _plain(value: str) -> str:
    """Return a hyperparameter without the JSON quotes that the SDK puts around it."""
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value


def _count(name: str, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise TrainingInputError(f"Hyperparameter {name}: {text!r} is not a whole number of at least 1")
    return int(text)


def read_channel(folder: Path, content_type: str) -> xgboost.DMatrix:
    """Return all files of a channel as one table, the label in the first column of a CSV.

    Raises:
        TrainingInputError: the content type is unknown, a file cannot be read, or there are no rows.
    """
    plain = content_type.partition(";")[0].strip().lower()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))
    text = "\n".join(path.read_text() for path in files)
    try:
        if plain == "text/csv":
            table = read_csv(text, f"channel {folder.name}")
            features, labels = table[:, 1:], table[:, 0] if table.size else table.reshape(-1)
        elif plain in LIBSVM:
            features, labels = read_libsvm(text, f"channel {folder.name}")
        else:
            raise TrainingInputError(f"{content_type} is not an accepted ContentType: csv, libsvm")
    except FormatError as error:
        raise TrainingInputError(f"Failed to load {plain} data with exception: {error}") from error
    if not len(labels) or not features.shape[1]:
        raise TrainingInputError(f"channel {folder.name} has no rows with a label and features")
    return xgboost.DMatrix(features, label=labels)


class _Printer(xgboost.callback.TrainingCallback):
    """Print each round's metrics as the image does: the log shows a tabulator as #011."""

    @override
    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        scores = [
            f"#011{data}-{metric}:{values[-1]:.5f}"
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        ]
        sys.stdout.write(f"[{epoch}]{''.join(scores)}\n")
        return False


def train(base: Path) -> None:
    """Train by the files under `base` and write model/xgboost-model.

    Raises:
        TrainingInputError: the job asks for something that cannot be trained.
    """
    config = base / "input" / "config"
    parameters, loop = read_hyperparameters(json.loads((config / "hyperparameters.json").read_text()))
    channels = json.loads((config / "inputdataconfig.json").read_text())
    if "train" not in channels:
        raise TrainingInputError("Missing required channel: train")
    tables = [
        (read_channel(base / "input" / "data" / name, channels[name].get("ContentType", LIBSVM[0])), name)
        for name in ("train", "validation")
        if name in channels
    ]
    try:
        booster = xgboost.train(
            parameters,
            tables[0][0],
            num_boost_round=loop["num_round"],
            evals=tables,
            early_stopping_rounds=loop.get("early_stopping_rounds"),
            callbacks=[_Printer()],
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise TrainingInputError(str(error).strip().splitlines()[0]) from error
    (base / "model" / MODEL_FILE).write_bytes(booster.save_raw("ubj"))


def main() -> int:
    """Train under SAGEMAKER_BASE_DIR; on failure leave its text in output/failure and return 1."""
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    started = time.monotonic()
    try:
        train(base)
    except TrainingInputError as error:
        sys.stderr.write(f"{error}\n")
        (base / "output" / "failure").write_text(str(error))
        return 1
    sys.stderr.write(f"trained in {time.monotonic() - started:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
