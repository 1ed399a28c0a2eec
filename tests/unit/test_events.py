"""Every sample is read to what it says, and a member that is missing is named."""

from typing import Any

import pytest
from tests.support.samples import sample, sample_names, with_detail

from signalbox.events import EventError, ExecutionChange, ModelPackageChange, ObjectUploaded, RefusedCallError

BUCKET = "signalbox-data-123456789012"
VERSION = "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"


@pytest.mark.parametrize(
    ("name", "key", "version", "call"),
    [
        ("put-object-cloudtrail", "incoming/abalone.csv", VERSION, "PutObject"),
        ("put-object-without-version-cloudtrail", "incoming/abalone.csv", None, "PutObject"),
        ("post-object-cloudtrail", "incoming/abalone.csv", VERSION, "PostObject"),
        ("post-object-without-key-cloudtrail", "incoming/abalone.csv", VERSION, "PostObject"),
        ("copy-object-cloudtrail", "incoming/batch 1+2/abalone.csv", "n2VZpEXAMPLE4bQ0rP8iF3mT1cW7yKdh", "CopyObject"),
        (
            "complete-multipart-upload-cloudtrail",
            "incoming/abalone-large.csv",
            "Zk8aQEXAMPLE1vN6uB3xL9sR5tG2wHje",
            "CompleteMultipartUpload",
        ),
        ("object-created", "incoming/abalone.csv", VERSION, "PutObject"),
        ("object-created-unversioned", "incoming/abalone.csv", None, "PutObject"),
    ],
)
def test_both_shapes_of_an_upload_are_read(name: str, key: str, version: str | None, call: str) -> None:
    seen = ObjectUploaded.read(sample(f"s3/{name}"))
    assert (seen.bucket, seen.key, seen.version, seen.call) == (BUCKET, key, version, call)


def test_the_native_shape_tells_size_etag_and_sequencer_and_cloudtrail_does_not() -> None:
    native = ObjectUploaded.read(sample("s3/object-created"))
    trail = ObjectUploaded.read(sample("s3/put-object-cloudtrail"))
    assert (native.size, native.etag) == (191_873, "b1946ac92492d2347c6235b4d2611184")
    assert native.sequencer == "00617F08299329D189"
    assert (trail.size, trail.etag, trail.sequencer) == (None, None, None)


