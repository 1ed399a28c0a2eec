"""A training is started once for each image and commit; files are put where uploads start a run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.project_cloud import Parameters
from tests.support.stack import MACHINE

from signalbox.projects import ModelDocument, ModelRoles, ModelTraining, to_json
from signalbox_operate.stack import OperateError
from signalbox_operate.start import Given, Training, known, start_training, upload_files, wanted

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:0a1b2c3"
TRAINING = Training(IMAGE, "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "multiclass")


class Machines(RecordingClient):
    """Step Functions, which keeps the name of every execution."""

    def __init__(self) -> None:
        super().__init__("stepfunctions")
        self.status: dict[str, str] = {}

    def _describe_execution(self, **request: Any) -> dict[str, Any]:
        if request["executionArn"] not in self.status:
            raise client_error("ExecutionDoesNotExist")
        return {"executionArn": request["executionArn"], "status": self.status[request["executionArn"]]}

    def _start_execution(self, **request: Any) -> dict[str, Any]:
        arn = f"{request['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{request['name']}"
        if arn in self.status:
            raise client_error("ExecutionAlreadyExists")
        self.status[arn] = "RUNNING"
        return {"executionArn": arn, "startDate": 0}


def test_a_training_starts_the_machine_with_image_and_commit() -> None:
    machines = Machines()
    asked = replace(TRAINING, model="iris", hyperparameters={"max_depth": "3"})
    arn, before = start_training(asked, MACHINE, machines)
    assert before is None
    assert arn.startswith("arn:aws:states:us-east-1:123456789012:execution:signalbox-mlops:train-iris-0a1b2c3d4e5f-")
    assert json.loads(machines.requests("StartExecution")[0]["input"]) == {
        "image": IMAGE,
        "commit": TRAINING.commit,
        "problem": "multiclass",
        "model": "iris",
        "hyperparameters": {"max_depth": "3"},
    }


def test_the_same_training_asked_for_again_is_not_started_again() -> None:
    machines = Machines()
    arn, _ = start_training(TRAINING, MACHINE, machines)
    machines.status[arn] = "SUCCEEDED"
    assert start_training(TRAINING, MACHINE, machines) == (arn, "SUCCEEDED")
    assert len(machines.requests("StartExecution")) == 1


def test_a_training_that_another_person_starts_at_the_same_moment_is_started_once() -> None:
    there = {"describe_execution": [client_error("ExecutionDoesNotExist"), {"status": "RUNNING"}]}
    machines = RecordingClient("stepfunctions", {**there, "start_execution": client_error("ExecutionAlreadyExists")})
    assert start_training(TRAINING, MACHINE, machines)[1] == "RUNNING"


@pytest.mark.parametrize("code", ["AccessDeniedException", "StateMachineDoesNotExist"])
def test_another_refusal_is_not_hidden(code: str) -> None:
    gone = client_error("ExecutionDoesNotExist")
    machines = RecordingClient("stepfunctions", {"describe_execution": gone, "start_execution": client_error(code)})
    with pytest.raises(machines.exceptions.ClientError, match=code):
        start_training(TRAINING, MACHINE, machines)
    machines = RecordingClient("stepfunctions", {"describe_execution": client_error(code)})
    with pytest.raises(machines.exceptions.ClientError, match=code):
        start_training(TRAINING, MACHINE, machines)


def test_a_largest_request_is_passed_on_to_the_machine() -> None:
    assert "max_payload_mb" not in TRAINING.input()
    assert replace(TRAINING, max_payload_mb=25).input()["max_payload_mb"] == 25


def test_who_starts_a_training_is_passed_on_and_makes_no_other_training() -> None:
    named = replace(TRAINING, started_by="arn:aws:iam::123456789012:user/ann")
    assert named.input()["started_by"] == "arn:aws:iam::123456789012:user/ann"
    assert named.name == TRAINING.name


def test_every_difference_makes_another_training_and_its_name_is_legal() -> None:
    others = [
        TRAINING,
        replace(TRAINING, commit="1" * 40),
        replace(TRAINING, image=IMAGE.replace("0a1b2c3", "1111111")),
        replace(TRAINING, model="iris"),
        replace(TRAINING, attempt=2),
    ]
    assert len({training.name for training in others}) == len(others)
    assert TRAINING.name.startswith("train-iris-decision-tree-0a1b2c3d4e5f-")
    assert max(len(training.name) for training in others) <= 80


@pytest.mark.parametrize("image", ["", "Image With Spaces", "registry/"])
def test_what_is_not_an_image_is_refused(image: str) -> None:
    with pytest.raises(OperateError, match="is not an image: give <registry>/<repository>:<tag>"):
        _ = replace(TRAINING, image=image).name


@pytest.mark.parametrize(
    ("image", "model"),
    [
        ("registry:5000/team/iris_tree@sha256:00ff", "iris-tree"),
        ("iris", "iris"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b:v1.2", "b"),
    ],
)
def test_a_model_is_called_as_its_images_repository(image: str, model: str) -> None:
    assert replace(TRAINING, image=image).name.startswith(f"train-{model}-0a1b2c3d4e5f-")


class Bucket:
    """An S3 client that remembers what was uploaded."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def upload_file(self, name: str, bucket: str, key: str) -> None:
        """Upload a file, as boto3 does."""
        self.objects[f"{bucket}/{key}"] = Path(name).read_bytes()


