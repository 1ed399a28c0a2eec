"""A script as users write it for the framework images: paths from the environment, a helper beside it, requirements."""

import argparse
import json
import os

import helper
import joblib
import numpy as np
from sklearn.linear_model import LinearRegression


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--intercept", type=int, default=1)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    options = parser.parse_args()
    rows = helper.rows(options.train)
    model = LinearRegression(fit_intercept=bool(options.intercept)).fit(rows[:, 1:], rows[:, 0])
    print(f"hosts: {json.loads(os.environ['SM_HOSTS'])}; r2={model.score(rows[:, 1:], rows[:, 0]):.3f};")
    joblib.dump(model, f"{options.model_dir}/model.joblib")


def model_fn(folder: str) -> LinearRegression:
    """Load what `main` kept."""
    return joblib.load(f"{folder}/model.joblib")


def predict_fn(data: "np.ndarray", model: LinearRegression) -> "np.ndarray":
    """Predict each row."""
    return model.predict(np.atleast_2d(data))


if __name__ == "__main__":
    main()
