"""What ran in one stack is created in another, run once, and recorded; what cannot be is said, and writes nothing."""

import json
from pathlib import Path

import pytest
from tests.support.botocore_strict import client_error
from tests.support.promotions import COMMIT, LATER, PIPELINE, RICH, WINE, PromotionCloud, Stacks, deployed, promote

from signalbox_operate.promotions import planning, records
from signalbox_operate.promotions.model import NO_COMMIT, Wanted
from signalbox_operate.stack import OperateError


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stacks:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return deployed(tmp_path)


def test_what_ran_is_what_the_target_would_have_made_of_the_same_commit(stacks: Stacks, tmp_path: Path) -> None:
    _, prod = stacks
    promote(stacks)
    promoted = prod.definition()
    del prod.runs.pipelines["prod-wine--train"]
    prod.deploy(tmp_path, pipeline__py=RICH)
    assert promoted == prod.definition()
    assert promoted["Steps"][1]["Arguments"]["CustomerMetadataProperties"] == {"commit": COMMIT}


def test_the_code_is_copied_under_the_same_digest(stacks: Stacks) -> None:
    dev, prod = stacks
    prod.buckets.objects.clear()
    promote(stacks)

    def code(cloud: PromotionCloud) -> dict[str, bytes]:
        return {key: body for (_, key), body in cloud.buckets.objects.items() if key.startswith("code/")}

    assert code(prod) == code(dev) != {}


def test_code_that_is_not_what_its_digest_says_is_not_promoted(stacks: Stacks) -> None:
    dev, prod = stacks
    (place,) = [each for each in dev.buckets.objects if each[1].endswith("train.py")]
    dev.buckets.objects[place] = b"print('changed since')\n"
    before = prod.written()
    with pytest.raises(OperateError, match=r"^in the stack dev \(account 111111111111, us-east-1\): the code in s3://"):
        promote(stacks)
    assert prod.written() == before


def test_the_target_is_asked_to_run_it_as_a_push_asks(stacks: Stacks) -> None:
    _, prod = stacks
    plan = promote(stacks)
    assert prod.published() == {"train": {"commit": COMMIT, "digest": plan.digest, "number": 1}}
    assert prod.said[-1].startswith("a run of prod-wine--train is asked for: ")
    tags = prod.runs.requests("AddTags")[-1]["Tags"]
    assert {"Key": "signalbox:promoted-from", "Value": "dev/111111111111/us-east-1/000000000001"} in tags


def test_the_same_promotion_twice_is_there_already_and_writes_nothing(
    stacks: Stacks,
) -> None:
    _, prod = stacks
    promote(stacks)
    before = prod.written()
    assert promote(stacks).there
    assert prod.written() == before


def test_a_promotion_that_died_before_it_asked_for_the_run_is_finished_by_the_next(
    stacks: Stacks,
) -> None:
    _, prod = stacks
    prod.ssm.answers["put_parameter"] = client_error("InternalServerError")
    with pytest.raises(OperateError, match="in the stack prod"):
        promote(stacks)
    del prod.ssm.answers["put_parameter"]
    assert not promote(stacks).there
    assert prod.published()["train"]["number"] == 1
    assert promote(stacks).there


def test_what_is_promoted_anew_after_another_is_run_again(stacks: Stacks, tmp_path: Path) -> None:
    dev, prod = stacks
    promote(stacks)
    dev.deploy(tmp_path, LATER, pipeline__py=RICH.replace('"EPOCHS": "3"', '"EPOCHS": "4"'))
    dev.ran()
    promote(stacks)
    assert (prod.published()["train"]["commit"], prod.published()["train"]["number"]) == (LATER, 2)
    promote(stacks, Wanted("wine", commit=COMMIT[:7]))
    assert (prod.published()["train"]["commit"], prod.published()["train"]["number"]) == (COMMIT, 3)


