"""CloudTrail in our cloud: a trail made by CloudFormation, object-level calls, and their events on the bus."""

import json
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.test_cloud_sagemaker import refused
from tests.contract.world import World, allow, code, name, until

WATCHED = ["PutObject", "PostObject", "CompleteMultipartUpload", "CopyObject"]


def template(bucket: str, queue: str) -> dict[str, Any]:
    """Return a template of a bucket, a trail over its `incoming/` and a rule that passes its events to a queue."""
    place = f"arn:aws:s3:::{bucket}"
    fields = {
        "eventCategory": ["Data"],
        "resources.type": ["AWS::S3::Object"],
        "eventName": WATCHED,
        "readOnly": ["false"],
    }
    selector = [{"Field": field, "Equals": values} for field, values in fields.items()]
    selector.append({"Field": "resources.ARN", "StartsWith": [f"{place}/incoming/"]})
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    statements = [
        {**trust, "Action": "s3:GetBucketAcl", "Resource": place},
        {**trust, "Action": "s3:PutObject", "Resource": f"{place}/AWSLogs/*"},
    ]
    trail = {
        "S3BucketName": bucket,
        "IsLogging": True,
        "AdvancedEventSelectors": [{"Name": "objects", "FieldSelectors": selector}],
    }
    pattern = {"source": ["aws.s3"], "detail-type": ["AWS API Call via CloudTrail"]}
    pattern["detail"] = {"requestParameters": {"bucketName": [bucket]}}  # type: ignore[assignment]
    target = {"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}
    policy = {"Bucket": bucket, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "DependsOn": "Bucket", "Properties": policy},
            "Trail": {"Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": trail},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": [target]}},
        }
    }


