"""Uploads: many files and repeated events are one run; what cannot be read is kept with its reason."""

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sagemaker_local import inbox
from signalbox_local import deploy
from signalbox_local.demo.data import seeded
from signalbox_local.project import ROOT
from signalbox_operate.features import queries
from signalbox_operate.pipelines import images
from tests.support.samples import sample
from tests.system.world import PIPELINE, World


@pytest.fixture(scope="module")
def table() -> list[str]:
    """Return abalone's rows: the real ones where they lie beside the project, else made-up ones."""
    real = ROOT.parent / "shared" / "data" / "abalone.data"
    return (real.read_text() if real.is_file() else seeded()).splitlines(keepends=True)


def runs(world: World) -> list[dict[str, Any]]:
    """Return the pipeline's executions, oldest first."""
    found: dict[str, Any] = world.client("sagemaker").list_pipeline_executions(
        PipelineName=PIPELINE, SortOrder="Ascending", MaxResults=100
    )
    return list(found["PipelineExecutionSummaries"])


def test_files_uploaded_together_are_one_run_that_reaches_prod(world: World, table: list[str], tmp_path: Path) -> None:
    before, third = len(runs(world)), len(table) // 3
    files = []
    for number in range(3):
        files.append(tmp_path / f"part {number}+{number}.csv")
        files[-1].write_text("".join(table[number * third : (number + 1) * third if number < 2 else None]))

    world.signalbox("upload", *(str(file) for file in files))

    asked = world.mail("approve", "abalone version 1")
    told = [*(file.name for file in files), "Uploaded by: root", "Run: ", "Threshold: MSE at most 6", "Sex M, Length "]
    told += [
        "Training time: ",
        "Training cost: less than $0.01: 1 × ml.m5.large",
        "Endpoint in prod: about $83.95 a month",
    ]
    assert [words for words in (*told, "xgboost") if words not in inbox.text(asked)] == [], inbox.text(asked)
    counted = re.search(r"Training rows: ([0-9,]+)\n *Test rows: ([0-9,]+)\n", inbox.text(asked))
    assert counted is not None
    trained, tested = (int(number.replace(",", "")) / len(table) for number in counted.groups())
    assert 0.1 < tested < 0.2
    assert 0.6 < trained < 0.8
    world.approve(asked)
    world.approve(world.mail("to prod", "abalone version 1"))
    world.mail("abalone version 1", "released")
    assert len(runs(world)) == before + 1
    assert [b"Succeeded" in world.signalbox("uploads", file.name) for file in files] == [True] * 3
    assert world.signalbox("uploads") == b"no upload waits\n"
    rows = [line.strip().split(",") for line in table[-40:]]
    answers = world.predict("prod", "abalone", "\n".join(",".join(row[:-1]) for row in rows)).split()
    close = [abs(float(row[-1]) - float(answer)) <= 3 for row, answer in zip(rows, answers, strict=True)]
    assert sum(close) > len(close) * 0.6


def times(world: World) -> set[int]:
    """Return when the files of the first test were uploaded, in seconds: the event times of their rows."""
    found = world.client("s3").list_objects_v2(Bucket=world.outputs["DataBucket"], Prefix="incoming/abalone/part")
    return {int(entry["LastModified"].timestamp()) for entry in found["Contents"]}


