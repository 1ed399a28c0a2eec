"""What was approved is what is served: whatever is replaced or borrowed afterwards is refused, and people are told."""

import json
import uuid
from pathlib import Path
from typing import Any

from sagemaker_local import inbox
from signalbox_local.browser import Browser
from signalbox_local.demo.data import seeded
from tests.system.world import IRIS, PIPELINE, World

SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
# The name of the jobs by which somebody tries what the job role may do: their refusals are wanted.
ATTACK = "attack"
WRITE = "import boto3, sys; boto3.client('s3').put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=b'replaced')"


def artefact(world: World, model: str, version: int) -> str:
    """Return where the data of a package's model lie."""
    [container] = world.package(model, version)["InferenceSpecification"]["Containers"]
    return str(container["ModelDataUrl"])


def write_as_a_job(world: World, uri: str) -> dict[str, Any]:
    """Let a job of the stack's job role overwrite an object; return the description of the job that has ended."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    sagemaker, name = world.client("sagemaker"), f"{ATTACK}-{uuid.uuid4().hex[:8]}"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=world.outputs["JobRoleArn"],
        AppSpecification={
            "ImageUri": SCIKIT_LEARN,
            "ContainerEntrypoint": ["python3", "-c", WRITE],
            "ContainerArguments": [bucket, key],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
    )

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in ("Completed", "Failed") else None

    return world.wait_for(f"the end of {name}", ended)


def answers(world: World, model: str, stage: str) -> bytes:
    """Return what a stage's model says of the held-out rows."""
    return world.predict(stage, model, "\n".join(",".join(row[1:]) for row in world.rows()))


def register(world: World, model: str, properties: dict[str, str], status: str) -> str:
    """Register the model of a group's first version once more, as somebody else would; return the version's ARN."""
    made = world.client("sagemaker").create_model_package(
        ModelPackageGroupName=world.group(model),
        InferenceSpecification={
            "Containers": [{"Image": IRIS, "ModelDataUrl": artefact(world, model, 1)}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties=properties,
        ModelApprovalStatus=status,
    )
    return str(made["ModelPackageArn"])


def test_a_job_replaces_neither_an_approved_model_nor_published_code(world: World) -> None:
    execution = world.train("kept", "c1")
    world.approve(world.mail("approve", "kept version 1"))
    to_prod = world.mail("to prod", "kept version 1")
    served = answers(world, "kept", "staging")
    code = world.client("s3").list_objects_v2(Bucket=world.outputs["ArtifactsBucket"], Prefix="code/")["Contents"]

    for uri in (artefact(world, "kept", 1), f"s3://{world.outputs['ArtifactsBucket']}/{code[0]['Key']}"):
        assert write_as_a_job(world, uri)["ProcessingJobStatus"] == "Failed"
    world.approve(to_prod)
    world.succeeded(execution)
    assert answers(world, "kept", "prod") == served


def test_a_model_that_a_job_replaces_where_it_was_trained_is_never_served_and_the_mail_says_why(world: World) -> None:
    execution = world.train("tampered", "c1")
    world.approve(world.mail("approve", "tampered version 1"))
    to_prod = world.mail("to prod", "tampered version 1")
    served = answers(world, "tampered", "staging")
    job = world.client("sagemaker").list_training_jobs(NameContains="tampered")["TrainingJobSummaries"][0]
    trained = world.client("sagemaker").describe_training_job(TrainingJobName=job["TrainingJobName"])

    uri = trained["ModelArtifacts"]["S3ModelArtifacts"]
    assert write_as_a_job(world, uri)["ProcessingJobStatus"] == "Completed"
    world.approve(to_prod)

    assert world.ended(execution)["status"] == "FAILED"
    assert f"{uri} was replaced on" in inbox.text(world.mail("tampered version 1", "failed"))
    assert world.endpoint("tampered", "prod") is None
    assert answers(world, "tampered", "staging") == served


def test_a_model_that_was_replaced_after_its_approval_is_not_served_and_the_mail_says_why(world: World) -> None:
    world.release("swapped", "c1", 1, max_leaf_nodes="2")
    before = answers(world, "swapped", "prod")
    execution = world.train("swapped", "c2", max_leaf_nodes="8")
    world.approve(world.mail("approve", "swapped version 2"))
    to_prod = world.mail("to prod", "swapped version 2")
    bucket, key = artefact(world, "swapped", 2).removeprefix("s3://").split("/", 1)

    world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"somebody else's model")
    world.approve(to_prod)

    assert world.ended(execution)["status"] == "FAILED"
    told = inbox.text(world.mail("swapped version 2", "failed"))
    assert "is not what was tested and approved" in told
    assert f"{key} was replaced on" in told
    assert answers(world, "swapped", "prod") == before


def test_what_served_before_does_not_return_when_it_was_replaced(world: World) -> None:
    world.release("returning", "c1", 1, max_leaf_nodes="2")
    world.release("returning", "c2", 2, max_leaf_nodes="8")
    bucket, key = artefact(world, "returning", 1).removeprefix("s3://").split("/", 1)

    world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"somebody else's model")
    world.decide_in_registry("returning", 2, "Rejected")

    told = inbox.text(world.mail("returning", "failed"))
    assert f"{key} was replaced on" in told
    assert world.live_package("returning", "staging") == world.packages("returning")[1]["ModelPackageArn"]