class Watched:
    """A bucket under a trail, and the events that came of it."""

    def __init__(self, cloud: World) -> None:
        self.cloud, self.bucket, self.stack = cloud, name("watched"), name("stack")
        queue, formation = name("queue"), cloud.client("cloudformation")
        text = json.dumps(template(self.bucket, queue))
        formation.create_stack(StackName=self.stack, TemplateBody=text)
        until(lambda: self._status() == "CREATE_COMPLETE")
        self.s3, self.sqs = cloud.client("s3"), cloud.client("sqs")
        self.queue = self.sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def _status(self) -> str:
        found = self.cloud.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        assert not found["StackStatus"].endswith(("FAILED", "ROLLBACK_COMPLETE")), found
        return str(found["StackStatus"])

    def events(self) -> list[dict[str, Any]]:
        """Return the details that came since last time, up to that of a marker that is put now."""
        self.s3.put_object(Bucket=self.bucket, Key="incoming/marker", Body=b"")
        found: list[dict[str, Any]] = []

        def complete() -> bool:
            messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                found.append(json.loads(message["Body"])["detail"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            return any(detail["requestParameters"]["key"] == "incoming/marker" for detail in found)

        until(complete)
        return [detail for detail in found if detail["requestParameters"]["key"] != "incoming/marker"]


@pytest.fixture(scope="module")
def watched(cloud: World) -> Watched:
    """A bucket under a trail."""
    return Watched(cloud)


def test_an_upload_becomes_an_event_of_cloudtrails_shape(watched: Watched) -> None:
    watched.s3.put_object(Bucket=watched.bucket, Key="incoming/a.csv", Body=b"1")

    (detail,) = watched.events()

    assert (detail["eventSource"], detail["eventName"], detail["readOnly"]) == ("s3.amazonaws.com", "PutObject", False)
    assert detail["requestParameters"] == {
        "bucketName": watched.bucket,
        "Host": f"{watched.bucket}.s3.{REGION}.amazonaws.com",
        "key": "incoming/a.csv",
    }
    assert (detail["eventCategory"], detail["recipientAccountId"]) == ("Data", ACCOUNT)
    assert "errorCode" not in detail


def test_a_copy_and_a_multipart_upload_are_one_event_each(watched: Watched) -> None:
    s3, bucket = watched.s3, watched.bucket
    s3.put_object(Bucket=bucket, Key="elsewhere/a.csv", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="incoming/copy.csv", CopySource={"Bucket": bucket, "Key": "elsewhere/a.csv"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="incoming/big.csv")["UploadId"]
    where = {"Bucket": bucket, "Key": "incoming/big.csv", "UploadId": upload}
    part = s3.upload_part(**where, PartNumber=1, Body=b"1")["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"ETag": part, "PartNumber": 1}]})

    found = {detail["eventName"]: detail["requestParameters"] for detail in watched.events()}

    assert set(found) == {"CopyObject", "CompleteMultipartUpload"}
    assert found["CopyObject"]["x-amz-copy-source"].lstrip("/") == f"{bucket}/elsewhere/a.csv"
    assert found["CompleteMultipartUpload"]["uploadId"] == upload


def test_the_form_of_a_browser_is_an_event_that_names_who_signed_it(watched: Watched) -> None:
    role = watched.cloud.role(allow("s3:PutObject"))
    signer = watched.cloud.as_role(role, "s3")
    form = signer.generate_presigned_post(watched.bucket, "incoming/from a ${filename}", ExpiresIn=600)

    answer = httpx.post(form["url"], data=form["fields"], files={"file": ("browser.csv", b"1", "text/csv")})

    assert answer.status_code == httpx.codes.NO_CONTENT, answer.text
    (detail,) = watched.events()
    assert (detail["eventName"], detail["requestParameters"]["key"]) == ("PostObject", "incoming/from a browser.csv")
    assert role.rsplit("/", maxsplit=1)[-1] in detail["userIdentity"]["arn"]


def test_what_the_trail_does_not_select_makes_no_event(watched: Watched) -> None:
    s3, bucket = watched.s3, watched.bucket
    s3.put_object(Bucket=bucket, Key="elsewhere/b.csv", Body=b"1")
    s3.put_object(Bucket=bucket, Key="incoming", Body=b"1")
    s3.put_object(Bucket=watched.cloud.bucket(), Key="incoming/b.csv", Body=b"1")
    watched.events()
    s3.put_object(Bucket=bucket, Key="incoming/b.csv", Body=b"1")
    watched.events()
    s3.get_object(Bucket=bucket, Key="incoming/b.csv")
    s3.put_object_tagging(Bucket=bucket, Key="incoming/b.csv", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object(Bucket=bucket, Key="incoming/b.csv")

    assert watched.events() == []


@pytest.mark.parametrize(
    "key", ["incoming/two words.csv", "incoming/a+b.csv", "incoming/50%25.csv", "incoming/ä/é.csv"]
)
def test_a_key_comes_as_it_is(watched: Watched, key: str) -> None:
    watched.s3.put_object(Bucket=watched.bucket, Key=key, Body=b"1")

    assert [detail["requestParameters"]["key"] for detail in watched.events()] == [key]


def test_a_call_that_is_denied_is_told_with_its_error(watched: Watched) -> None:
    role = watched.cloud.role(allow("s3:GetObject"))
    with pytest.raises(ClientError) as caught:
        watched.cloud.as_role(role, "s3").put_object(Bucket=watched.bucket, Key="incoming/no.csv", Body=b"1")
    assert code(caught.value) == "AccessDenied"

    (detail,) = watched.events()

    assert detail["errorCode"] == "AccessDenied"
    assert role.rsplit("/", maxsplit=1)[-1] in detail["userIdentity"]["arn"]


def test_a_trail_into_a_bucket_that_does_not_let_cloudtrail_write_fails_the_stack(cloud: World) -> None:
    formation, stack, bucket = cloud.client("cloudformation"), name("stack"), name("closed")
    resources = template(bucket, name("queue"))["Resources"]
    del resources["Policy"], resources["Trail"]["DependsOn"]
    resources["Trail"]["DependsOn"] = "Bucket"
    formation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))

    until(lambda: not formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"].endswith("IN_PROGRESS"))

    reasons = [
        event.get("ResourceStatusReason", "")
        for event in formation.describe_stack_events(StackName=stack)["StackEvents"]
    ]
    assert any("InsufficientS3BucketPolicyException" in reason for reason in reasons)
    assert refused(cloud.client("s3").head_bucket, Bucket=bucket)[0] == "404"


@pytest.mark.parametrize("decrypts", [True, False])
def test_a_trail_with_a_key_into_a_bucket_with_a_bucket_key_needs_to_decrypt(cloud: World, decrypts: bool) -> None:
    """CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail"."""
    formation, stack, bucket = cloud.client("cloudformation"), name("stack"), name("encrypted")
    resources = template(bucket, name("queue"))["Resources"]
    actions = ["kms:GenerateDataKey*", "kms:DescribeKey", *(["kms:Decrypt"] if decrypts else [])]
    trusted = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    policy = {"Version": "2012-10-17", "Statement": [{**trusted, "Action": actions, "Resource": "*"}]}
    resources["Key"] = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    rule = {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    resources["Bucket"]["Properties"]["BucketEncryption"] = {"ServerSideEncryptionConfiguration": [rule]}
    resources["Trail"]["Properties"]["KMSKeyId"] = key
    formation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))

    until(lambda: not formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"].endswith("IN_PROGRESS"))

    events = formation.describe_stack_events(StackName=stack)["StackEvents"]
    refusals = [event for event in events if "kms:Decrypt" in event.get("ResourceStatusReason", "")]
    assert bool(refusals) is not decrypts
    ended = formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    assert (ended == "CREATE_COMPLETE") is decrypts


def _rights(bucket: str) -> str:
    """Return a bucket's policy that lets CloudTrail write there."""
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    statements = [
        {**trust, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        {**trust, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_a_trail_of_the_api_has_classic_selectors_and_tells_what_they_select(cloud: World) -> None:
    bucket, title, trails = cloud.bucket(), name("trail"), cloud.client("cloudtrail")
    with pytest.raises(ClientError) as closed:
        trails.create_trail(Name=title, S3BucketName=bucket)
    assert code(closed.value) == "InsufficientS3BucketPolicyException"
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=_rights(bucket))
    trails.create_trail(Name=title, S3BucketName=bucket)
    data = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}/in/"]}
    chosen = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False, "DataResources": [data]}]
    trails.put_event_selectors(TrailName=title, EventSelectors=chosen)
    found = trails.get_event_selectors(TrailName=title)["EventSelectors"]
    assert [one.items() >= chosen[0].items() for one in found] == [True]

    advanced = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    wrong = [{"DataResources": [{"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}"]}]}]
    for request in ({"EventSelectors": chosen, "AdvancedEventSelectors": advanced}, {"EventSelectors": wrong}):
        with pytest.raises(ClientError) as mixed:
            trails.put_event_selectors(TrailName=title, **request)
        assert code(mixed.value) == "InvalidEventSelectorsException"

    queue, arn = _queue(cloud)
    pattern = {"source": ["aws.s3"], "detail": {"requestParameters": {"bucketName": [bucket]}}}
    cloud.client("events").put_rule(Name=title, EventPattern=json.dumps(pattern))
    cloud.client("events").put_targets(Rule=title, Targets=[{"Id": "queue", "Arn": arn}])
    trails.start_logging(Name=title)
    for key in ("out/a", "in/b"):
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")

    def told() -> list[str]:
        messages = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        return [json.loads(one["Body"])["detail"]["requestParameters"]["key"] for one in messages.get("Messages", [])]

    assert until(told) == ["in/b"]


def _queue(cloud: World) -> tuple[str, str]:
    """Make a queue that everybody may send to, and return its URL and its ARN."""
    title = name("queue")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{title}"
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
    url = cloud.client("sqs").create_queue(QueueName=title, Attributes={"Policy": policy})["QueueUrl"]
    return str(url), arn


def test_a_stacks_trail_is_known_to_the_api(cloud: World) -> None:
    bucket, title = cloud.bucket(), name("trail")
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=_rights(bucket))
    data = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}/"]}
    trail = {
        "TrailName": title,
        "S3BucketName": bucket,
        "IsLogging": True,
        "EventSelectors": [{"ReadWriteType": "WriteOnly", "DataResources": [data]}],
    }
    resources = {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": trail}}
    formation, stack = cloud.client("cloudformation"), name("stack")
    formation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    until(lambda: formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

    trails = cloud.client("cloudtrail")
    assert trails.get_trail(Name=title)["Trail"]["HasCustomEventSelectors"] is True
    assert trails.get_trail_status(Name=title)["IsLogging"] is True
    (selector,) = trails.get_event_selectors(TrailName=title)["EventSelectors"]
    assert (selector["ReadWriteType"], selector["DataResources"]) == ("WriteOnly", [data])