def test_without_a_run_it_is_put_in_place_and_a_later_promotion_starts_it(
    stacks: Stacks,
) -> None:
    _, prod = stacks
    promote(stacks, Wanted("wine", start=False))
    assert not prod.published()
    assert promote(stacks, Wanted("wine", start=False)).there
    promote(stacks)
    assert prod.published()["train"]["commit"] == COMMIT


def test_it_is_recorded_who_promoted_what_when_and_from_where(stacks: Stacks) -> None:
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


def test_what_is_deployed_and_has_not_run_is_not_promoted(stacks: Stacks, tmp_path: Path) -> None:
    dev, prod = stacks
    dev.deploy(tmp_path, LATER, pipeline__py=RICH.replace('"EPOCHS": "3"', '"EPOCHS": "4"'))
    dev.ran("Failed")
    promote(stacks)
    assert prod.published()["train"]["commit"] == COMMIT


@pytest.mark.parametrize("name", ["run-1", f"{PIPELINE}/run-1", "000000000001"])
def test_a_run_is_named_as_people_see_it(stacks: Stacks, name: str) -> None:
    stacks[0].ran()
    assert promote(stacks, Wanted("wine", run=name)).ran.name == "000000000001"


def test_a_definition_without_a_commit_is_promoted_as_one(stacks: Stacks, tmp_path: Path) -> None:
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
def test_what_is_not_there_is_said_and_nothing_is_written(stacks: Stacks, wanted: Wanted, told: str) -> None:
    dev, prod = stacks
    dev.ran("Failed")
    before = dev.written() + prod.written()
    with pytest.raises(OperateError, match=told):
        promote(stacks, wanted)
    assert dev.written() + prod.written() == before


def test_a_pipeline_without_a_good_run_is_not_promoted(stacks: Stacks) -> None:
    stacks[0].runs.runs[0]["status"] = "Failed"
    with pytest.raises(OperateError, match="has had no run that succeeded"):
        promote(stacks)


def test_a_stack_is_not_promoted_to_itself(stacks: Stacks) -> None:
    with pytest.raises(OperateError, match="source and target are both the stack dev"):
        planning.plan(WINE, stacks[0].side, stacks[0].side)


def test_a_target_without_the_project_names_the_command_that_makes_it(
    stacks: Stacks,
) -> None:
    del stacks[1].ssm.found["/prod/projects/wine"]
    with pytest.raises(OperateError, match=f"`signalbox deploy FOLDER --stack prod` at the commit {COMMIT}"):
        promote(stacks)


def test_a_target_that_was_deployed_with_other_models_is_to_be_deployed_again(
    stacks: Stacks,
) -> None:
    _, prod = stacks
    name = "/prod/projects/wine"
    prod.ssm.found[name] = prod.ssm.found[name].replace('"models":["wine"]', '"models":["port"]')
    with pytest.raises(OperateError, match=r"prod-wine--train was deployed with other models \(port\): `signalbox dep"):
        promote(stacks)


def test_steps_that_the_targets_role_has_no_rights_for_are_named(
    stacks: Stacks,
) -> None:
    _, prod = stacks
    smaller = prod.definition()
    smaller["Steps"] = smaller["Steps"][1:]
    prod.runs.pipelines["prod-wine--train"]["PipelineDefinition"] = json.dumps(smaller)
    with pytest.raises(OperateError, match="its role has no rights for Processing"):
        promote(stacks)


def test_a_definition_that_the_targets_sagemaker_refuses_is_said_in_its_words_and_nothing_is_left(
    stacks: Stacks,
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
    stacks: Stacks, number: int, service: str, call: str, where: str
) -> None:
    stacks[number].clients[service].answers[call] = client_error("AccessDeniedException", "not authorized")
    with pytest.raises(OperateError, match="not authorized") as refused:
        promote(stacks)
    assert str(refused.value).startswith(f"in the stack {where}: ")
    assert "Ask whoever runs the account" in str(refused.value)
