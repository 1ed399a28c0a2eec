"""The template of a bucket of one's own: linted, its patterns and its trail held against samples, IAM asked."""

import json
import re
from typing import Any

import pytest
from tests.gates import template as main
from tests.gates.cfn_yaml import parse
from tests.gates.checks import lint, written
from tests.gates.node_checks import Question, ask
from tests.gates.patterns import matches, pattern_error
from tests.gates.template import ROOT, Template
from tests.gates.test_template import listed
from tests.gates.values import ACCOUNT, REGION, STACK, Values
from tests.support.samples import sample, with_detail

PAGE = (ROOT / "docs" / "own-bucket.md").read_text(encoding="utf-8")
TEXT = (ROOT / "intake" / "bucket.yaml").read_text(encoding="utf-8")
QUEUE, DEAD = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-{name}" for name in ("UploadsQueue", "EventsDeadLetters"))
GIVEN = {
    "Name": "lake",
    "Bucket": "my-lake",
    "UploadPrefix": "landing/wine/",
    "UploadEvents": "both",
    "UploadsQueueArn": QUEUE,
    "EventsDeadLettersArn": DEAD,
    "RecordUploadsRole": f"{STACK}-RecordUploadsRole",
    "StartRunRole": f"{STACK}-StartRunRole",
}


def load(**more: str) -> Template:
    """Return the template, filled in for one bucket."""
    read = parse(TEXT)
    return Template(ROOT, TEXT, read, read, {}, Values(read, read, "lake", {**GIVEN, **more}))


def native(bucket: str, key: str) -> dict[str, Any]:
    return with_detail(sample("s3/object-created"), bucket__name=bucket, object__key=key)


def trailed(bucket: str, key: str, name: str = "put-object", **more: Any) -> dict[str, Any]:
    event = with_detail(sample(f"s3/{name}-cloudtrail"), requestParameters__bucketName=bucket, **more)
    if "key" in event["detail"]["requestParameters"]:
        event["detail"]["requestParameters"]["key"] = key
    for resource in event["detail"]["resources"]:
        if resource["type"] == "AWS::S3::Object":
            resource["ARN"] = f"arn:aws:s3:::{bucket}/{key}"
    return event


def through(template: Template, event: dict[str, Any]) -> list[str]:
    """Return the rules that let an event through."""
    rules = template.resolved("AWS::Events::Rule")
    assert all(pattern_error(rule["EventPattern"]) is None for rule in rules.values())
    return sorted(name for name, rule in rules.items() if matches(rule["EventPattern"], event))


@pytest.mark.parametrize("check", [lint.check, written.check])
def test_the_template_passes_the_check(check: Any) -> None:
    problems = check(load())

    assert not problems, listed(problems)


def test_writes_under_the_prefix_of_the_bucket_are_told_and_nothing_else() -> None:
    template = load()
    for key in ("landing/wine/a.csv", "landing/wine/2026/ü b+c.csv", "landing/wine/a\nb.csv"):
        assert through(template, native("my-lake", key)) == ["UploadsNativeRule"]
        for name in ("put-object", "copy-object", "complete-multipart-upload", "post-object-without-key"):
            assert through(template, trailed("my-lake", key, name)) == ["UploadsTrailRule"]
    for bucket, key in (("my-lake", "landing/beer/a.csv"), ("my-lake-2", "landing/wine/a.csv")):
        assert through(template, native(bucket, key)) == []
        assert through(template, trailed(bucket, key)) == []
    assert through(template, trailed("my-lake", "landing/wine/a.csv", errorCode="AccessDenied")) == []
    assert through(template, trailed("my-lake", "landing/wine/a.csv", eventName="DeleteObject")) == []


@pytest.mark.parametrize(("load_with", "bucket"), [(load, "my-lake"), (None, f"signalbox-data-{ACCOUNT}")])
def test_a_suffix_is_in_the_rules_themselves(load_with: Any, bucket: str) -> None:
    if load_with is None:
        document = main.load()
        given = {"UploadSuffix": ".csv", "UploadPrefix": "landing/wine/"}
        values = Values(document.sam, document.cfn, STACK, given)
        template = Template(ROOT, document.text, document.sam, document.cfn, document.machines, values)
    else:
        template = load_with(UploadSuffix=".csv")
    for make in (native, trailed):
        assert len(through(template, make(bucket, "landing/wine/2026/a.csv"))) == 1
        assert through(template, make(bucket, "landing/wine/a.csv.tmp")) == []
        assert through(template, make(bucket, "landing/wine/_SUCCESS")) == []
    assert through(template, trailed(bucket, "landing/wine/a.tmp", "post-object-without-key")) == []


