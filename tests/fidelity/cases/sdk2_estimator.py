"""SDK v2: a scikit-learn estimator with source_dir is fitted, followed by its logs, deployed and asked."""

import os
from pathlib import Path

import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn

session = sagemaker.Session(default_bucket=os.environ["BUCKET"])
train = session.upload_data(os.environ["ROWS"], key_prefix="sdk2/train")
estimator = SKLearn(
    entry_point="train.py",
    source_dir=str(Path(__file__).parent / "source"),
    framework_version="1.2-1",
    role=os.environ["ROLE"],
    instance_type="ml.m5.large",
    instance_count=1,
    hyperparameters={"intercept": 1},
    metric_definitions=[{"Name": "r2", "Regex": "r2=([0-9.]+);"}],
    sagemaker_session=session,
)
estimator.fit({"train": train}, job_name="sdk2-estimator", logs="All")
predictor = estimator.deploy(
    1, "ml.m5.large", endpoint_name="sdk2-estimator", serializer=CSVSerializer(), deserializer=CSVDeserializer()
)
answer = float(predictor.predict([[20.0]])[0][0])
assert abs(answer - 40) < 0.1, answer
metrics = {
    item["MetricName"]: item["Value"] for item in estimator.latest_training_job.describe()["FinalMetricDataList"]
}
assert metrics["r2"] == 1.0, metrics
predictor.delete_endpoint()
