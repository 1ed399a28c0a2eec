"""SDK v2: a model with data capture, and asynchronous inference, deployed and asked as its documents do."""

import io
import json
import os
import tarfile
import time

import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig
from sagemaker.model import Model
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker.serializers import CSVSerializer

session = sagemaker.Session(default_bucket=os.environ["BUCKET"])
place = f"s3://{os.environ['BUCKET']}/hosting"
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as archive:
    entry = tarfile.TarInfo("slope.txt")
    entry.size = 1
    archive.addfile(entry, io.BytesIO(b"2"))
S3Uploader.upload_bytes(packed.getvalue(), f"{place}/model.tar.gz", sagemaker_session=session)


def model(name: str) -> Model:
    """Return a model of the container that writes /opt/ml down."""
    return Model(
        os.environ["REGISTRY"] + "/hard-coded:1",
        f"{place}/model.tar.gz",
        os.environ["ROLE"],
        Predictor,
        name=name,
        sagemaker_session=session,
    )


def found(prefix: str) -> list[str]:
    """Return the objects below a prefix, once there are some."""
    for _ in range(60):
        if objects := S3Downloader.list(prefix, sagemaker_session=session):
            return list(objects)
        time.sleep(0.5)
    raise AssertionError(f"there is nothing below {prefix}")


capture = DataCaptureConfig(True, sampling_percentage=100, destination_s3_uri=f"{place}/captured")
predictor = model("captured").deploy(
    1, "ml.m5.large", endpoint_name="captured", data_capture_config=capture, serializer=CSVSerializer()
)
assert float(predictor.predict("20")) == 40
[captured] = found(f"{place}/captured/captured/AllTraffic")
line = json.loads(S3Downloader.read_file(captured, sagemaker_session=session))
assert line["captureData"]["endpointInput"]["data"] == "20", line
predictor.delete_endpoint()

S3Uploader.upload_string_as_file_body("20\n", f"{place}/asked.csv", sagemaker_session=session)
later = AsyncInferenceConfig(output_path=f"{place}/answers", max_concurrent_invocations_per_instance=1)
deployed = model("later").deploy(1, "ml.m5.large", endpoint_name="later", async_inference_config=later)
assert isinstance(deployed, AsyncPredictor), deployed
answer = deployed.predict_async(input_path=f"{place}/asked.csv")
[written] = found(answer.output_path)
assert float(S3Downloader.read_file(written, sagemaker_session=session)) == 40
deployed.delete_endpoint()