def records(world: World) -> list[tuple[int, float]]:
    """Return the identifier and the event time of every record that the offline store has of those files."""
    s3, bucket = world.client("s3"), world.outputs["ArtifactsBucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="features/abalone/")
    found: list[tuple[int, float]] = []
    for entry in (entry for page in pages for entry in page.get("Contents", ())):
        body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        kept = pq.read_table(io.BytesIO(body), columns=["record_id", "record_time"]).to_pylist()
        found += [(row["record_id"], row["record_time"]) for row in kept]
    return [one for one in found if one[1] in times(world)]


def test_each_row_is_a_record_of_the_feature_group_with_the_time_of_its_upload_and_again_the_same(
    world: World, table: list[str]
) -> None:
    uploaded, first = len(table), records(world)
    assert len(first) == len({identifier for identifier, _ in first}) == uploaded
    assert {at for _, at in first} == times(world)

    sagemaker, run = world.client("sagemaker"), runs(world)[-1]
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=run["PipelineExecutionArn"])
    (job,) = [one for one in steps["PipelineExecutionSteps"] if one["StepName"] == "Features"]
    told = sagemaker.describe_processing_job(
        ProcessingJobName=job["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    )
    request = {
        name: told[name]
        for name in sagemaker.meta.service_model.operation_model("CreateProcessingJob").input_shape.members
        if name in told
    }
    sagemaker.create_processing_job(**{**request, "ProcessingJobName": "features-once-more"})
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName="features-once-more", WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    again = records(world)
    assert len(again) == 2 * uploaded
    assert set(again) == set(first)


def test_the_records_are_a_frame_by_sql_and_train_a_model_that_knows_no_later(
    world: World, table: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.cloud.environment.items():
        monkeypatch.setenv(name, value)
    group = project(world)["FeatureGroup"]
    uploaded = ", ".join(map(str, times(world)))
    text = "SELECT DISTINCT record_id, record_time, rings, length FROM {table} "
    text += f"WHERE record_time IN ({uploaded})"
    frame = queries.query(text, group)
    assert len(frame) == len(table)
    assert frame["rings"].sum() == sum(int(line.split(",")[8]) for line in table)

    # A later record of each shell says that it is as long as it has rings: whoever learns of it is no predictor.
    later = frame.assign(record_time=frame["record_time"] + 3600, length=frame["rings"] * 100.0)
    store = world.client("sagemaker-featurestore-runtime")
    for row in later.head(200).to_dict("records"):
        record = [{"FeatureName": name, "ValueAsString": str(value)} for name, value in row.items()]
        store.put_record(FeatureGroupName=group, Record=record)
    labels = frame.assign(time=frame["record_time"] + 60, age=frame["rings"] + 1.5)
    labels[["record_id", "time", "age"]].to_csv(tmp_path / "labels.csv", index=False)
    wanted = [word for name in SEED_A for word in ("--feature", name)]
    world.signalbox(
        "features",
        "training-set",
        str(tmp_path / "labels.csv"),
        *("--folder", str(ROOT / "projects" / "abalone"), "--query", "--group", group, *wanted),
        *("--output", str(tmp_path / "training.csv")),
    )
    training = pd.read_csv(tmp_path / "training.csv")
    assert len(training) == len(table)
    assert training["length"].max() < 100

    model = trained(world, training[["age", *SEED_A]].sample(frac=1, random_state=7))
    assert model["validation:rmse"] < 3


SEED_A = [
    *("length", "diameter", "height", "whole_weight", "shucked_weight", "viscera_weight", "shell_weight"),
    *("sex_F", "sex_I", "sex_M"),
]


def project(world: World) -> dict[str, str]:
    """Return the outputs of the stack of the project abalone."""
    name = f"{world.outputs['Prefix']}-project-abalone"
    (stack,) = world.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def trained(world: World, rows: pd.DataFrame) -> dict[str, float]:
    """Train XGBoost's own algorithm on rows, label first, as the job role of abalone, and return its metrics."""
    sagemaker, s3 = world.client("sagemaker"), world.client("s3")
    bucket, cut = world.outputs["DataBucket"], len(rows) * 4 // 5
    channels = []
    for name, part in (("train", rows[:cut]), ("validation", rows[cut:])):
        key = f"models/abalone/features/{name}/rows.csv"
        s3.put_object(Bucket=bucket, Key=key, Body=part.to_csv(index=False, header=False))
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{bucket}/{key}",
            "S3DataDistributionType": "FullyReplicated",
        }
        channels.append({"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"})
    output = f"s3://{world.outputs['ArtifactsBucket']}/pipelines/abalone/abalone/runs/by-hand"
    sagemaker.create_training_job(
        TrainingJobName="abalone-on-its-features",
        AlgorithmSpecification={"TrainingImage": images.uri(images.XGBOOST, "us-east-1"), "TrainingInputMode": "File"},
        HyperParameters={"objective": "reg:squarederror", "num_round": "60", "max_depth": "4", "eta": "0.1"},
        RoleArn=project(world)["JobRoleArn"],
        InputDataConfig=channels,
        OutputDataConfig={"S3OutputPath": output, "KmsKeyId": world.outputs["KeyArn"]},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="abalone-on-its-features", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    found = sagemaker.describe_training_job(TrainingJobName="abalone-on-its-features")
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return {one["MetricName"]: one["Value"] for one in found["FinalMetricDataList"]}


def test_a_run_is_shown_with_its_steps_and_logs(world: World) -> None:
    lines = [line.split("\t") for line in world.signalbox("runs").decode().splitlines() if "abalone" in line]
    name, status, _, uploads = lines[0]  # the newest is that of the files above
    shown = json.loads(world.signalbox("runs", name, "--json"))

    assert (status, uploads) == ("Succeeded", "3")
    assert {step["kind"] for step in shown["steps"] if step["job"]} >= {"TrainingJob", "ProcessingJob"}
    written = [json.loads(text) for text in world.signalbox("logs", name, "--json").splitlines()]
    assert {line["job"].lower() for line in written} == {step["job"] for step in shown["steps"] if step["job"]}
    trained = world.client("stepfunctions").list_executions(stateMachineArn=world.outputs["MlopsMachineArn"])
    tested = world.signalbox("logs", trained["executions"][0]["name"], "--follow").decode()
    assert tested.startswith("==> team-a-abalone-")


def test_a_pipeline_is_started_by_hand_with_another_parameter(world: World) -> None:
    seven = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Depth"}, "RightValue": 7}
    check = {"Name": "Check", "Type": "Condition", "Arguments": {"Conditions": [seven], "IfSteps": [], "ElseSteps": []}}
    depth = {"Name": "Depth", "Type": "Integer", "DefaultValue": 5}
    name, text = "team-a-trial", json.dumps({"Version": "2020-12-01", "Parameters": [depth], "Steps": [check]})
    role = world.outputs["PipelineRoleArn"]
    world.client("sagemaker").create_pipeline(
        PipelineName=name, PipelineDefinition=text, RoleArn=role, ClientRequestToken="0" * 32
    )

    world.signalbox("start", "trial", "-p", "Depth=7", "--name", "by-hand")

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = json.loads(world.signalbox("runs", "by-hand", "--json"))
        return found if found["run"]["status"] == "Succeeded" else None

    found = world.wait_for("the run that was started by hand", ended)
    assert (found["run"]["pipeline"], found["parameters"], found["uploads"]) == (name, {"Depth": "7"}, [])
    world.client("sagemaker").delete_pipeline(PipelineName=name, ClientRequestToken="1" * 32)


def test_events_that_come_again_start_nothing_new(world: World) -> None:
    before, packages, mails = len(runs(world)), len(world.packages("abalone")), len(world.cloud.mails())
    bucket = world.outputs["DataBucket"]
    key = world.client("s3").list_objects_v2(Bucket=bucket, Prefix="incoming/abalone/")["Contents"][0]["Key"]
    detail = sample("s3/put-object-cloudtrail")
    detail["detail"]["requestParameters"] |= {"bucketName": bucket, "key": key}
    queue = uploads_queue(world)

    for _ in range(3):
        world.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(detail))

    # Each makes a delayed request for a run: only when those were handled, too, would a run have been started.
    requests = queue_named(world, "RunsQueue")
    world.wait_for("the queue of events to run dry", lambda: waiting(world, queue) == 0)
    world.wait_for("the queue of requests to run dry", lambda: waiting(world, requests) == 0)
    assert (len(runs(world)), len(world.packages("abalone"))) == (before, packages)
    assert len(world.cloud.mails()) == mails


def test_who_uploaded_is_known_too_where_the_event_that_says_it_comes_second(world: World) -> None:
    events, bucket, key = world.client("events"), world.outputs["DataBucket"], "incoming/abalone/twice-told.csv"
    before, rule = len(world.mails("abalone", "failed")), queue_named(world, "UploadsTrailRule")
    events.disable_rule(Name=rule)
    put = world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"\n\n")  # its native event is told
    events.enable_rule(Name=rule)
    world.wait_for("the upload to be recorded", lambda: b"version" in fate(world, key))
    assert b", by " not in fate(world, key)

    told = sample("s3/put-object-cloudtrail")
    told["detail"]["requestParameters"] |= {"bucketName": bucket, "key": key}
    told["detail"]["responseElements"] = {"x-amz-version-id": put["VersionId"]}
    told["detail"]["userIdentity"] |= {"arn": "arn:aws:iam::123456789012:user/ann", "accountId": "123456789012"}
    world.client("sqs").send_message(QueueUrl=uploads_queue(world), MessageBody=json.dumps(told))

    world.wait_for("the uploader to be known", lambda: b", by user/ann" in fate(world, key))
    world.mail("abalone", "failed", number=before + 1)  # it has no rows


def fate(world: World, key: str) -> bytes:
    """Return what the command line says of an upload; nothing where it is not recorded."""
    bucket = world.outputs["DataBucket"]
    items = world.client("dynamodb").query(
        TableName=world.outputs["UploadsTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"upload#{bucket}/{key}"}},
    )
    return world.signalbox("uploads", key) if items["Count"] else b""


def test_what_cannot_be_read_is_kept_with_its_reason_and_the_rest_goes_on(world: World) -> None:
    queue, letters = uploads_queue(world), dead_letters(world)
    good = sample("s3/put-object-denied-cloudtrail")

    for body in ("this is no event", json.dumps({"detail": {}}), json.dumps(good)):
        world.client("sqs").send_message(QueueUrl=queue, MessageBody=body)

    def kept() -> list[dict[str, Any]] | None:
        found = world.client("sqs").receive_message(
            QueueUrl=letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        messages: list[dict[str, Any]] = found.get("Messages", [])
        return messages if len(messages) >= 2 else None

    messages = world.wait_for("two messages among the dead letters", kept)
    assert all(message["MessageAttributes"]["Reason"]["StringValue"] for message in messages)
    world.client("sqs").purge_queue(QueueUrl=letters)


def test_a_request_for_a_run_that_cannot_be_read_is_kept_too(world: World) -> None:
    queue, letters = queue_named(world, "RunsQueue"), queue_named(world, "RunsDeadLetters")

    world.client("sqs").send_message(
        QueueUrl=queue, MessageBody="this is no request", MessageGroupId="x", MessageDeduplicationId="unreadable"
    )

    message = world.wait_for("a message among the dead letters", lambda: first_letter(world, letters))
    assert message["MessageAttributes"]["Reason"]["StringValue"]
    world.client("sqs").purge_queue(QueueUrl=letters)


def first_letter(world: World, letters: str) -> dict[str, Any] | None:
    """Return a message of a dead-letter queue; None where it is empty."""
    found = world.client("sqs").receive_message(QueueUrl=letters, MessageAttributeNames=["All"], VisibilityTimeout=0)
    messages: list[dict[str, Any]] = found.get("Messages", [])
    return messages[0] if messages else None


def test_a_file_without_rows_ends_in_a_mail_that_says_so(world: World, tmp_path: Path) -> None:
    before = len(world.mails("abalone", "failed"))
    empty = tmp_path / "norows.csv"
    empty.write_text("\n\n")

    world.signalbox("upload", str(empty))

    mail = world.mail("abalone", "failed", number=before + 1)
    assert "norows.csv: has no rows: upload it with its rows" in " ".join(inbox.text(mail).split())
    assert "UnusableFiles" in inbox.text(mail)
    assert len(world.mails("abalone", "failed")) == before + 1


def test_the_good_file_of_a_run_that_a_bad_one_took_down_is_run_again_without_it(
    world: World, table: list[str], tmp_path: Path
) -> None:
    before, failed, version = (
        len(runs(world)),
        len(world.mails("abalone", "failed")),
        len(world.packages("abalone")) + 1,
    )
    bad, good = tmp_path / "no rows at all.csv", tmp_path / "whole.csv"
    bad.write_text("\n\n")
    good.write_text("".join(table))
    keys = [line.split("/", 3)[3] for line in world.signalbox("upload", str(bad), str(good)).decode().splitlines()]
    mail = inbox.text(world.mail("abalone", "failed", number=failed + 1))
    told = re.search(r"Run: (\S+)", mail)
    assert told is not None
    assert f"{keys[0]} (empty): has no rows" in mail
    assert f"signalbox rerun {told[1]} --without '{keys[0]}'" in mail
    assert keys[0] in world.signalbox("quarantine", told[1]).decode()

    world.signalbox("rerun", told[1], "--without", keys[0])

    asked = world.mail("approve", f"abalone version {version}")
    assert good.name in inbox.text(asked)
    assert bad.name not in inbox.text(asked)
    world.reject(asked, "The scenario is over")
    assert len(runs(world)) == before + 2
    assert b"quarantined" in world.signalbox("uploads", bad.name)
    assert b"Succeeded" in world.signalbox("uploads", good.name)


def test_where_a_share_is_allowed_the_good_files_are_reviewed_and_the_others_named(
    world: World, table: list[str], tmp_path: Path
) -> None:
    version, project = len(world.packages("abalone")) + 1, ROOT / "projects" / "abalone"
    lenient = shutil.copytree(project, tmp_path / "abalone")
    file = lenient / "signalbox.yaml"
    file.write_text(file.read_text().replace("models: [abalone]", "models: [abalone]\n    bad_share: 0.5"))
    world.signalbox("deploy", str(lenient))
    good, bad, notes = (tmp_path / name for name in ("good rows.csv", "tall.csv", "notes.txt"))
    good.write_text("".join(table))
    bad.write_text(f"{table[0]}{table[1].replace('0.', 'tall.', 1)}")
    notes.write_text("measured in spring\n")

    world.signalbox("upload", str(good), str(bad), str(notes))

    asked = inbox.text(world.mail("approve", f"abalone version {version}"))
    assert re.search(r"tall\.csv, line 2: Length is 'tall\.\d+', wants a number", asked), asked
    assert re.search(r"notes\.txt \(ignored\): is not read, because only \.csv or \.data is taken", asked), asked
    listed = world.wait_for("the files to be kept", lambda: _quarantined(world, bad.name))
    assert (listed["status"], [one["kind"] for one in listed["files"]]) == ("Succeeded", ["ignored", "bad"])
    assert b"quarantined" in world.signalbox("uploads", bad.name)
    assert b"Succeeded" in world.signalbox("uploads", good.name)
    world.reject(world.mail("approve", f"abalone version {version}"), "The scenario is over")
    world.signalbox("deploy", str(project))


def _quarantined(world: World, name: str) -> dict[str, Any] | None:
    """Return the run that is over and has left out a file of that name."""
    runs_with_some = json.loads(world.signalbox("quarantine", "--json"))
    return next(
        (
            run
            for run in runs_with_some
            if run["status"] == "Succeeded" and any(one["file"].endswith(name) for one in run["files"])
        ),
        None,
    )


def uploads_queue(world: World) -> str:
    """Return the URL of the queue that upload events come through."""
    return queue_named(world, "UploadsQueue")


def dead_letters(world: World) -> str:
    """Return the URL of the queue of unreadable upload events."""
    return queue_named(world, "UploadsDeadLetters")


def queue_named(world: World, logical_id: str) -> str:
    """Return the URL of a queue of the stack."""
    described = world.client("cloudformation").describe_stack_resource(
        StackName=deploy.STACK, LogicalResourceId=logical_id
    )
    return str(described["StackResourceDetail"]["PhysicalResourceId"])


def waiting(world: World, queue: str) -> int:
    """Return how many messages a queue has: to be had, delayed or in flight."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "Delayed", "NotVisible")]
    found = world.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)
