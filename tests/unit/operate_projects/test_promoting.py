"""What ran in one stack is created in another, byte for byte but for named places, run once, and recorded."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.botocore_strict import client_error
from tests.support.project_folders import SCRIPT, YAML
from tests.support.promotions import COMMIT, PIPELINE, PromotionCloud, two

from signalbox_operate.projects.model import ProjectError
from signalbox_operate.promotions import carrying, planning, records
from signalbox_operate.promotions.model import NO_COMMIT, Plan, Wanted
from signalbox_operate.stack import OperateError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = "5f00baaa" * 5
WINE = Wanted("wine")
# Reads its code, encrypts with the key, runs an image of AWS, and has a parameter that differs between stacks.
ACCOUNT_OF = '{"us-east-1": "683313688378", "eu-west-1": "141502667606"}[said["SIGNALBOX_REGION"]]'
RICH = SCRIPT.replace(
    '"image"', f'{ACCOUNT_OF} + ".dkr.ecr." + said["SIGNALBOX_REGION"] + ".amazonaws.com/sagemaker-xgboost:1.7-1"'
).replace(
    '"RoleArn": said["SIGNALBOX_JOB_ROLE"],',
    '"RoleArn": said["SIGNALBOX_JOB_ROLE"],\n        "Environment": {"CODE": said["SIGNALBOX_CODE"], '
    '"KEY": said["SIGNALBOX_KEY"], "DATA": said["SIGNALBOX_DATA"] + "/x", "OUT": said["SIGNALBOX_OUTPUT"], '
    '"PIPELINE": said["SIGNALBOX_PIPELINE"], "EPOCHS": "3"},',
)


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[PromotionCloud, PromotionCloud]:
    """Dev, where the project has run at a commit, and prod, where it is deployed and has not."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    dev, prod = two()
    dev.deploy(tmp_path, pipeline__py=RICH)
    prod.deploy(tmp_path, commit="", pipeline__py=RICH)
    dev.ran()
    return dev, prod


def promote(stacks: tuple[PromotionCloud, PromotionCloud], wanted: Wanted = WINE) -> Plan:
    dev, prod = stacks
    plan = planning.plan(wanted, dev.side, prod.side)
    if not plan.there:
        carrying.carry_out(plan, NOW)
    return plan