USER = {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/team/ann", "accountId": "123456789012"}
SESSION = {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/Uploader/ann"}


@pytest.mark.parametrize(
    ("identity", "by"),
    [
        (USER, "user/team/ann"),
        (SESSION | {"accountId": "123456789012"}, "assumed-role/Uploader/ann"),
        (SESSION, "assumed-role/Uploader/ann"),
        ({"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012"}, "root"),
        (USER | {"accountId": "999999999999"}, "user/team/ann of account 999999999999"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "999999999999"}, "account 999999999999"),
        ({"type": "AWSService", "invokedBy": "datasync.amazonaws.com"}, "datasync.amazonaws.com"),
        ({"type": "WebIdentityUser", "userName": "ann@example.com"}, "ann@example.com"),
        ({"type": "Unknown"}, ""),
        ({"arn": 7}, ""),
        ("somebody", ""),
        (None, ""),
    ],
)
def test_cloudtrail_says_who_uploaded_and_a_form_that_is_not_known_costs_no_upload(identity: object, by: str) -> None:
    seen = ObjectUploaded.read(with_detail(sample("s3/put-object-cloudtrail"), userIdentity=identity))
    assert (seen.key, seen.by) == ("incoming/abalone.csv", by)


def test_s3s_own_event_does_not_say_who_uploaded() -> None:
    assert ObjectUploaded.read(sample("s3/object-created")).by == ""


def test_the_version_may_be_in_the_additional_data() -> None:
    event = with_detail(
        sample("s3/put-object-without-version-cloudtrail"),
        responseElements=None,
        additionalEventData={"x-amz-version-id": "v9"},
    )
    assert ObjectUploaded.read(event).version == "v9"


@pytest.mark.parametrize(
    ("written", "others"),
    [
        ("incoming/a b.csv", ()),
        ("incoming/ä.csv", ()),
        ("incoming/a%20b.csv", ("incoming/a b.csv",)),
        ("incoming/a%20b%2Bc+d.csv", ("incoming/a b+c+d.csv", "incoming/a b+c d.csv")),
        ("incoming/a+b.csv", ("incoming/a b.csv",)),
    ],
)
def test_a_key_of_cloudtrail_is_read_as_it_is_and_as_it_would_be_encoded(written: str, others: tuple[str, ...]) -> None:
    event = with_detail(sample("s3/put-object-cloudtrail"), requestParameters__key=written, resources=None)
    seen = ObjectUploaded.read(event)
    assert (seen.key, seen.other_keys) == (written, others)


def test_a_key_that_is_nowhere_is_named_as_missing() -> None:
    event = with_detail(sample("s3/post-object-without-key-cloudtrail"), resources=None)
    with pytest.raises(EventError, match=r"detail\.requestParameters\.key is missing: give a text"):
        ObjectUploaded.read(event)


def test_no_version_is_read_where_cloudtrail_tells_none() -> None:
    event = sample("s3/put-object-without-version-cloudtrail")
    assert ObjectUploaded.read(with_detail(event, responseElements=None)).version is None
    assert ObjectUploaded.read(with_detail(event, responseElements={"x-amz-version-id": None})).version is None


def test_every_refusal_says_where_to_correct_it() -> None:
    with pytest.raises(
        EventError, match=r"Correct the rule that sends such events, or the reading in signalbox\.events"
    ):
        ObjectUploaded.read({})


def test_a_refused_call_is_not_an_upload() -> None:
    with pytest.raises(RefusedCallError, match="PutObject was refused with AccessDenied"):
        ObjectUploaded.read(sample("s3/put-object-denied-cloudtrail"))


@pytest.mark.parametrize("nothing", [None, {}, {"x-amz-version-id": None}, {"x-amz-version-id": ""}])
def test_a_group_that_cloudtrail_leaves_empty_tells_no_version(nothing: object) -> None:
    event = sample("s3/put-object-without-version-cloudtrail")
    event["detail"] |= {"responseElements": nothing, "additionalEventData": nothing, "errorCode": None}

    assert ObjectUploaded.read(event).version is None


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_s3_leaves_empty_is_not_told(nothing: str | None) -> None:
    event = sample("s3/object-created")
    event["detail"] |= {"reason": nothing}
    event["detail"]["object"] |= {"version-id": nothing, "sequencer": nothing}
    seen = ObjectUploaded.read(event)

    assert (seen.version, seen.sequencer, seen.call) == (None, None, "PutObject")


@pytest.mark.parametrize("name", ["get-object-cloudtrail", "delete-object-cloudtrail", "object-deleted"])
def test_an_event_that_uploads_nothing_is_refused(name: str) -> None:
    with pytest.raises(
        EventError,
        match=r'which uploads nothing|is "Object Deleted": allowed are Object Created, AWS API',
    ):
        ObjectUploaded.read(sample(f"s3/near-misses/{name}"))


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({}, "detail-type is missing: allowed are Object Created, AWS API Call via CloudTrail"),
        ({"detail-type": 7}, "detail-type is 7: allowed are Object Created"),
        (
            with_detail(sample("s3/object-created"), object__key=None),
            "detail.object.key is missing: give a text",
        ),
        (with_detail(sample("s3/object-created"), object__size="9"), 'detail.object.size is "9": give a whole number'),
        (with_detail(sample("s3/object-created"), bucket=None), "detail.bucket is missing: give an object"),
        (
            with_detail(sample("s3/put-object-cloudtrail"), requestParameters=None),
            "detail.requestParameters is missing: give an object",
        ),
    ],
)
def test_a_missing_member_of_an_upload_is_named(event: dict[str, Any], problem: str) -> None:
    with pytest.raises(EventError, match=problem):
        ObjectUploaded.read(event)