def test_the_trail_records_writes_of_objects_under_the_prefix_and_nothing_else() -> None:
    (trail,) = load().resolved("AWS::CloudTrail::Trail").values()
    assert "EventSelectors" not in trail
    (selector,) = trail["AdvancedEventSelectors"]
    fields = {one.pop("Field"): one for one in selector["FieldSelectors"]}
    assert fields == {
        "eventCategory": {"Equals": ["Data"]},
        "resources.type": {"Equals": ["AWS::S3::Object"]},
        "readOnly": {"Equals": ["false"]},
        "eventName": {"Equals": ["PutObject", "PostObject", "CompleteMultipartUpload", "CopyObject"]},
        "resources.ARN": {"StartsWith": ["arn:aws:s3:::my-lake/landing/wine/"]},
    }


@pytest.mark.parametrize(
    ("events", "made"),
    [
        ("cloudtrail", {"UploadsTrailRule"}),
        ("s3", {"UploadsNativeRule"}),
        ("both", {"UploadsTrailRule", "UploadsNativeRule"}),
    ],
)
def test_each_source_of_events_has_its_rule_and_a_trail_only_where_it_is_needed(events: str, made: set[str]) -> None:
    template = load(UploadEvents=events)
    found = {
        name: one["Type"]
        for name, one in template.cfn["Resources"].items()
        if "Condition" not in one or template.values._true(one["Condition"])
    }
    assert {name for name, kind in found.items() if kind == "AWS::Events::Rule"} == made
    assert ("UploadsTrail" in found) == ("TrailBucket" in found) == (events != "s3")


def test_its_rules_may_send_to_the_stacks_queues_and_others_may_not() -> None:
    template, stack = load(), main.load()
    rules = template.resolved("AWS::Events::Rule").values()
    names = [rule["Name"] for rule in rules]
    assert all(len(name) <= 64 for name in names)
    assert {target["Arn"] for rule in rules for target in rule["Targets"]} == {QUEUE}
    assert {target["DeadLetterConfig"]["Arn"] for rule in rules for target in rule["Targets"]} == {DEAD}
    policies = {
        stack.values.arn(name): stack.values.of(stack.cfn["Resources"][f"{name}Policy"]["Properties"]["PolicyDocument"])
        for name in ("UploadsQueue", "EventsDeadLetters")
    }
    asked = {
        (name, account, queue): Question(
            f"{name}/{account}/{queue}",
            "events.amazonaws.com",
            "sqs:SendMessage",
            queue,
            context={"aws:SourceArn": f"arn:aws:events:{REGION}:{account}:rule/{name}"},
            resource_policy=queue,
        )
        for name in [*names, "other-uploads-lake-trail", f"{STACK}-lake"]
        for account in (ACCOUNT, "999999999999")
        for queue in policies
    }
    answers, _ = ask(list(asked.values()), {}, policies)
    allowed = {key for key, question in asked.items() if answers[question.id] == "Allowed"}
    assert allowed == {(name, ACCOUNT, queue) for name in names for queue in policies}


def test_the_functions_may_look_at_the_prefix_of_the_bucket_and_at_nothing_else() -> None:
    (policy,) = load().resolved("AWS::IAM::Policy").values()
    assert policy["Roles"] == [GIVEN["RecordUploadsRole"], GIVEN["StartRunRole"]]
    role = f"arn:aws:iam::{ACCOUNT}:role/{policy['Roles'][0]}"
    right = [("s3:GetObject", "arn:aws:s3:::my-lake/landing/wine/a.csv"), ("s3:ListBucket", "arn:aws:s3:::my-lake")]
    wrong = [
        ("s3:GetObject", "arn:aws:s3:::my-lake/other/a.csv"),
        ("s3:GetObject", "arn:aws:s3:::my-lake-2/landing/wine/a.csv"),
        ("s3:PutObject", "arn:aws:s3:::my-lake/landing/wine/a.csv"),
        ("s3:DeleteObject", "arn:aws:s3:::my-lake/landing/wine/a.csv"),
        ("s3:ListBucket", "arn:aws:s3:::my-lake-2"),
    ]
    questions = [Question(f"{action} {place}", role, action, place, policies="own") for action, place in right + wrong]
    answers, _ = ask(questions, {"own": [policy["PolicyDocument"]]})
    assert {name for name, answer in answers.items() if answer == "Allowed"} == {" ".join(one) for one in right}


def test_the_page_names_every_parameter_and_its_command_gives_values_that_the_template_takes() -> None:
    known = parse(TEXT)["Parameters"]
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(known)
    given = dict(re.findall(r"\b([A-Z]\w+)=([^\s`]+)", PAGE))
    assert set(given) == {name for name, one in known.items() if "Default" not in one} | {"UploadPrefix", "Prefix"}
    assert [name for name, value in given.items() if not re.fullmatch(known[name]["AllowedPattern"], value)] == []
    json.loads(re.findall(r"--notification-configuration \"(.+)\"", PAGE)[0].replace("\\", ""))
