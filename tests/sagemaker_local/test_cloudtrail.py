"""CloudTrail: which call an S3 request is, which trails select it, and what the event says."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import (
    cloudtrail,
    forms,
    ministack,
    ministack_policies,
    trail_checks,
    trail_identity,
)
from tests.support.samples import sample

S3Request, S3Call, Trails = ministack.S3Request, cloudtrail.S3Call, cloudtrail.Trails
TrailError = trail_checks.TrailError
POLICY = """{"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": ["s3:GetBucketAcl", "s3:PutObject"], "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]}]}"""


def call(method: str, path: str = "/b/k", query: Mapping[str, Any] | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return cloudtrail.read_call(S3Request(method, path, named, query or {}), 200, None)


@pytest.mark.parametrize(
    ("method", "query", "headers", "name"),
    [
        ("PUT", {}, {}, "PutObject"),
        ("GET", {}, {}, "GetObject"),
        ("HEAD", {}, {}, "HeadObject"),
        ("DELETE", {}, {}, "DeleteObject"),
        ("PUT", {}, {"x_amz_copy_source": "/b/other"}, "CopyObject"),
        ("POST", {"uploads": [""]}, {}, "CreateMultipartUpload"),
        ("PUT", {"partNumber": ["1"], "uploadId": ["u"]}, {}, "UploadPart"),
        ("PUT", {"partNumber": ["1"], "uploadId": ["u"]}, {"x_amz_copy_source": "/b/o"}, "UploadPartCopy"),
        ("POST", {"uploadId": ["u"]}, {}, "CompleteMultipartUpload"),
        ("DELETE", {"uploadId": ["u"]}, {}, "AbortMultipartUpload"),
        ("GET", {"uploadId": ["u"]}, {}, "ListParts"),
        ("PUT", {"tagging": [""]}, {}, "PutObjectTagging"),
        ("GET", {"acl": [""]}, {}, "GetObjectAcl"),
        ("POST", {"restore": [""]}, {}, "RestoreObject"),
        ("POST", {}, {}, "PostObject"),
        ("PATCH", {}, {}, "PATCH"),
    ],
)
def test_a_request_is_the_call_that_cloudtrail_names(
    method: str, query: dict[str, Any], headers: dict[str, str], name: str
) -> None:
    found = call(method, query=query, **headers)
    assert (found.name, found.bucket, found.key) == (name, "b", "k")
    assert found.read_only == (method in ("GET", "HEAD"))


FORM = {"content-type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("named", "key"), [("incoming/a b.csv", "incoming/a b.csv"), ("incoming/${filename}", "incoming/own ä.csv")]
)
def test_a_form_that_is_posted_to_a_bucket_is_a_call_about_the_key_in_it(named: str, key: str) -> None:
    fields = [f'"key"\r\n\r\n{named}', '"X-Amz-Credential"\r\n\r\nKEY/20260101/us-east-1/s3/aws4_request']
    fields.append('"file"; filename="own ä.csv"\r\nContent-Type: text/csv\r\n\r\n1,2')
    body = "".join(f"--x\r\nContent-Disposition: form-data; name={field}\r\n" for field in fields) + "--x--\r\n"
    form = forms.posted_form(FORM, body.encode())

    found = cloudtrail.read_call(S3Request("POST", "/b", FORM, {}, form), 204, "v1")

    assert found is not None
    assert (found.name, found.bucket, found.key, found.read_only) == ("PostObject", "b", key, False)
    assert form["x-amz-credential"].startswith("KEY/")


def test_another_body_has_no_fields() -> None:
    assert forms.posted_form({"content-type": "application/xml"}, b"<Delete/>") == {}


def test_what_a_call_needs_besides_is_in_its_parameters() -> None:
    assert call("PUT", x_amz_copy_source="/b/o").parameters == {"x-amz-copy-source": "/b/o"}
    assert call("POST", query={"uploadId": ["u"]}).parameters == {"uploadId": "u"}


@pytest.mark.parametrize("path", ["/", "/b", "/b/"])
def test_a_call_about_a_bucket_is_none_of_its_objects(path: str) -> None:
    assert call("PUT", path) is None


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The details of the events that are put on the bus."""
    details: list[dict[str, Any]] = []
    monkeypatch.setattr(ministack, "put_event", lambda *event: details.append(event[3]))
    monkeypatch.setattr(ministack_policies, "bucket_policy", lambda bucket: POLICY if bucket == "logs" else "")
    for store in ("_trails", "_event_selectors"):
        monkeypatch.setattr(ministack.trails, store, {})
    return details


def properties(*selectors: dict[str, Any], bucket: str = "logs", **more: Any) -> dict[str, Any]:
    chosen = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
    return {"S3BucketName": bucket, "AdvancedEventSelectors": [{"FieldSelectors": [*chosen, *selectors]}], **more}


def classic(**more: Any) -> dict[str, Any]:
    """Return a trail with one classic selector, of all objects in b unless it is said otherwise."""
    data = {name: more.pop(name) for name in ("Type", "Values") if name in more}
    selector = {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/"], **data}], **more}
    return {"S3BucketName": "logs", "EventSelectors": [selector]}


def record(trail: dict[str, Any], key: str = "incoming/a", name: str = "PutObject", status: int = 200) -> None:
    trails = Trails("123456789012", "us-east-1")
    trails.create("Trail", trail, "stack")
    trails.create("Same", trail, "stack")
    trails.record(S3Call(name, "b", key, name.startswith("Get"), {}, status, "v1"), "arn:aws:iam::123456789012:root")


ARN = "arn:aws:s3:::b/incoming/"


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::x/", ARN]}, True),
        ({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::b/other/"]}, False),
        ({"Field": "resources.ARN", "NotStartsWith": [ARN]}, False),
        ({"Field": "resources.ARN", "EndsWith": ["/a"]}, True),
        ({"Field": "resources.ARN", "NotEndsWith": ["/a"]}, False),
        ({"Field": "eventName", "Equals": ["CopyObject", "PutObject"]}, True),
        ({"Field": "eventName", "NotEquals": ["PutObject"]}, False),
        ({"Field": "readOnly", "Equals": ["false"]}, True),
        ({"Field": "eventSource", "Equals": ["s3.amazonaws.com"], "NotEquals": ["x"]}, True),
        ({"Field": "userIdentity.arn", "Equals": ["somebody"]}, False),
    ],
)
def test_a_trail_selects_by_its_fields_and_two_trails_make_one_event(
    sent: list[dict[str, Any]], selector: dict[str, Any], selected: bool
) -> None:
    record(properties(selector))
    assert len(sent) == int(selected)


@pytest.mark.parametrize(
    ("trail", "name", "selected"),
    [
        (classic(), "PutObject", True),
        (classic(Values=["arn:aws:s3:::x/", "arn:aws:s3:::b/incoming/"]), "PutObject", True),
        (classic(Values=["arn:aws:s3:::b/other/"]), "PutObject", False),
        (classic(Values=["arn:aws:s3"]), "PutObject", True),
        (classic(Values=["arn:aws:s3:::"]), "PutObject", True),
        (classic(Values=[]), "PutObject", False),
        (classic(ReadWriteType="ReadOnly"), "PutObject", False),
        (classic(ReadWriteType="ReadOnly"), "GetObject", True),
        (classic(ReadWriteType="WriteOnly"), "GetObject", False),
        (classic(ReadWriteType="All", IncludeManagementEvents=False), "GetObject", True),
        (classic(Type="AWS::Lambda::Function", Values=["arn:aws:lambda"]), "PutObject", False),
    ],
)
def test_a_classic_selector_selects_by_reading_or_writing_and_the_beginning_of_the_arn(
    sent: list[dict[str, Any]], trail: dict[str, Any], name: str, selected: bool
) -> None:
    record(trail, name=name)
    assert len(sent) == int(selected)


def test_a_trail_that_does_not_log_sends_nothing(sent: list[dict[str, Any]]) -> None:
    record(properties(IsLogging=False))
    record({"S3BucketName": "logs"})
    assert sent == []


def test_an_event_says_who_made_the_call(sent: list[dict[str, Any]]) -> None:
    record(properties())
    assert sent[0]["userIdentity"]["arn"] == "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("arn", "members"),
    [
        ("arn:aws:iam::123456789012:root", {"type": "Root", "principalId": "123456789012"}),
        ("arn:aws:iam::123456789012:user/team/ann", {"type": "IAMUser", "userName": "ann"}),
        ("arn:aws:sts::123456789012:federated-user/ann", {"type": "FederatedUser", "principalId": "123456789012:ann"}),
    ],
)
def test_an_identity_has_the_members_of_its_type(arn: str, members: dict[str, str]) -> None:
    assert members.items() <= trail_identity.of(arn).items()
    assert {"arn": arn, "accountId": "123456789012"}.items() <= trail_identity.of(arn).items()


def test_a_session_says_whose_it_is() -> None:
    identity = trail_identity.of("arn:aws:sts::123456789012:assumed-role/Uploader/ann")
    aws = sample("s3/put-object-cloudtrail")["detail"]["userIdentity"]
    assert identity.keys() == aws.keys()
    assert identity["sessionContext"].keys() == aws["sessionContext"].keys()
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert issuer.keys() == aws["sessionContext"]["sessionIssuer"].keys()
    assert issuer["arn"] == "arn:aws:iam::123456789012:role/Uploader"
    assert identity["principalId"] == f"{issuer['principalId']}:ann"


@pytest.mark.parametrize(("status", "code"), [(200, None), (403, "AccessDenied"), (404, "NoSuchKey"), (409, "Error")])
def test_an_event_says_how_the_call_ended(sent: list[dict[str, Any]], status: int, code: str | None) -> None:
    record(properties(), status=status)
    assert sent[0].get("errorCode") == code
    assert ("errorMessage" in sent[0]) == (code is not None)
    assert sent[0]["resources"][0]["ARN"] == "arn:aws:s3:::b/incoming/a"
    assert sent[0]["responseElements"] == {"x-amz-version-id": "v1"}


@pytest.mark.parametrize(
    ("trail", "code"),
    [
        (properties(bucket="closed"), "InsufficientS3BucketPolicyException"),
        (properties({"Field": "colour", "Equals": ["red"]}), "InvalidEventSelectorsException"),
        (properties({"Field": "eventName", "Like": ["x"]}), "InvalidEventSelectorsException"),
        (properties({"Field": "eventName"}), "InvalidEventSelectorsException"),
        (properties(EventSelectors=[{}]), "InvalidEventSelectorsException: .* but not both"),
        (classic(ReadWriteType="Some"), "InvalidEventSelectorsException: ReadWriteType"),
        (classic(Type="AWS::S3::Bucket"), "InvalidEventSelectorsException: Type"),
        (classic(Values=["arn:aws:s3:::b"]), "InvalidEventSelectorsException: Value arn:aws:s3:::b for"),
        (classic(Values=["b/k"]), "InvalidEventSelectorsException: Value b/k for"),
        (classic(Values=["arn:aws:s3:::b/k"] * 251), "InvalidEventSelectorsException: .* 250"),
        ({"S3BucketName": "logs", "EventSelectors": [{}] * 6}, r"InvalidEventSelectorsException: .*\(1 to 5\)"),
        (
            {
                "S3BucketName": "logs",
                "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}],
            },
            "InvalidEventSelectorsException: a selector of data events needs resources.type",
        ),
    ],
)
def test_a_trail_that_cloudtrail_would_refuse_is_refused(
    sent: list[dict[str, Any]], trail: dict[str, Any], code: str
) -> None:
    with pytest.raises(TrailError, match=code):
        Trails("123456789012", "us-east-1").create("Trail", trail, "stack")


def test_an_update_that_is_refused_leaves_the_trail_and_a_deletion_ends_it(sent: list[dict[str, Any]]) -> None:
    trails = Trails("123456789012", "us-east-1")
    name, attributes = trails.create("Trail", properties(TrailName="mine"), "stack")
    put = S3Call("PutObject", "b", "k", read_only=False, parameters={}, status=200)
    with pytest.raises(TrailError):
        trails.update(name, {}, properties(bucket="closed"), "stack")
    trails.record(put, "arn:aws:iam::123456789012:user/somebody")
    assert (len(sent), attributes["Arn"]) == (1, "arn:aws:cloudtrail:us-east-1:123456789012:trail/mine")
    assert trails.update(name, {}, properties(IsLogging=False), "stack")[0] == "mine"
    trails.record(put, "arn:aws:iam::123456789012:user/somebody")
    trails.delete(name, {})
    assert len(sent) == 1