def test_what_ran_is_what_the_target_would_have_made_of_the_same_commit(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    _, prod = stacks
    promote(stacks)
    promoted = prod.definition()
    del prod.runs.pipelines["prod-wine--train"]
    prod.deploy(tmp_path, pipeline__py=RICH)
    assert promoted == prod.definition()
    assert promoted["Steps"][1]["Arguments"]["CustomerMetadataProperties"] == {"commit": COMMIT}


def test_every_byte_but_those_of_what_is_replaced_stays(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    dev, prod = stacks
    text = dev.runs.pipelines[PIPELINE]["PipelineDefinition"]
    plan = promote(stacks)
    for one in sorted(plan.replacements, key=lambda each: len(each.before), reverse=True):
        text = text.replace(one.before, one.after)
    assert prod.runs.pipelines["prod-wine--train"]["PipelineDefinition"] == text
    assert {one.what: one.places for one in plan.replacements} == {
        "job role": 1,
        "key": 1,
        "data bucket": 1,
        "artifacts bucket": 2,
        "project's id": 1,
        "pipeline train": 1,
        "package group of wine": 1,
        "registry of AWS's images": 1,
    }


def test_the_code_is_copied_under_the_same_digest(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    dev, prod = stacks
    prod.buckets.objects.clear()
    promote(stacks)

    def code(cloud: PromotionCloud) -> dict[str, bytes]:
        return {key: body for (_, key), body in cloud.buckets.objects.items() if key.startswith("code/")}

    assert code(prod) == code(dev) != {}


def test_code_that_is_not_what_its_digest_says_is_not_promoted(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    dev, prod = stacks
    (place,) = [each for each in dev.buckets.objects if each[1].endswith("train.py")]
    dev.buckets.objects[place] = b"print('changed since')\n"
    before = prod.written()
    with pytest.raises(OperateError, match=r"^in the stack dev \(account 111111111111, us-east-1\): the code in s3://"):
        promote(stacks)
    assert prod.written() == before


def test_the_target_is_asked_to_run_it_as_a_push_asks(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    _, prod = stacks
    plan = promote(stacks)
    assert prod.published() == {"train": {"commit": COMMIT, "digest": plan.digest, "number": 1}}
    assert prod.said[-1].startswith("a run of prod-wine--train is asked for: ")
    tags = prod.runs.requests("AddTags")[-1]["Tags"]
    assert {"Key": "signalbox:promoted-from", "Value": "dev/111111111111/us-east-1/000000000001"} in tags


def test_the_same_promotion_twice_is_there_already_and_writes_nothing(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    _, prod = stacks
    promote(stacks)
    before = prod.written()
    assert promote(stacks).there
    assert prod.written() == before


def test_a_promotion_that_died_before_it_asked_for_the_run_is_finished_by_the_next(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    _, prod = stacks
    prod.ssm.answers["put_parameter"] = client_error("InternalServerError")
    with pytest.raises(OperateError, match="in the stack prod"):
        promote(stacks)
    del prod.ssm.answers["put_parameter"]
    assert not promote(stacks).there
    assert prod.published()["train"]["number"] == 1
    assert promote(stacks).there


def test_what_is_promoted_anew_after_another_is_run_again(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    promote(stacks)
    dev.deploy(tmp_path, LATER, pipeline__py=RICH.replace('"EPOCHS": "3"', '"EPOCHS": "4"'))
    dev.ran()
    promote(stacks)
    assert (prod.published()["train"]["commit"], prod.published()["train"]["number"]) == (LATER, 2)
    promote(stacks, Wanted("wine", commit=COMMIT[:7]))
    assert (prod.published()["train"]["commit"], prod.published()["train"]["number"]) == (COMMIT, 3)


def test_without_a_run_it_is_put_in_place_and_a_later_promotion_starts_it(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    _, prod = stacks
    promote(stacks, Wanted("wine", start=False))
    assert not prod.published()
    assert promote(stacks, Wanted("wine", start=False)).there
    promote(stacks)
    assert prod.published()["train"]["commit"] == COMMIT


def test_it_is_recorded_who_promoted_what_when_and_from_where(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    dev, prod = stacks
    plan = promote(stacks, Wanted("wine"))
    (found,) = records.newest("wine", prod.place(), 20)
    assert (found["at"], found["commit"], found["digest"]) == ("2026-11-20T12:00:00.000000Z", COMMIT, plan.digest)
    assert found["source"] | {"sha256": ""} == {
        "stack": "dev",
        "account": "111111111111",
        "region": "us-east-1",
        "by": dev.caller,
        "execution": dev.runs.runs[0]["arn"],
        "sha256": "",
    }
    assert (found["target"]["by"], found["target"]["pipeline"]) == (prod.caller, "prod-wine--train")
    assert {one["what"] for one in found["replaced"]} == {one.what for one in plan.replacements}


def test_what_is_deployed_and_has_not_run_is_not_promoted(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    dev.deploy(tmp_path, LATER, pipeline__py=RICH.replace('"EPOCHS": "3"', '"EPOCHS": "4"'))
    dev.ran("Failed")
    promote(stacks)
    assert prod.published()["train"]["commit"] == COMMIT


@pytest.mark.parametrize("name", ["run-1", f"{PIPELINE}/run-1", "000000000001"])
def test_a_run_is_named_as_people_see_it(stacks: tuple[PromotionCloud, PromotionCloud], name: str) -> None:
    stacks[0].ran()
    assert promote(stacks, Wanted("wine", run=name)).ran.name == "000000000001"


def test_a_definition_without_a_commit_is_promoted_as_one(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    del dev.runs.pipelines[PIPELINE]
    dev.deploy(tmp_path, "", pipeline__py=RICH)
    dev.ran()
    assert promote(stacks).ran.commit == ""
    assert prod.published()["train"]["commit"] == NO_COMMIT


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("beer"), r"^in the stack dev .*there is no project 'beer'"),
        (Wanted("wine", "judge"), "has no pipeline 'judge': it has train"),
        (Wanted("wine", run="run-7"), "has no run 'run-7'"),
        (Wanted("wine", run="run-2"), "the run run-2 is Failed: only what has succeeded is promoted"),
        (Wanted("wine", commit="abcdef0"), "no run of dev-wine--train at the commit abcdef0 has succeeded"),
        (Wanted("wine", run="run-1", commit=COMMIT), "--run or --commit, not both"),
        (
            Wanted("wine", values={"Depth": "3"}),
            "--set Depth: the pipeline has no such parameter: it has InputManifest",
        ),
    ],
)
def test_what_is_not_there_is_said_and_nothing_is_written(
    stacks: tuple[PromotionCloud, PromotionCloud], wanted: Wanted, told: str
) -> None:
    dev, prod = stacks
    dev.ran("Failed")
    before = dev.written() + prod.written()
    with pytest.raises(OperateError, match=told):
        promote(stacks, wanted)
    assert dev.written() + prod.written() == before


def test_a_pipeline_without_a_good_run_is_not_promoted(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    stacks[0].runs.runs[0]["status"] = "Failed"
    with pytest.raises(OperateError, match="has had no run that succeeded"):
        promote(stacks)


def test_a_stack_is_not_promoted_to_itself(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    with pytest.raises(OperateError, match="source and target are both the stack dev"):
        planning.plan(WINE, stacks[0].side, stacks[0].side)


def test_a_target_without_the_project_names_the_command_that_makes_it(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    del stacks[1].ssm.found["/prod/projects/wine"]
    with pytest.raises(OperateError, match=f"`signalbox deploy FOLDER --stack prod` at the commit {COMMIT}"):
        promote(stacks)


def test_a_target_that_was_deployed_with_other_models_is_to_be_deployed_again(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    _, prod = stacks
    name = "/prod/projects/wine"
    prod.ssm.found[name] = prod.ssm.found[name].replace('"models":["wine"]', '"models":["port"]')
    with pytest.raises(OperateError, match=r"prod-wine--train was deployed with other models \(port\): `signalbox dep"):
        promote(stacks)


def test_steps_that_the_targets_role_has_no_rights_for_are_named(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    _, prod = stacks
    smaller = prod.definition()
    smaller["Steps"] = smaller["Steps"][1:]
    prod.runs.pipelines["prod-wine--train"]["PipelineDefinition"] = json.dumps(smaller)
    with pytest.raises(OperateError, match="its role has no rights for Processing"):
        promote(stacks)


def test_a_definition_that_the_targets_sagemaker_refuses_is_said_in_its_words_and_nothing_is_left(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    _, prod = stacks
    prod.runs.refuses = "ml.m5.large is not offered here"
    pipelines, objects = dict(prod.runs.pipelines), dict(prod.buckets.objects)
    changed = Wanted("wine", values={"InputManifest": "s3://prod-data/x"})
    with pytest.raises(OperateError, match=r"in the stack prod .*SageMaker refuses .*ml.m5.large is not offered here"):
        promote(stacks, changed)
    assert (prod.runs.pipelines, prod.buckets.objects, prod.published()) == (pipelines, objects, {})


@pytest.mark.parametrize(
    ("number", "service", "call", "where"),
    [
        (0, "sagemaker", "describe_pipeline_definition_for_execution", "dev (account 111111111111, us-east-1)"),
        (0, "s3", "list_objects_v2", "dev (account 111111111111, us-east-1)"),
        (1, "sagemaker", "describe_pipeline", "prod (account 222222222222, eu-west-1)"),
        (1, "s3", "put_object", "prod (account 222222222222, eu-west-1)"),
        (1, "ssm", "put_parameter", "prod (account 222222222222, eu-west-1)"),
    ],
)
def test_a_right_that_is_missing_is_said_with_the_account_that_it_is_missing_in(
    stacks: tuple[PromotionCloud, PromotionCloud], number: int, service: str, call: str, where: str
) -> None:
    stacks[number].clients[service].answers[call] = client_error("AccessDeniedException", "not authorized")
    with pytest.raises(OperateError, match="not authorized") as refused:
        promote(stacks)
    assert str(refused.value).startswith(f"in the stack {where}: ")
    assert "Ask whoever runs the account" in str(refused.value)


def test_what_is_left_of_the_source_is_refused_by_step_and_field(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    lines = {
        '"EPOCHS": "3"': '"EPOCHS": "arn:aws:iam::111111111111:role/other", "NAME": "dev-models"',
        'said["SIGNALBOX_DATA"] + "/x"': 'said["SIGNALBOX_DATA"] + "-raw/x"',
    }
    script = RICH
    for before, after in lines.items():
        script = script.replace(before, after)
    dev.deploy(tmp_path, LATER, pipeline__py=script)
    dev.ran()
    written = prod.written()
    with pytest.raises(ProjectError) as refused:
        promote(stacks)
    told = list(refused.value.problems)
    assert [problem.partition(": '")[0] for problem in told] == [
        "step Prepare, Arguments.Environment.DATA",
        "step Prepare, Arguments.Environment.EPOCHS",
        "step Prepare, Arguments.Environment.NAME",
    ]
    assert "has a name of dev, which" in told[0]
    assert "has the account 111111111111, which" in told[1]
    assert prod.written() == written


def test_a_parameters_default_is_set_and_nothing_else_of_it(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    more = 'parameters += [{"Name": "Depth", "Type": "Integer", "DefaultValue": 3}, {"Name": "From", "Type": "String",'
    more += ' "DefaultValue": "s3://dev-raw/"}]\nprint('
    dev.deploy(tmp_path, LATER, pipeline__py=RICH.replace("print(", more))
    dev.ran()
    promote(stacks, Wanted("wine", values={"Depth": "5", "From": "s3://prod-raw/"}))
    assert prod.definition()["Parameters"][1:] == [
        {"Name": "Depth", "Type": "Integer", "DefaultValue": 5},
        {"Name": "From", "Type": "String", "DefaultValue": "s3://prod-raw/"},
    ]
    with pytest.raises(ProjectError, match="--set Depth: 'deep' is no Integer"):
        promote(stacks, Wanted("wine", values={"Depth": "deep", "From": "s3://prod-raw/"}))


OWN = "111111111111.dkr.ecr.us-east-1.amazonaws.com/dev/wine:train-3e5983"


def test_an_image_of_the_project_stays_where_the_target_may_use_it_and_is_refused_where_not(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev, prod = stacks
    dev.deploy(tmp_path, LATER, pipeline__py=RICH.replace('"EPOCHS": "3"', f'"IMAGE": "{OWN}"'))
    dev.ran()
    with pytest.raises(ProjectError, match=r"step Prepare, Arguments\.Environment\.IMAGE: .*ImageAccounts"):
        promote(stacks)
    place: Any = PromotionCloud.place

    def trusting(cloud: PromotionCloud) -> Any:
        made = place(cloud)
        made.stack.parameters["ImageAccounts"] = "683313688378,111111111111"
        return made

    monkeypatch.setattr(PromotionCloud, "place", trusting)
    assert len(promote(stacks).notes) == 1
    assert prod.definition()["Steps"][0]["Arguments"]["Environment"]["IMAGE"] == OWN.replace("us-east-1", "eu-west-1")


def test_tags_of_the_project_are_those_of_the_target(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    dev.deploy(tmp_path, LATER, YAML + "tags: {stage: dev, team: x}\n", pipeline__py=RICH)
    prod.deploy(tmp_path, LATER, YAML + "tags: {stage: prod, team: x}\n", pipeline__py=RICH)
    dev.ran()
    plan = promote(stacks)
    tags = {one["Key"]: one["Value"] for one in prod.definition()["Steps"][0]["Arguments"]["Tags"]}
    assert (tags["stage"], tags["team"]) == ("prod", "x")
    assert ("tag stage", 1) in [(one.what, one.places) for one in plan.replacements]
