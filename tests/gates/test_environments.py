"""The environments of `samconfig.toml`, as SAM's own command resolves them: `sam deploy --config-env …`."""

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from samcli.commands.deploy import command
from tests.gates.template import ROOT, Template

ENVIRONMENTS = ("dev", "prod")
FILL_IN = "FILL-IN"
NAMES = list(inspect.signature(command.do_cli).parameters)
ADDRESSES = {"Sender": "models@example.com", "Approvers": "ann@example.com,bob@example.com"}


def deployed(environment: str, config: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what `sam deploy` would do in an environment."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(
        command, "do_cli", lambda *given, **named: asked.update(zip(NAMES, given, strict=False), **named)
    )
    monkeypatch.setenv("SAM_CLI_TELEMETRY", "0")
    words = ["--config-env", environment, "--config-file", str(config), "--template-file", str(ROOT / "template.yaml")]
    done = CliRunner().invoke(command.cli, words)
    assert done.exit_code == 0, done.output
    return asked


def refused(template: Template, given: Mapping[str, str]) -> set[str]:
    """Return the parameters whose values CloudFormation refuses, and those that have none."""
    found = set()
    for name, parameter in template.sam["Parameters"].items():
        value = given.get(name, parameter.get("Default"))
        fits = value is not None and re.fullmatch(parameter.get("AllowedPattern", ".*"), str(value)) is not None
        allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
        found |= set() if fits and str(value) in allowed else {name}
    return found | set(given) - set(template.sam["Parameters"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_file_that_was_not_filled_in_is_refused_for_its_addresses_and_for_nothing_else(
    environment: str, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = deployed(environment, ROOT / "samconfig.toml", monkeypatch)["parameter_overrides"]

    assert refused(template, given) == set(ADDRESSES)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_with_the_addresses_in_the_file_the_documented_command_deploys_the_environments_own_parameters(
    environment: str, template: Template, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    for name, addresses in ADDRESSES.items():
        text = text.replace(f"{name}={FILL_IN}", f"{name}={addresses}")
    config = tmp_path / "samconfig.toml"
    config.write_text(text, encoding="utf-8")

    given = deployed(environment, config, monkeypatch)["parameter_overrides"]

    assert refused(template, given) == set()
    assert ADDRESSES.items() <= given.items()
    own = {"dev": {"LogRetentionDays": "7"}, "prod": {"UploadEvents": "both"}}
    assert own[environment].items() <= given.items()


def test_two_environments_with_one_sender_stand_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [deployed(environment, ROOT / "samconfig.toml", monkeypatch) for environment in ENVIRONMENTS]
    stacks = [one["stack_name"] for one in asked]
    verifying = [one["parameter_overrides"].get("CreateSenderIdentity", "yes") for one in asked]

    assert sorted(verifying) == ["no", "yes"]
    assert len({one["s3_prefix"] for one in asked}) == len(asked)
    assert not [(one, other) for one in stacks for other in stacks if one != other and other.startswith(f"{one}-")]


def test_no_documented_command_takes_the_files_parameters_away() -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    lines = [line for text in texts for line in text.read_text(encoding="utf-8").splitlines()]
    deploying = [line for line in lines if re.search(r"sam deploy .*--config-env", line)]

    assert {environment for line in deploying for environment in ENVIRONMENTS if environment in line} == {*ENVIRONMENTS}
    assert not [line for line in deploying if "--parameter-overrides" in line]
