"""Jobs as resources: started, stopped, ended however their program ends, and reported by events."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import OWN, channel, container, tar_gz, training, transform, until
from tests.sagemaker_local.support.service import DATA, PREFIX, ROLE, SageMaker

from sagemaker_local.sagemaker import jobs, logs

WAIT = "import time\ntime.sleep(60)"


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service whose image `own` trains in no time."""
    return SageMaker(tmp_path)


def request(**more: Any) -> dict[str, Any]:
    made = training(**more)
    del made["TrainingJobArn"]
    return made


def ended(sagemaker: SageMaker, kind: str = "Training", name: str = "job") -> dict[str, Any]:
    done = {"Completed", "Failed", "Stopped"}
    sagemaker.events.wait_until(lambda: bool(done & set(sagemaker.statuses(f"{kind} Job"))))
    return sagemaker.call(f"Describe{kind}Job", **{f"{kind}JobName": name})


def test_a_training_job_runs_to_its_end_and_is_told(sagemaker: SageMaker) -> None:
    assert sagemaker.call("CreateTrainingJob", **request())["TrainingJobArn"] == f"{PREFIX}training-job/job"

    job = ended(sagemaker)

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://out/jobs/job/output/model.tar.gz"
    moves = job["SecondaryStatusTransitions"]
    assert [move["Status"] for move in moves][:2] == ["Starting", "Downloading"]
    assert all("EndTime" in move for move in moves[:-1])
    first, last = sagemaker.events.details("Training Job")[0], sagemaker.events.details("Training Job")[-1]
    assert (first["TrainingJobStatus"], last["TrainingJobStatus"]) == ("InProgress", "Completed")
    assert isinstance(last["CreationTime"], int)
    assert last["CreationTime"] > 1e12  # epoch milliseconds
    assert last["BillableTimeInSeconds"] >= 1


def test_what_a_job_prints_is_in_the_log_group_of_its_kind(sagemaker: SageMaker) -> None:
    container(sagemaker.containers, train="print('a word')")
    for name in ("job", "second"):
        sagemaker.call("CreateTrainingJob", **request(TrainingJobName=name))
        sagemaker.events.wait_until(lambda: len(sagemaker.access.logs.streams) > 0)
        ended(sagemaker, name=name)
    sagemaker.events.wait_until(lambda: len(sagemaker.access.logs.streams) == 2)

    found = {key: lines for key, lines in sagemaker.access.logs.streams.items() if key[1].startswith("job/algo-1-")}
    ((group, _),) = found
    assert group == "/aws/sagemaker/TrainingJobs"
    assert found.popitem()[1] == ["a word"]


def test_what_a_job_prints_is_there_while_it_runs(sagemaker: SageMaker) -> None:
    container(sagemaker.containers, train="import time\nprint('a word', flush=True)\ntime.sleep(60)")
    sagemaker.call("CreateTrainingJob", **request())

    until(lambda: ["a word"] in sagemaker.access.logs.streams.values())
    sagemaker.call("StopTrainingJob", TrainingJobName="job")
    assert ended(sagemaker)["TrainingJobStatus"] == "Stopped"


def test_the_metrics_that_a_job_prints_are_put_while_it_runs_and_the_last_ones_are_its_final_ones(
    sagemaker: SageMaker,
) -> None:
    text = "import time\nfor loss in (3, 2, 1):\n    print(f'loss={loss};', flush=True)\n    time.sleep(1.1)\n"
    container(sagemaker.containers, train=text)
    wanted = [{"Name": "loss", "Regex": "loss=([0-9]+);"}]
    algorithm = {"TrainingImage": OWN, "TrainingInputMode": "File", "MetricDefinitions": wanted}
    sagemaker.call("CreateTrainingJob", **request(AlgorithmSpecification=algorithm))

    until(lambda: bool(sagemaker.watch.measured))
    assert sagemaker.call("DescribeTrainingJob", TrainingJobName="job")["TrainingJobStatus"] == "InProgress"
    final = ended(sagemaker)["FinalMetricDataList"]

    assert [(one["MetricName"], one["Value"]) for one in final] == [("loss", 1)]
    put = [one for one in sagemaker.watch.measured if one["Namespace"] == "/aws/sagemaker/TrainingJobs"]
    assert [one["Value"] for one in put] == [3, 2, 1]
    assert {(one["Dimensions"][0]["Name"], one["Dimensions"][0]["Value"]) for one in put} == {
        ("TrainingJobName", "job")
    }


