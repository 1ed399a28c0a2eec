"""The gates over `template.yaml` and the machines; each finding names the resource and what is wrong with it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.gates.checks import (
    alarms,
    code,
    contracts,
    events,
    grants,
    lint,
    machines,
    permissions,
    posture,
    prefix,
    promises,
    retries,
    written,
)
from tests.gates.patterns import matches, pattern_error
from tests.gates.template import ROOT, Problem, Template
from tests.gates.values import REGION

type Check = Callable[[Template], list[Problem]]
CHECKS: dict[str, Check] = {
    "alarms": alarms.check,
    "contracts": contracts.check,
    "events": events.check,
    "grants": grants.check,
    "lint": lint.check,
    "machines": machines.check,
    "permissions": permissions.check,
    "posture": posture.check,
    "promises": promises.check,
    "prefix": prefix.check,
    "retries": retries.check,
    "written": written.check,
}


def listed(problems: list[Problem]) -> str:
    return "\n".join(map(str, problems))


@pytest.mark.parametrize("name", CHECKS)
def test_the_template_passes_the_check(name: str, template: Template) -> None:
    problems = CHECKS[name](template)

    assert not problems, listed(problems)


def test_functions_are_short_and_imports_point_inward() -> None:
    problems = code.check()

    assert not problems, listed(problems)


def test_a_planted_dataclass_is_seen_wherever_the_layer_has_it(tmp_path: Path) -> None:
    module = tmp_path / code.PACKAGE.relative_to(ROOT) / "uploads" / "model.py"
    module.parent.mkdir(parents=True)
    module.write_text("from dataclasses import dataclass\n", encoding="utf-8")

    (problem,) = code.check(tmp_path)
    assert "imports dataclasses.dataclass, which slows every cold start" in str(problem)


def test_a_planted_pattern_is_seen_wherever_the_layer_compiles_it_at_a_start(tmp_path: Path) -> None:
    module = tmp_path / code.PACKAGE.relative_to(ROOT) / "plain.py"
    module.parent.mkdir(parents=True)
    module.write_text('import re\n\n_END = re.compile("\\n")\n', encoding="utf-8")

    (problem,) = code.check(tmp_path)
    assert "compiles a pattern at every cold start" in str(problem)


def test_sam_accepts_the_file_as_it_is() -> None:
    sam = Path(sys.executable).with_name("sam")
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_UPDATES": "0"}

    run = subprocess.run(
        [sam, "validate", "--region", REGION, "--template", ROOT / "template.yaml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )

    assert run.returncode == 0, run.stderr


def test_the_pattern_matcher_reads_what_our_rules_use() -> None:
    pattern = {
        "source": ["aws.s3"],
        "detail": {
            "errorCode": [{"exists": False}],
            "key": [{"wildcard": "in/*.csv"}],
            "$or": [{"fields": ["a"]}, {"fields": [{"exists": False}]}],
        },
    }
    event = {"source": "aws.s3", "detail-type": "x", "detail": {"key": "in/1.csv", "fields": ["b", "a"]}}

    assert pattern_error(pattern) is None
    assert pattern_error({"source": "aws.s3"}) is not None
    assert pattern_error({"source": [{"begins-with": "aws"}]}) is not None
    assert matches(pattern, event)
    assert not matches(pattern, {**event, "detail": {"key": "in/1.csv", "fields": ["b"]}})
    assert not matches(pattern, {**event, "detail": {"key": "in/1.txt"}})
    assert not matches(pattern, {**event, "detail": {"key": "in/1.csv", "errorCode": "AccessDenied"}})
