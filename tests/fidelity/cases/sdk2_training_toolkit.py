"""SDK v2: the sagemaker-training toolkit as `train`, with a source_dir."""

import os
from pathlib import Path

import sagemaker
from sagemaker.estimator import Estimator

session = sagemaker.Session(default_bucket=os.environ["BUCKET"])
estimator = Estimator(
    os.environ["REGISTRY"] + "/training-toolkit:1",
    os.environ["ROLE"],
    1,
    "ml.m5.large",
    entry_point="slope.py",
    source_dir=str(Path(__file__).parent / "toolkit_source"),
    hyperparameters={"scale": 1},
    sagemaker_session=session,
)
estimator.fit(
    {"train": session.upload_data(os.environ["ROWS"], key_prefix="toolkit/train")},
    job_name="training-toolkit",
    logs=False,
)
assert estimator.model_data.endswith("/training-toolkit/output/model.tar.gz"), estimator.model_data
