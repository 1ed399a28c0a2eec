"""`promote` and `promotions` as a person runs them: what is shown before it is asked, and between which accounts."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.project_folders import SCRIPT
from tests.support.promotions import COMMIT, PromotionCloud, two
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli

BETWEEN = ("--from", "dev", "--to", "prod", "--to-region", "eu-west-1")


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[PromotionCloud, PromotionCloud]:
    """Dev in us-east-1 and prod in eu-west-1, which a session reaches by its region."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    for name, value in {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)
    clouds = two()
    for cloud in clouds:
        with_stack(cloud)
        cloud.deploy(tmp_path, pipeline__py=SCRIPT)
    clouds[0].ran()
    there = {cloud.region: cloud for cloud in clouds}
    monkeypatch.setattr(account, "client_of", lambda session, name: there[session.region_name].clients[name])
    return clouds


def with_stack(cloud: PromotionCloud) -> None:
    """Let CloudFormation know the main stack too."""
    describe, main = cloud.stacks._describe_stacks, cloud.place().stack

    def describe_stacks(**request: Any) -> dict[str, Any]:
        if request["StackName"] != cloud.prefix:
            return describe(**request)
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in main.outputs.items()]
        stack = {"StackName": cloud.prefix, "StackStatus": "CREATE_COMPLETE", "CreationTime": 0}
        return {"Stacks": [{**stack, "Outputs": outputs, "Parameters": []}]}

    cloud.stacks.answers["describe_stacks"] = describe_stacks


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(cli.app, list(arguments), input=said)


def test_what_is_exchanged_is_shown_before_it_is_asked_and_a_no_changes_nothing(
    stacks: tuple[PromotionCloud, PromotionCloud],
) -> None:
    before = stacks[1].written()
    done = run("promote", "wine", *BETWEEN, said="n\n")
    assert done.exit_code == 1
    assert f"commit {COMMIT}" in done.output
    assert "package group of wine\tdev-wine\tprod-wine\t1" in done.output
    assert "Promote it to the stack prod (account 222222222222, eu-west-1): put it in place and run it?" in done.output
    assert "nothing was changed" in done.stderr
    assert stacks[1].written() == before


def test_it_is_promoted_and_shown_and_the_same_again_is_there(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    done = run("promote", "wine", *BETWEEN, "--yes")
    assert done.exit_code == 0, done.output
    assert stacks[1].published()["train"]["commit"] == COMMIT

    assert "it is there already: nothing was changed" in run("promote", "wine", *BETWEEN).output

    shown = run("promotions", "wine", "--stack", "prod", "--region", "eu-west-1").output.strip().split("\t")
    assert shown[1:3] == ["train", COMMIT[:7]]
    assert shown[4:] == ["dev/111111111111/us-east-1", stacks[1].caller]
    listed = json.loads(run("promotions", "wine", "--stack", "prod", "--region", "eu-west-1", "--json").output)
    assert listed[0]["source"]["by"] == stacks[0].caller


def test_a_definition_without_a_commit_needs_a_word_more(
    stacks: tuple[PromotionCloud, PromotionCloud], tmp_path: Path
) -> None:
    dev, prod = stacks
    del dev.runs.pipelines["dev-wine--train"]
    dev.deploy(tmp_path, "", pipeline__py=SCRIPT)
    dev.ran()
    done = run("promote", "wine", *BETWEEN)
    assert done.exit_code == 1
    assert "the definition says no commit" in done.stderr
    assert not prod.published()
    assert run("promote", "wine", *BETWEEN, "--yes").exit_code == 0


def test_a_stack_that_is_not_there_is_said_with_its_account(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    assert stacks
    done = run("promote", "wine", "--from", "dev", "--to", "live", "--to-region", "eu-west-1")
    assert "error: in the stack live (account 222222222222, eu-west-1): there is no stack 'live'" in done.stderr


def test_a_profile_that_is_not_there_is_refused(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    assert stacks
    done = run("promote", "wine", *BETWEEN, "--to-profile", "nobody")
    assert done.exit_code == 2
    assert "nobody" in done.output


def test_nothing_promoted_is_said(stacks: tuple[PromotionCloud, PromotionCloud]) -> None:
    assert stacks
    assert "nothing of wine was promoted to the stack dev" in run("promotions", "wine", "--stack", "dev").output