def file(path: Path, text: str = "M,0.4\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_are_uploaded_under_the_watched_prefix(tmp_path: Path) -> None:
    bucket = Bucket()
    keys = upload_files([file(tmp_path / "a.csv"), file(tmp_path / "b.csv")], "data", "incoming/", bucket)
    assert keys == ["incoming/a.csv", "incoming/b.csv"]
    assert bucket.objects == {"data/incoming/a.csv": b"M,0.4\n", "data/incoming/b.csv": b"M,0.4\n"}


@pytest.mark.parametrize(
    ("names", "text", "prefix", "problem"),
    [
        (["a/x.csv", "b/x.csv"], "1", "incoming/", "two files are called x.csv"),
        (["x.csv"], "", "incoming/", "x.csv is empty"),
        (["x.csv"], "1", "incoming", "prefix 'incoming' has to end with a slash"),
    ],
)
def test_files_that_would_not_start_a_run_are_refused_before_any_is_uploaded(
    tmp_path: Path, names: list[str], text: str, prefix: str, problem: str
) -> None:
    bucket = Bucket()
    with pytest.raises(OperateError, match=problem):
        upload_files([file(tmp_path / name, text) for name in names], "data", prefix, bucket)
    assert not bucket.objects


TOLD = ModelTraining("binary", IMAGE, {"depth": "3", "rate": "0.1"}, max_payload_mb=2)
NOTHING = Given(None, "c1", None, "iris", {}, 1, None)


def test_what_is_not_given_comes_from_the_models_project_and_what_is_given_counts() -> None:
    assert wanted(NOTHING, TOLD) == Training(IMAGE, "c1", "binary", "iris", TOLD.hyperparameters, 1, 2)
    given = Given("own/image:1", "c1", "multiclass", "iris", {"depth": "5"}, 2, 7)
    hyperparameters = {"depth": "5", "rate": "0.1"}
    assert wanted(given, TOLD) == Training("own/image:1", "c1", "multiclass", "iris", hyperparameters, 2, 7)


def test_what_neither_somebody_nor_a_project_says_is_asked_for() -> None:
    with pytest.raises(OperateError, match="give --image and --problem: only a model of a project that is deployed"):
        wanted(NOTHING, None)
    with pytest.raises(OperateError, match="give --image: the project of the model iris does not say it"):
        wanted(NOTHING, ModelTraining("binary"))


def test_a_model_is_known_by_its_document_alone() -> None:
    ssm = Parameters()
    roles = ModelRoles(*(f"arn:aws:iam::123456789012:role/{kind}" for kind in ("job", "test", "model")))
    ssm.found["/signalbox/models/iris"] = to_json(ModelDocument("iris", "flowers", "flowers-0", roles, training=TOLD))
    assert known("iris", "signalbox", ssm) == TOLD
    assert known("other", "signalbox", ssm) is None
    assert known(None, "signalbox", ssm) is None
