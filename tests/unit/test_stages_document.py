"""The stages document: what is accepted, and what the refusal of each bad field says."""

import json
from typing import Any

import pytest
from tests.gates.cfn_yaml import parse
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.documents import read

from signalbox import stages
from signalbox.aws.errors import CallRefusedError, ServiceBusyError

STAGING = {"name": "staging", "instance_type": "ml.m5.large", "instance_count": 1}
PROD = {
    "name": "prod",
    "approval": True,
    "instance_type": "ml.m5.xlarge",
    "instance_count": 2,
    "rollout": {"type": "canary", "percent": 10, "wait_seconds": 300},
    "alarms": True,
    "hosting": "realtime",
    "review_seconds": 3600,
}


def parameters(answer: Any) -> Any:
    """Return an SSM client that answers so; a text is a parameter's value."""
    found = {"Parameter": {"Value": answer}} if isinstance(answer, str) else answer
    return RecordingClient("ssm", {"get_parameter": found})


def text(*entries: Any) -> str:
    return json.dumps({"stages": list(entries)})


def test_a_full_document_becomes_stages_in_their_order() -> None:
    document = stages.parse(text(STAGING, PROD))

    assert document.stages == (
        stages.Stage("staging", "ml.m5.large", 1),
        stages.Stage("prod", "ml.m5.xlarge", 2, True, stages.Rollout("canary", 10, 300), True, "realtime", 3600),
    )
    assert document.last.name == "prod"
    assert document.find("staging") == document.stages[0]
    assert document.find("moon") is None


def test_the_stages_that_the_template_brings_are_accepted_and_bake_where_they_have_alarms() -> None:
    brought = parse(read("template.yaml"))["Resources"]["StagesParameter"]["Properties"]["Value"]["Fn::Sub"]
    document = stages.parse(brought.replace("${ReviewSeconds}", str(stages.WEEK)))
    assert [(stage.name, stage.alarms, stage.rollout.bake_seconds) for stage in document.stages] == [
        ("staging", True, stages.BAKE_SECONDS),
        ("prod", True, stages.BAKE_SECONDS),
    ]


@pytest.mark.parametrize(
    ("rollout", "seconds"),
    [
        ({}, 1_800),
        ({"type": "all-at-once", "wait_seconds": 100}, 1_900),
        ({"type": "canary", "percent": 50, "wait_seconds": 3_600}, 9_000),
        ({"type": "linear", "percent": 30, "wait_seconds": 100}, 2_200),
        ({"type": "linear", "percent": 10, "wait_seconds": 2_700}, 28_800),
    ],
)
def test_a_deployment_may_take_longer_than_all_its_waits(rollout: dict[str, Any], seconds: int) -> None:
    stage = stages.parse(text({**STAGING, "instance_count": 4, "rollout": rollout})).last

    assert stage.rollout.deployment_seconds == seconds


@pytest.mark.parametrize(
    ("rollout", "kept", "seconds"),
    [
        ({}, 300, 300),
        ({"wait_seconds": 120}, 0, 120),
        ({"termination_wait_seconds": 120}, 120, 120),
        ({"type": "canary", "percent": 50}, 300, 300),
        ({"type": "canary", "percent": 50, "wait_seconds": 60}, 0, 120),
        ({"type": "linear", "percent": 50, "wait_seconds": 30, "termination_wait_seconds": 60}, 60, 120),
    ],
)
def test_a_stage_with_alarms_bakes_because_alarms_count_only_meanwhile(
    rollout: dict[str, Any], kept: int, seconds: int
) -> None:
    stage = stages.parse(text({**STAGING, "instance_count": 2, "rollout": rollout, "alarms": True})).last

    assert (stage.rollout.termination_wait_seconds, stage.rollout.bake_seconds) == (kept, seconds)


