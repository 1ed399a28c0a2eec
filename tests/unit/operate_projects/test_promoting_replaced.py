"""A promoted definition is byte for byte what ran, but for what the two stacks call differently."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.project_folders import YAML
from tests.support.promotions import LATER, PIPELINE, RICH, PromotionCloud, Stacks, deployed, promote

from signalbox_operate.projects.model import ProjectError
from signalbox_operate.promotions.model import Wanted


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stacks:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return deployed(tmp_path)


def test_every_byte_but_those_of_what_is_replaced_stays(stacks: Stacks) -> None:
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


def test_what_is_left_of_the_source_is_refused_by_step_and_field(stacks: Stacks, tmp_path: Path) -> None:
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


def test_a_parameters_default_is_set_and_nothing_else_of_it(stacks: Stacks, tmp_path: Path) -> None:
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
    stacks: Stacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_tags_of_the_project_are_those_of_the_target(stacks: Stacks, tmp_path: Path) -> None:
    dev, prod = stacks
    dev.deploy(tmp_path, LATER, YAML + "tags: {stage: dev, team: x}\n", pipeline__py=RICH)
    prod.deploy(tmp_path, LATER, YAML + "tags: {stage: prod, team: x}\n", pipeline__py=RICH)
    dev.ran()
    plan = promote(stacks)
    tags = {one["Key"]: one["Value"] for one in prod.definition()["Steps"][0]["Arguments"]["Tags"]}
    assert (tags["stage"], tags["team"]) == ("prod", "x")
    assert ("tag stage", 1) in [(one.what, one.places) for one in plan.replacements]
