"""SDK v3: a ModelTrainer with source code, whose drivers the SDK sends along and starts by their path."""

import os
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

session = Session(default_bucket=os.environ["BUCKET"])
trainer = ModelTrainer(
    training_image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    source_code=SourceCode(source_dir=str(Path(__file__).parent / "source"), entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    role=os.environ["ROLE"],
    base_job_name="sdk3",
    sagemaker_session=session,
)
rows = session.upload_data(os.environ["ROWS"], bucket=os.environ["BUCKET"], key_prefix="sdk3/train")
trainer.train(input_data_config=[InputData(channel_name="train", data_source=rows)], wait=True, logs=True)
job = trainer._latest_training_job
job.refresh()
assert job.training_job_status == "Completed", job.failure_reason
