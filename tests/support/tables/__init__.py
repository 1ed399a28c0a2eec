"""Public tables, each as a file, with its label; and what a plain scikit-learn script makes of their rows."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PublicTable:
    """A table: its label's column as the command is given it, its problem, and whether its file has a header."""

    name: str
    label: str
    problem: str
    header: bool = True

    def write(self, folder: Path) -> Path:
        """Write the table's file into a folder."""
        path = folder / f"{self.name}.csv"
        if self.name in _MADE:
            _MADE[self.name]().to_csv(path, index=False, header=self.header)
        else:
            shutil.copyfile(_FOLDER / path.name, path)
        return path


def _named(load: Callable[..., Any]) -> Callable[[], pd.DataFrame]:
    def made() -> pd.DataFrame:
        found = load(as_frame=True)
        names = [str(name) for name in found.target_names]
        return found.frame.assign(target=[names[number] for number in found.target])

    return made


_MADE: dict[str, Callable[[], pd.DataFrame]] = {
    "diabetes": lambda: datasets.load_diabetes(as_frame=True, scaled=False).frame,
    "breast-cancer": _named(datasets.load_breast_cancer),
    "wine": _named(datasets.load_wine),
    "iris": _named(datasets.load_iris),
}

TABLES = (
    PublicTable("diabetes", "target", "regression"),
    PublicTable("breast-cancer", "target", "binary"),
    PublicTable("wine", "target", "multiclass"),
    PublicTable("iris", "5", "multiclass", header=False),
    PublicTable("cars", "Miles_per_Gallon", "regression"),
    PublicTable("seattle-weather", "weather", "multiclass"),
    PublicTable("anes96", "vote", "binary"),
)


def named(name: str) -> PublicTable:
    """Return the table of that name."""
    return next(table for table in TABLES if table.name == name)


def plain_metric(problem: str, train: Path, test: Path) -> float:
    """Return what a plain scikit-learn script reaches on the same split: the better of a linear model and a forest.

    The files have no header and the label first. Texts that are dates become their year and day of the year.
    """
    learnt, tested = (_read(path) for path in (train, test))
    features = [name for name in learnt if name != "label"]
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(learnt[name])]
    numbers = [name for name in features if name not in texts]
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=5), texts),
    )
    regression = problem == "regression"
    models = (
        [LinearRegression(), RandomForestRegressor(random_state=1)]
        if regression
        else [LogisticRegression(max_iter=5000), RandomForestClassifier(random_state=1)]
    )
    found = []
    for model in models:
        answers = make_pipeline(encoder, model).fit(learnt[features], learnt["label"]).predict(tested[features])
        found.append(
            float(((answers - tested["label"]) ** 2).mean() if regression else (answers == tested["label"]).mean())
        )
    return min(found) if regression else max(found)


def _read(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, header=None)
    rows.columns = ["label", *(f"feature {number}" for number in range(1, rows.shape[1]))]
    for name in rows.columns[1:]:
        first = str(rows[name].iloc[0])
        if first[:4].isdecimal() and first[4:5] in ("-", "/"):
            dates = pd.to_datetime(rows[name])
            rows[name] = dates.dt.year
            rows[f"day of {name}"] = dates.dt.day_of_year
    return rows


def examples(table: PublicTable, path: Path, count: int) -> list[tuple[str, str]]:
    """Return rows from all over a table's file: each one's label, and its other cells as a request has them."""
    delimiter = "\t" if "\t" in path.read_text(encoding="utf-8") else ","
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter=delimiter, quotechar="'" if delimiter == "\t" else '"'))
    header = rows.pop(0) if table.header else [str(number + 1) for number in range(len(rows[0]))]
    label = header.index(table.label)
    # What has no label, is not learnt from.
    known = [row for row in rows if row[label] not in ("", "NA")]
    chosen = known[:: max(1, len(known) // count)][:count]
    return [(row[label], ",".join([*row[:label], *row[label + 1 :]])) for row in chosen]
