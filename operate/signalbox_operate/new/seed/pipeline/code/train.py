"""Train a few kinds of models, and keep the one that does best on rows that it has not seen."""

import os
import shutil
from pathlib import Path

import joblib
import pandas as pd
import rows
import table
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SERVING_CODE = ["inference.py", "rows.py", "table.py"]
SMALL = 5000  # rows up to which a forest is quick


def read(folder):
    """Return features and labels of the training rows."""
    files = sorted(Path(folder).rglob("*.csv"))
    names = [table.LABEL, *rows.FEATURES]
    found = pd.concat(
        [pd.read_csv(path, header=None, names=names, dtype=str, keep_default_na=False) for path in files],
        ignore_index=True,
    )
    labels = found[table.LABEL]
    return rows.features(found), labels.astype(float if table.PROBLEM == "regression" else object)


def candidates(count):
    """Return the kinds of models to try, by name."""
    if table.PROBLEM == "regression":
        trees = RandomForestRegressor(200, min_samples_leaf=2, n_jobs=-1, random_state=0)
        boosted = HistGradientBoostingRegressor(random_state=0)
        linear = Ridge()
    else:
        trees = RandomForestClassifier(200, n_jobs=-1, random_state=0)
        boosted = HistGradientBoostingClassifier(random_state=0)
        linear = LogisticRegression(max_iter=2000)
    return {"linear": linear, "trees": trees if count <= SMALL else boosted}


def encoded(features):
    """Return what turns features into numbers: gaps get the median, each category a column, rare ones one together."""
    texts = [name for name in features if name in table.CATEGORIES]
    numbers = [name for name in features if name not in table.CATEGORIES]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False), texts),
    )


def score(model, features, labels):
    """Return how good a model is on rows that it has not seen, in up to five folds: higher is better."""
    if table.PROBLEM == "regression":
        folds = KFold(5, shuffle=True, random_state=0)
        return cross_val_score(model, features, labels, cv=folds, scoring="neg_mean_squared_error").mean()
    fewest = int(labels.value_counts().min())
    folds = StratifiedKFold(max(2, min(5, fewest)), shuffle=True, random_state=0)
    return cross_val_score(model, features, labels, cv=folds, scoring="accuracy").mean()


def train(features, labels):
    """Return the best kind of model, fitted to all training rows."""
    models = {name: make_pipeline(encoded(features), one) for name, one in candidates(len(labels)).items()}
    scores = {name: score(model, features, labels) for name, model in models.items()}
    best = max(scores, key=scores.get)
    for name, value in scores.items():
        print(f"{name}: {'MSE' if value < 0 else 'accuracy'} {abs(value):.4g} on rows it has not seen")
    print(f"{best} is kept; rows={len(labels)} train:score={scores[best]:.6g}")
    return models[best].fit(features, labels)


def save(model, folder):
    """Write the model, and the code that it serves with."""
    folder = Path(folder)
    (folder / "code").mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    for name in SERVING_CODE:
        shutil.copyfile(Path(__file__).resolve().parent / name, folder / "code" / name)


if __name__ == "__main__":
    save(train(*read(os.environ["SM_CHANNEL_TRAIN"])), os.environ["SM_MODEL_DIR"])
