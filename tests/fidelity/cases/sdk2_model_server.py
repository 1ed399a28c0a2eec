"""SDK v2: multi-model-server as `serve`, behind a model of one's own."""

import io
import os
import tarfile

import boto3
import sagemaker
from sagemaker.model import Model
from sagemaker.predictor import Predictor

session = sagemaker.Session(default_bucket=os.environ["BUCKET"])
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as archive:
    member = tarfile.TarInfo("factor.txt")
    member.size = 1
    archive.addfile(member, io.BytesIO(b"2"))
boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="model-server/model.tar.gz", Body=packed.getvalue())
model = Model(
    os.environ["REGISTRY"] + "/model-server:1",
    f"s3://{os.environ['BUCKET']}/model-server/model.tar.gz",
    os.environ["ROLE"],
    predictor_cls=Predictor,
    sagemaker_session=session,
)
predictor = model.deploy(1, "ml.m5.large", endpoint_name="model-server")
assert float(predictor.predict("20")) == 40
predictor.delete_endpoint()