def test_an_older_mail_approves_nothing_once_its_package_was_tested_again(world: World) -> None:
    world.train("retested", "c1")
    world.reject(world.mail("approve", "retested version 1"), "its model is registered once more")
    held_out = {"test-data": f"s3://{world.outputs['DataBucket']}/models/retested/test/", "problem": "multiclass"}
    again = {"package": register(world, "retested", held_out, "PendingManualApproval")}
    older = world.mail("approve", "retested version 2")
    execution = world.start(again, "retested-again")
    newer = world.mail("approve", "retested version 2", number=2)

    page = Browser().decide(older, "approve", "as I read it")

    assert (page.status_code, "A newer mail asks about this" in page.text) == (409, True)
    assert world.package("retested", 2)["ModelApprovalStatus"] == "PendingManualApproval"
    world.approve(newer)
    world.approve(world.mail("to prod", "retested version 2"))
    world.succeeded(execution)
    assert world.ended(world.start(again, "retested-once-more"))["status"] == "FAILED"
    assert "what was approved is not tested again" in inbox.text(world.mail("retested", "failed"))


def test_a_package_with_another_ones_report_is_not_served_and_the_mail_says_so(world: World) -> None:
    world.release("borrowed", "c1", 1)
    execution = world.train("borrowed", "c2", max_leaf_nodes="2")
    world.approve(world.mail("approve", "borrowed version 2"))
    to_prod = world.mail("to prod", "borrowed version 2")
    lent = {name: world.package("borrowed", 1)["CustomerMetadataProperties"][name] for name in ("report", "golden")}

    world.client("sagemaker").update_model_package(
        ModelPackageArn=world.packages("borrowed")[1]["ModelPackageArn"], CustomerMetadataProperties=lent
    )
    world.approve(to_prod)

    assert world.ended(execution)["status"] == "FAILED"
    assert lent["report"] in inbox.text(world.mail("borrowed version 2", "failed"))
    assert world.live_package("borrowed", "prod") == world.packages("borrowed")[0]["ModelPackageArn"]


def test_an_image_that_was_pushed_again_under_its_tag_is_not_served(world: World, containers: Path) -> None:
    container = containers / "iris" / "iris-decision-tree"
    execution = world.train("retagged", "c1")
    world.approve(world.mail("approve", "retagged version 1"))
    to_prod = world.mail("to prod", "retagged version 1")

    (container / "pushed-again").write_text("other content under the same tag")
    try:
        world.approve(to_prod)
        assert world.ended(execution)["status"] == "FAILED"
    finally:
        (container / "pushed-again").unlink()
    assert "there is no image of this digest" in inbox.text(world.mail("retagged version 1", "failed"))
    assert world.endpoint("retagged", "prod") is None