def test_what_a_transforms_server_prints_is_there_by_job_and_instance(sagemaker: SageMaker) -> None:
    container(sagemaker.containers, serve="print('a word', flush=True)")
    sagemaker.model()
    sagemaker.access.s3.put(DATA, tar_gz({"model": "1"}))
    sagemaker.access.s3.put("s3://data/test/a.csv", "1,2\n")
    sagemaker.call("CreateTransformJob", **batch())
    ended(sagemaker, "Transform")

    (((group, stream), lines),) = sagemaker.access.logs.streams.items()
    assert (group, lines) == ("/aws/sagemaker/TransformJobs", ["a word"])
    assert re.fullmatch(r"job/i-[0-9a-f]{17}-[0-9]{10}", stream)


def test_a_job_that_prints_without_end_and_what_is_no_text_ends_with_a_bounded_log(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "STREAM_BYTES", 1_000_000)
    text = "import sys\nfor _ in range(64):\n    sys.stdout.buffer.write(bytes(range(11, 256)) * 1000)\n"
    container(sagemaker.containers, train=text)
    sagemaker.call("CreateTrainingJob", **request())

    assert ended(sagemaker)["TrainingJobStatus"] == "Completed"
    ((_, lines),) = sagemaker.access.logs.streams.items()
    assert lines[-1].startswith("local cloud: this log goes on in ")
    assert 3 < len(lines) < 100
    assert max(len(line) for line in lines) <= 64 * 1024


def test_a_role_that_may_write_no_logs_has_its_job_all_the_same(sagemaker: SageMaker) -> None:
    sagemaker.access.logs.forbidden = True
    sagemaker.call("CreateTrainingJob", **request())

    assert ended(sagemaker)["TrainingJobStatus"] == "Completed"
    assert sagemaker.access.logs.streams == {}


def test_tags_are_one_map_in_events(sagemaker: SageMaker) -> None:
    sagemaker.call("CreateTrainingJob", **request(Tags=[{"Key": "a", "Value": "b"}]))
    ended(sagemaker)
    assert sagemaker.events.details("Training Job")[-1]["Tags"] == {"a": "b"}


def test_a_time_limit_that_is_not_given_is_that_of_aws(sagemaker: SageMaker) -> None:
    made = request()
    del made["StoppingCondition"]
    sagemaker.call("CreateTrainingJob", **made)
    assert ended(sagemaker)["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}


def test_a_job_is_stopped_once_and_told_that_it_stops(sagemaker: SageMaker) -> None:
    container(sagemaker.containers, train=WAIT)
    sagemaker.call("CreateTrainingJob", **request())
    sagemaker.call("StopTrainingJob", TrainingJobName="job")
    again = sagemaker.refused("StopTrainingJob", TrainingJobName="job")

    assert ended(sagemaker)["TrainingJobStatus"] == "Stopped"
    assert "the job is in status Stop" in again
    assert sagemaker.statuses("Training Job") == ["InProgress", "Stopping", "Stopped"]
    assert "in status Stopped" in sagemaker.refused("StopTrainingJob", TrainingJobName="job")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("Training", "Validation"), ("Processing", "ResourceNotFound"), ("Transform", "ResourceNotFound")],
)
def test_a_job_that_is_not_there_is_neither_described_nor_stopped(sagemaker: SageMaker, kind: str, code: str) -> None:
    for verb in ("Describe", "Stop"):
        assert sagemaker.refused(f"{verb}{kind}Job", **{f"{kind}JobName": "none"}).startswith(code)


