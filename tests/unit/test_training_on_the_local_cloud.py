"""A planned training, run by the local cloud: the model lies where the plan said so before anything ran."""

from pathlib import Path
from threading import Event

from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, container, job_context, untar
from tests.support.training import ports, question

from sagemaker_local.jobs.training import run_training
from signalbox.training.planning import plan

TRAIN = """
    import os
    from pathlib import Path
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    (base / "model" / "weights").write_text((base / "input/data/train/a.csv").read_text())
"""


def test_a_training_leaves_its_model_where_the_plan_says(tmp_path: Path) -> None:
    data = {"s3://data-bucket/models/iris/train/a.csv": "9,M", "s3://data-bucket/models/iris/test/a.csv": "8,F"}
    image = OWN.replace("000000000000", "123456789012")
    planned = plan(
        question({"image": image, "commit": "8c1d", "model": "iris", "problem": "regression"}), ports(data=data)
    )
    request = planned["requests"]["training"]
    assert request is not None
    container(tmp_path / "containers", train=TRAIN)
    s3 = FakeS3(dict(data))

    name = planned["names"]["training"]
    arn = {"TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"}
    outcome = run_training({**request, **arn}, job_context(tmp_path, s3), Event(), lambda _secondary, _message: None)

    assert (outcome.status, outcome.model_artifacts) == ("Completed", planned["evaluation"]["model_data"])
    assert untar(s3.get(planned["evaluation"]["model_data"]))["weights"] == b"9,M"