def test_a_package_that_is_registered_as_approved_waits_for_a_person_and_people_are_told(world: World) -> None:
    world.release("forged", "c1", 1)
    first = world.package("forged", 1)

    register(world, "forged", first["CustomerMetadataProperties"], "Approved")

    world.mail("forged version 2", "approved without a review")
    review = world.mail("approve forged version 2?")
    assert world.package("forged", 2)["ModelApprovalStatus"] == "PendingManualApproval"
    assert world.live_package("forged", "staging") == first["ModelPackageArn"]
    world.reject(review, "nobody knows where it comes from")
    world.mail("forged version 2", "was rejected")


def test_a_pipeline_that_is_started_with_an_approval_registers_nothing(world: World, tmp_path: Path) -> None:
    bucket, rows = world.outputs["DataBucket"], tmp_path / "rows.csv"
    key = f"manifests/{PIPELINE}/forged.json"  # where the project's jobs may read
    rows.write_text(seeded())
    world.client("s3").upload_file(str(rows), bucket, "models/abalone/forged/rows.csv")
    manifest = json.dumps([{"prefix": f"s3://{bucket}/models/abalone/forged/"}, "rows.csv"]).encode()
    world.client("s3").put_object(Bucket=world.outputs["ArtifactsBucket"], Key=key, Body=manifest)
    files = [{"file": "rows.csv", "name": "rows.csv", "version": "1", "uploaded": "2026-11-27T12:00:00Z"}]
    versions = json.dumps({"files": files})
    world.client("s3").put_object(
        Bucket=world.outputs["ArtifactsBucket"], Key=f"{key}.versions.json", Body=versions.encode()
    )
    before = len(world.packages("abalone")) if world.has_group("abalone") else 0

    world.client("sagemaker").start_pipeline_execution(
        PipelineName=PIPELINE,
        PipelineParameters=[
            {"Name": "InputManifest", "Value": f"s3://{world.outputs['ArtifactsBucket']}/{key}"},
            {"Name": "ModelApprovalStatus", "Value": "Approved"},
        ],
    )

    told = inbox.text(world.mail("abalone", "failed in Register"))
    assert "sagemaker:CreateModelPackage" in told
    assert (len(world.packages("abalone")) if world.has_group("abalone") else 0) == before


def test_a_model_is_not_tested_on_the_rows_that_it_is_trained_on(world: World) -> None:
    world.put_iris("crammed")
    data = world.outputs["DataBucket"]
    given = {"image": IRIS, "commit": "c1", "model": "crammed", "problem": "multiclass"}
    given["train_data"] = f"s3://{data}/models/crammed/test/"

    execution = world.start(given, "crammed-c1")

    assert world.ended(execution)["status"] == "FAILED"
    assert "rows of test_data" in inbox.text(world.mail("crammed", "failed"))


def test_nobody_chooses_the_test_data_of_a_model(world: World) -> None:
    world.put_iris("chosen")
    data = world.outputs["DataBucket"]
    world.client("s3").upload_file(str(world.iris / "test" / "iris.csv"), data, "models/somebody/test/easy.csv")
    given = {"image": IRIS, "commit": "c1", "model": "chosen", "problem": "multiclass"}
    places = (f"s3://{data}/models/somebody/test/", f"s3://{data}/models/chosen/test/d/")

    for number, place in enumerate(places, start=1):
        execution = world.start({**given, "test_data": place}, f"chosen-c{number}")
        assert world.ended(execution)["status"] == "FAILED"
        told = inbox.text(world.mail("chosen", "failed", number=number))
        assert f"test_data {place} are not those of the model chosen" in told


def test_answers_that_lie_beside_those_of_the_test_are_no_evidence_and_no_job_can_put_them_there(world: World) -> None:
    world.put_iris("foretold")
    uri = f"s3://{world.outputs['ArtifactsBucket']}/transforms/foretold-c1/easy.csv.out"
    assert write_as_a_job(world, uri)["ProcessingJobStatus"] == "Failed"
    bucket, key = uri.removeprefix("s3://").split("/", 1)

    world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"setosa,5.1,3.5,1.4,0.2,setosa\n")
    given = {"image": IRIS, "commit": "c1", "model": "foretold", "problem": "multiclass"}
    execution = world.start(given, "foretold-c1")

    assert world.ended(execution)["status"] == "FAILED"
    assert f"{uri} is the output of no file under" in inbox.text(world.mail("foretold", "failed"))
    assert not world.has_group("foretold")