def test_a_job_that_fails_in_a_way_that_nobody_foresaw_has_failed(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(jobs, "run_training", broken)
    sagemaker.call("CreateTrainingJob", **request())

    job = ended(sagemaker)

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "InternalServerError: ZeroDivisionError('oh')"


def test_a_job_whose_client_cannot_be_made_has_failed(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker.call("CreateTrainingJob", **request(TrainingJobName="first"))
    ended(sagemaker, name="first")
    sagemaker.events.sent.clear()

    def no_client(*_: str) -> None:
        raise ConnectionError("no port")

    monkeypatch.setattr(sagemaker.access, "client", no_client)
    processing = {
        "ProcessingJobName": "job",
        "AppSpecification": {"ImageUri": OWN},
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
    sagemaker.call("CreateProcessingJob", **processing)
    assert "no port" in ended(sagemaker, "Processing")["FailureReason"]


def test_a_description_is_whole_while_the_job_changes_it(sagemaker: SageMaker) -> None:
    sagemaker.call("CreateTrainingJob", **request())
    problems: list[str] = []

    def look() -> None:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            found = sagemaker.call("DescribeTrainingJob", TrainingJobName="job")
            moves = found.get("SecondaryStatusTransitions", [])
            if moves and moves[-1]["Status"] != found["SecondaryStatus"]:
                problems.append(str(found))
            if found["TrainingJobStatus"] != "InProgress":
                return

    looking = [threading.Thread(target=look) for _ in range(3)]
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    assert problems == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "nobody"}},
            "requested image nobody",
        ),
        ({"AlgorithmSpecification": None}, "AlgorithmSpecification is required"),
        ({"ResourceConfig": None}, "ResourceConfig is required"),
        (
            {"InputDataConfig": [channel("train", "s3://data/none/")]},
            'No S3 objects found under S3 URL "s3://data/none/"',
        ),
        ({"TrainingJobName": "not a name"}, "regular expression"),
    ],
)
def test_a_training_job_that_could_not_run_is_refused(sagemaker: SageMaker, change: Any, sentence: str) -> None:
    made = {key: value for key, value in request(**change).items() if value is not None}
    refused = sagemaker.refused("CreateTrainingJob", **made)
    assert refused.startswith("ValidationException")
    assert sentence in refused


def test_data_that_are_there_are_found_before_the_job_starts(sagemaker: SageMaker) -> None:
    sagemaker.access.s3.put("s3://data/train/a.csv", "1,2\n")
    manifest = {"DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://data/none"}}}
    channels = [channel("train", "s3://data/train/"), {"ChannelName": "late", **manifest}]
    sagemaker.call("CreateTrainingJob", **request(InputDataConfig=channels))
    assert "s3://data/none" in ended(sagemaker)["FailureReason"]


def test_a_name_is_used_once_and_a_role_has_to_be_passed(sagemaker: SageMaker) -> None:
    sagemaker.call("CreateTrainingJob", **request())
    ended(sagemaker)
    assert sagemaker.refused("CreateTrainingJob", **request()).startswith("ResourceInUse")
    sagemaker.access.forbidden.add(("iam:PassRole", "*"))
    refused = sagemaker.refused("CreateTrainingJob", **request(TrainingJobName="other"))
    assert refused.startswith("AccessDeniedException")


def test_folders_of_an_earlier_cloud_do_not_disturb_a_job_of_the_same_name(sagemaker: SageMaker) -> None:
    (sagemaker.cloud.folder / "jobs" / "training-job" / "job").mkdir(parents=True)
    sagemaker.call("CreateTrainingJob", **request())
    assert ended(sagemaker)["TrainingJobStatus"] == "Completed"


def batch(**more: Any) -> dict[str, Any]:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    return {**transform(**more), "TransformResources": resources}


def test_a_transform_runs_under_the_role_of_its_model(sagemaker: SageMaker) -> None:
    sagemaker.model()
    sagemaker.access.s3.put(DATA, tar_gz({"model": "1"}))
    sagemaker.access.s3.put("s3://data/test/a.csv", "1,2\n")
    sagemaker.call("CreateTransformJob", **batch())

    job = ended(sagemaker, "Transform")

    assert (job["TransformJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert sagemaker.access.s3.get("s3://out/run/a.csv.out") == b"1,2\n"
    assert sagemaker.call("ListTransformJobs", StatusEquals="Completed")["TransformJobSummaries"][0]["TransformJobName"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ModelName": "none"}, "Could not find model"),
        ({"DataProcessing": {"InputFilter": "$["}}, "$["),
        (
            {"MaxPayloadInMB": 6, "MaxConcurrentTransforms": 17},
            "MaxPayloadInMB 6 times MaxConcurrentTransforms 17 is over",
        ),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "SplitType RecordIO is not emulated"),
        ({"TransformOutput": {"Accept": "text/plain"}, "DataProcessing": {"JoinSource": "Input"}}, "to be the same"),
    ],
)
def test_a_transform_that_could_not_run_is_refused(sagemaker: SageMaker, change: Any, sentence: str) -> None:
    sagemaker.model()
    refused = sagemaker.refused("CreateTransformJob", **batch(**change))
    assert refused.startswith("ValidationException")
    assert sentence in refused