@pytest.mark.parametrize(
    ("rollout", "waits"),
    [
        ({"termination_wait_seconds": 0}, 0),
        ({"wait_seconds": 1}, 1),
        ({"termination_wait_seconds": 119}, 119),
        ({"type": "canary", "percent": 50, "wait_seconds": 59}, 118),
    ],
)
def test_alarms_without_a_wait_that_could_ring_them_are_refused(rollout: dict[str, Any], waits: int) -> None:
    with pytest.raises(stages.StagesDocumentError) as raised:
        stages.parse(text({**STAGING, "instance_count": 2, "rollout": rollout, "alarms": True}))

    assert "stages[0].rollout.termination_wait_seconds is" in str(raised.value)
    assert f"need 120 s, but this one waits {waits} s in all" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": "Prod"}, "name", 'is "Prod": give a lower-case letter'),
        ({"name": "pre-prod"}, "name", 'is "pre-prod": give a lower-case letter, then up to 19 letters or digits'),
        ({"name": None}, "name", "is missing: give a lower-case letter"),
        ({"instance_type": "m5.large"}, "instance_type", "a type such as ml.m5.large"),
        ({"instance_count": 0}, "instance_count", "is 0: give a whole number from 1 to 1,000"),
        ({"instance_count": True}, "instance_count", "is true"),
        ({"instance_count": "2"}, "instance_count", 'is "2"'),
        ({"approval": "yes"}, "approval", "allowed are true and false"),
        ({"alarms": 1}, "alarms", "allowed are true and false"),
        ({"hosting": "serverless"}, "hosting", "not built yet: only realtime is"),
        ({"hosting": "moon"}, "hosting", 'is "moon": give realtime'),
        ({"review_seconds": 4}, "review_seconds", "from 5 to 2,592,000"),
        (
            {"rollout": "canary"},
            "rollout",
            'is "canary": give an object with percent, termination_wait_seconds, type, wait_seconds',
        ),
        ({"rollout": {"type": "blue"}}, "rollout.type", "allowed are all-at-once, canary, linear"),
        ({"rollout": {"type": "canary"}}, "rollout.percent", "is missing: give a whole number from 1 to 50"),
        ({"rollout": {"type": "canary", "percent": 51}}, "rollout.percent", "from 1 to 50"),
        ({"rollout": {"type": "linear", "percent": 9}}, "rollout.percent", "from 10 to 50"),
        ({"rollout": {"type": "canary", "percent": 10}}, "rollout.type", "it needs 2 instances or more"),
        ({"rollout": {"percent": 10}}, "rollout.percent", "is given for all-at-once"),
        ({"rollout": {"termination_wait_seconds": 3_601}}, "rollout.termination_wait_seconds", "from 0 to 3,600"),
        ({"rollout": {"wait_seconds": 3_601}}, "rollout.wait_seconds", "from 0 to 3,600"),
        ({"rollout": {"speed": 1}}, "rollout.speed", "is not a field"),
        (
            {"instance_count": 2, "rollout": {"type": "linear", "percent": 10, "wait_seconds": 3_600}},
            "rollout.wait_seconds",
            "exceeds the 28800 s of a deployment",
        ),
        ({"instances": 3}, "instances", "is not a field: known are alarms, approval"),
    ],
)
def test_a_bad_field_is_refused_with_its_name_its_value_and_what_is_allowed(
    change: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(stages.StagesDocumentError) as raised:
        stages.parse(text(STAGING | change))

    assert str(raised.value).startswith(f"stages document: stages[0].{field} is ")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "the text is not JSON"),
        ("[]", "the text is []: give an object with stages"),
        ('{"stages": []}', "give a list of 1 to 10 objects"),
        ('{"stages": {}}', "give a list of 1 to 10 objects"),
        (text("prod"), 'stages[0] is "prod": give an object with alarms, approval'),
        (text(STAGING, PROD, STAGING), "stages[2].name is 'staging' again"),
    ],
)
def test_a_document_of_the_wrong_shape_is_refused(document: str, said: str) -> None:
    with pytest.raises(stages.StagesDocumentError) as raised:
        stages.parse(document)

    assert said in str(raised.value)


def test_the_document_is_read_from_its_parameter() -> None:
    ssm = parameters(text(STAGING))

    assert stages.load("/signalbox/stages", ssm).last.instance_count == 1
    assert ssm.requests("GetParameter") == [{"Name": "/signalbox/stages"}]


def test_a_parameter_that_does_not_exist_is_said_to_be_missing() -> None:
    with pytest.raises(stages.StagesDocumentError, match="SSM parameter /nowhere does not exist: deploy the template"):
        stages.load("/nowhere", parameters(client_error("ParameterNotFound")))


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", ServiceBusyError), ("AccessDeniedException", CallRefusedError)]
)
def test_a_failure_of_the_parameter_store_is_not_taken_for_a_missing_document(
    code: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"ssm:GetParameter of /signalbox/stages.*{code}"):
        stages.load("/signalbox/stages", parameters(client_error(code)))


def test_without_a_client_the_functions_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = parameters(text(STAGING))
    monkeypatch.setattr("signalbox.aws.clients.client", lambda service: {"ssm": ssm}[service])

    assert stages.load("stages").last.name == "staging"
