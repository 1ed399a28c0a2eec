"""SDK v2: a generic estimator whose container writes /opt/ml, algo-1 and port 8080 down."""

import os

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

session = sagemaker.Session(default_bucket=os.environ["BUCKET"])
estimator = Estimator(
    os.environ["REGISTRY"] + "/hard-coded:1",
    os.environ["ROLE"],
    1,
    "ml.m5.large",
    hyperparameters={"scale": "1.0"},
    sagemaker_session=session,
)
estimator.fit(
    {"train": session.upload_data(os.environ["ROWS"], key_prefix="hard-coded/train")}, job_name="hard-coded", logs=False
)
predictor = estimator.deploy(
    1, "ml.m5.large", endpoint_name="hard-coded", serializer=CSVSerializer(), predictor_cls=Predictor
)
answer = float(predictor.predict("20"))
assert abs(answer - 40) < 0.1, answer
predictor.delete_endpoint()
