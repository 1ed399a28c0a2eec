"""Projects that begin with a template or with somebody's pipeline definition."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import tables
from tests.support.documents import ROOT
from typer.testing import CliRunner, Result

from signalbox_operate import account
from signalbox_operate.cli import app
from signalbox_operate.new import sources
from signalbox_operate.projects import checking, reading, target
from signalbox_operate.stack import OperateError

SDK = ROOT / "tests/fidelity/cases/abalone-definition.json"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return folder


def new(*words: str) -> Result:
    return CliRunner().invoke(app, ["new", *words])


def said(result: Result) -> str:
    return " ".join((result.stdout + result.stderr).split())


@pytest.fixture
def template(here: Path, tmp_path: Path) -> Path:
    """Return an organisation's template: a project of a table, kept beside the folder that is worked in."""
    file = tables.named("iris").write(tmp_path)
    assert new("flowers", "--from", str(file), "--label", "5").exit_code == 0
    return Path(shutil.move(here / "flowers", tmp_path / "flowers"))


class _Bucket:
    """An S3 that has a folder's files under a prefix."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.files = {f"{prefix}{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}

    def get_paginator(self, operation: str) -> "_Bucket":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803  # boto3's spelling
        assert Bucket == "org"
        keys = [key for key in self.files if key.startswith(Prefix)]
        yield {"Contents": [{"Key": key, "Size": self.files[key].stat().st_size} for key in keys]} if keys else {}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        assert bucket == "org"
        shutil.copyfile(self.files[key], path)


def from_folder(template: Path, _: pytest.MonkeyPatch) -> str:
    return str(template)


def from_s3(template: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(account, "client", {"s3": _Bucket(template, "seeds/flowers/")}.__getitem__)
    return "s3://org/seeds/flowers"


def from_git(template: Path, _: pytest.MonkeyPatch) -> str:
    git = ["git", "-C", str(template), "-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    for words in (["init", "--quiet", "--initial-branch=kept"], ["add", "--force", "."], ["commit", "-qm", "Seed"]):
        subprocess.run([*git, *words], check=True)
    return f"{template.as_uri()}#kept"


SOURCES = pytest.mark.parametrize("source", [from_folder, from_s3, from_git])


@SOURCES
def test_a_template_becomes_a_project_of_another_name_from_wherever_it_lies(
    source: Callable[[Path, pytest.MonkeyPatch], str], template: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = new("petals", "--template", source(template, monkeypatch))
    assert result.exit_code == 0, said(result)
    described = yaml.safe_load((here / "petals" / "signalbox.yaml").read_text())
    assert (described["project"], described["uploads"]["prefix"]) == ("petals", "incoming/petals/")
    assert described["pipelines"]["train"]["models"] == ["petals"]
    assert not (here / "petals" / ".git").exists()
    assert (
        checking.check(reading.read(here / "petals"), target.example("us-east-1")).inputs["train"].takes == "manifest"
    )


@SOURCES
def test_a_template_is_pinned_by_the_digest_of_its_files_wherever_it_lies(
    source: Callable[[Path, pytest.MonkeyPatch], str], template: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, place = sources.digest(template), source(template, monkeypatch)
    pinned = f"{place}@{digest}"
    first = new("petals", "--template", pinned)
    assert first.exit_code == 0, said(first)
    assert pinned in said(first)
    assert (here / "petals" / "signalbox.yaml").read_text().startswith(f"# Made from {pinned}\n")
    other = new("leaves", "--template", f"{place}@sha256:{'0' * 64}")
    assert other.exit_code == 1
    assert f"it has the digest {digest}" in said(other)
    assert not (here / "leaves").exists()


def test_a_seed_of_ours_is_named_and_can_be_deployed_under_another_name(here: Path) -> None:
    result = new("shells", "--template", "abalone")
    assert result.exit_code == 0, said(result)
    shells = reading.read(here / "shells")
    assert shells.models == ("shells",)
    assert checking.check(shells, target.example("us-east-1")).inputs["abalone"].takes == "manifest"


def test_no_program_of_a_template_is_run_before_a_person_has_read_it(template: Path, here: Path) -> None:
    definition = template / "pipeline" / "definition.py"
    definition.write_text(f"open({str(here / 'ran')!r}, 'w')\n{definition.read_text()}")
    assert new("petals", "--template", str(template)).exit_code == 0
    assert not (here / "ran").exists()


def test_what_is_no_template_is_said_with_what_there_is(here: Path, tmp_path: Path) -> None:
    unknown = new("petals", "--template", "nothing")
    assert "there is no template 'nothing': name one of abalone" in said(unknown)
    (tmp_path / "empty").mkdir()
    empty = new("petals", "--template", str(tmp_path / "empty"))
    assert "the template has no signalbox.yaml" in said(empty)
    assert list(here.iterdir()) == []


def test_a_link_that_leads_out_of_a_template_is_not_followed(template: Path, here: Path) -> None:
    (template / "secret.txt").symlink_to("/etc/hostname")
    result = new("petals", "--template", str(template))
    assert "secret.txt of the template is a link that leads out of it" in said(result)
    assert list(here.iterdir()) == []


def test_keys_that_lead_out_of_the_folder_are_not_downloaded(tmp_path: Path) -> None:
    bucket = _Bucket(tmp_path, "")
    bucket.files = {"seeds/../../outside.txt": SDK}
    with (
        pytest.raises(OperateError, match="keys that lead out of it"),
        sources.fetched("s3://org/seeds", lambda: bucket),
    ):
        pytest.fail("nothing is given")


def test_a_project_begins_with_one_thing(template: Path, here: Path) -> None:
    for words in ([], ["--template", str(template), "--definition", str(SDK)]):
        assert "a project begins with one thing" in said(new("petals", *words))
    aside = new("petals", "--template", str(template), "--label", "grower")
    assert "--label, goes with --from alone" in said(aside)
    assert list(here.iterdir()) == []


def test_a_definition_of_the_sdk_becomes_a_project_whose_role_group_and_input_are_found(here: Path) -> None:
    result = new("rings", "--definition", str(SDK))
    assert result.exit_code == 0, said(result)
    described = yaml.safe_load((here / "rings" / "signalbox.yaml").read_text())
    pipeline = described["pipelines"]["train"]
    assert (pipeline["parameter"], pipeline["takes"], pipeline["models"]) == ("InputDataUrl", "url", ["rings"])
    assert pipeline["replace"] == {
        "arn:aws:iam::123456789012:role/SageMakerExecutionRole": "{job_role}",
        "AbaloneModelPackageGroup": "{group:rings}",
    }
    assert (here / "rings" / "pipeline" / "definition.json").read_bytes() == SDK.read_bytes()


def test_what_only_its_owner_can_decide_about_a_definition_is_said_once_each(here: Path) -> None:
    lines = [line for line in new("rings", "--definition", str(SDK)).stdout.splitlines() if line.startswith("- ")]
    assert len(lines) == len(set(lines)) > 0
    assert all("which is not the project's" in line for line in lines)
    assert here.joinpath("rings").is_dir()


def test_each_group_of_a_definition_becomes_a_model(here: Path, tmp_path: Path) -> None:
    definition = json.loads(SDK.read_text())
    (register,) = definition["Steps"][-1]["Arguments"]["IfSteps"]
    second = json.loads(json.dumps(register))
    second["Name"], second["Arguments"]["ModelPackageGroupName"] = "RegisterSecond", "Rings_Small"
    definition["Steps"][-1]["Arguments"]["IfSteps"].append(second)
    file = tmp_path / "two.json"
    file.write_text(json.dumps(definition))
    assert new("rings", "--definition", str(file)).exit_code == 0
    assert reading.read(here / "rings").models == ("abalonemodelpackagegroup", "rings-small")


@pytest.mark.parametrize(
    ("text", "told"), [("not json", "is not JSON"), ("[]", "JSON object"), ('{"Version": "2020-12-01"}', "no Steps")]
)
def test_what_is_no_definition_is_refused_and_nothing_is_written(
    text: str, told: str, here: Path, tmp_path: Path
) -> None:
    file = tmp_path / "definition.json"
    file.write_text(text)
    result = new("rings", "--definition", str(file))
    assert result.exit_code == 1
    assert told in said(result)
    assert list(here.iterdir()) == []