@pytest.mark.parametrize(
    ("name", "status", "final"),
    [
        ("pipeline-execution-succeeded", "Succeeded", True),
        ("pipeline-execution-failed", "Failed", True),
        ("pipeline-execution-stopped", "Stopped", True),
        ("pipeline-execution-completed-with-failures", "CompletedWithFailures", True),
        ("near-misses/pipeline-execution-executing", "Executing", False),
        ("near-misses/pipeline-execution-stopping", "Stopping", False),
    ],
)
def test_the_status_of_an_execution_is_read(name: str, status: str, final: bool) -> None:
    change = ExecutionChange.read(sample(f"sagemaker/{name}"))
    assert (change.pipeline, change.status, change.final) == ("signalbox-abalone", status, final)
    assert change.execution_arn.endswith("pipeline/signalbox-abalone/execution/p4jn9xou8a8s")


def test_an_execution_change_without_a_pipeline_is_refused() -> None:
    event = sample("sagemaker/pipeline-execution-succeeded")
    with pytest.raises(EventError, match=r"detail.pipelineArn is \"arn.*x/y\": give the ARN of a pipeline"):
        ExecutionChange.read(with_detail(event, pipelineArn="arn:aws:sagemaker:us-east-1:123456789012:x/y"))
    with pytest.raises(EventError, match='Step Status Change": allowed are SageMaker Model Building Pipeline Exec'):
        ExecutionChange.read(sample("sagemaker/near-misses/pipeline-step-failed"))


@pytest.mark.parametrize(
    ("name", "status", "about_approval"),
    [
        ("model-package-approved", "Approved", True),
        ("model-package-rejected", "Rejected", True),
        ("model-package-pending", "PendingManualApproval", True),
        ("model-package-pending-no-fields", "PendingManualApproval", True),
        ("model-package-pending-null-fields", "PendingManualApproval", True),
        ("near-misses/model-package-life-cycle-only", "PendingManualApproval", False),
        ("model-package-created-approved", "Approved", True),
        ("model-package-metadata-only", "Approved", False),
        ("near-misses/model-package-description-only", "Approved", False),
    ],
)
def test_a_change_of_a_package_says_whether_it_is_about_the_approval(
    name: str, status: str, about_approval: bool
) -> None:
    change = ModelPackageChange.read(sample(f"sagemaker/{name}"))
    assert (change.group, change.version, change.status) == ("signalbox-abalone", 2, status)
    assert change.arn.endswith("model-package/signalbox-abalone/2")
    assert change.about_approval is about_approval


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ModelPackageVersion": None}, "detail.ModelPackageVersion is missing: give a whole number"),
        ({"ModelPackageVersion": "2"}, 'detail.ModelPackageVersion is "2": give a whole number'),
        ({"ModelApprovalStatus": None}, "detail.ModelApprovalStatus is missing: give a text"),
        ({"ModelPackageStatus": None}, "detail.ModelPackageStatus is missing: give a text"),
        (
            {"UpdatedModelPackageFields": "ModelApprovalStatus"},
            'PackageFields is "ModelApprovalStatus": give a list',
        ),
    ],
)
def test_a_package_change_that_says_too_little_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(EventError, match=problem):
        ModelPackageChange.read(with_detail(sample("sagemaker/model-package-approved"), **changes))


@pytest.mark.parametrize(
    ("changed_at", "at"), [("2026-11-20T10:00:14Z", "2026-11-20T10:00:14Z"), (1795168814000, "1795168814000")]
)
def test_the_time_of_a_change_is_as_sagemaker_writes_it(changed_at: object, at: str) -> None:
    event = with_detail(sample("sagemaker/model-package-approved"), LastModifiedTime=changed_at)

    assert ModelPackageChange.read(event).changed_at == at


def test_without_a_time_of_the_change_the_events_own_time_counts() -> None:
    event = with_detail(sample("sagemaker/model-package-approved"), LastModifiedTime=None)

    assert ModelPackageChange.read(event).changed_at == event["time"]


def test_every_sample_of_an_event_has_the_envelope_of_eventbridge() -> None:
    names = [*sample_names("s3"), *sample_names("sagemaker")]
    envelope = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
    assert all(set(sample(name)) == envelope for name in names)
    assert len({sample(name)["id"] for name in names}) == len(names)


def test_a_builder_changes_a_copy() -> None:
    changed = with_detail(sample("s3/object-created"), object__version_id="v2", reason=None)
    assert changed["detail"]["object"]["version-id"] == "v2"
    assert "reason" not in changed["detail"]
    assert sample("s3/object-created")["detail"]["reason"] == "PutObject"
