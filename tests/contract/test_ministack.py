"""ministack's internals are as `sagemaker_local.ministack` and `sagemaker_local.ministack_patches` need them.

When an upgrade fails here: see how ministack does it now, mend the function in `ministack` or `ministack_patches` that
uses the name, then the table in `tests/contract/internals.py`.
"""

import ast
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.contract.internals import BEHAVIOURS, INTERNALS
from tests.sagemaker_local.support.programs import PACKAGE, ROOT, environment

_SOURCES = (
    "ministack.py",
    "ministack_patches.py",
    "ministack_moves.py",
    "ministack_alarms.py",
    "ministack_logs.py",
    "ministack_mails.py",
    "ministack_executions.py",
    "ministack_definitions.py",
    "ministack_apis.py",
    "ministack_objects.py",
    "ministack_topics.py",
    "ministack_trails.py",
    "integrations.py",
    "ministack_policies.py",
    "ministack_roles.py",
    "ministack_stacks.py",
    "ministack_images.py",
    "ministack_queries.py",
    "ministack_variables.py",
)
# The names by which our files know ministack's modules.
_MODULES = {
    "ministack_app": "app",
    "iam_actions": "core.iam_actions",
    "iam_evaluator": "core.iam_evaluator",
    "responses": "core.responses",
    "router": "core.router",
    "topics": "services.sns",
    "trails": "services.cloudtrail",
    "actions": "core.iam_actions",
    "entities": "services.iam",
    "apis": "services.apigateway",
    "functions": "services.lambda_svc",
    "stack_types": "services.cloudformation.provisioners",
    "stack_engine": "services.cloudformation.stacks",
    "stack_calls": "services.cloudformation.handlers",
    "change_sets": "services.cloudformation.changesets",
    "drifts": "services.cloudformation.drift",
    "threads": "core.concurrency",
    "states": "services.stepfunctions",
    "alarms": "services.cloudwatch",
    "queues": "services.sqs",
    "mails": "services.ses_v2",
    "buckets": "services.s3",
    "keys": "services.kms",
    "queries": "services.athena",
    "tables": "services.glue",
    "rest_apis": "services.apigateway_v1",
    "logs": "services.cloudwatch_logs",
    "registry": "services.ecr",
    "evaluator": "core.iam_evaluator",
} | {
    name: f"services.{name}"
    for name in (
        "apigateway",
        "cloudwatch",
        "ecr",
        "eventbridge",
        "iam",
        "lambda_svc",
        "s3",
        "ses",
        "ssm",
        "stepfunctions",
        "sts",
        "tagging",
    )
}


@pytest.fixture(scope="session")
def report() -> dict[str, dict[str, Any]]:
    """Return what ministack's internals look like and how they behave, seen in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.internals"],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def _advice(name: str) -> str:
    users = [source for source in _SOURCES if name.rsplit(".", 1)[-1] in _text(source)]
    return (
        f"ministack {version('ministack')} has another {name} than the one we rely on. See how ministack does it now, "
        f"mend {' and '.join(users) or 'ministack.py'}, then tests/contract/internals.py."
    )


def _text(source: str) -> str:
    return (PACKAGE / source).read_text()


def test_the_version_is_the_one_that_was_looked_at() -> None:
    pinned = [line for line in (ROOT / "pyproject.toml").read_text().splitlines() if '"ministack==' in line]
    assert pinned == [f'  "ministack=={version("ministack")}",']


@pytest.mark.parametrize("name", INTERNALS)
def test_each_internal_is_what_it_was(name: str, report: dict[str, dict[str, Any]]) -> None:
    kind, parameters = INTERNALS[name]
    assert report["looks"][name] == [kind, parameters], _advice(name)


@pytest.mark.parametrize("behaviour", [check.__name__ for check in BEHAVIOURS])
def test_each_internal_behaves_as_it_did(behaviour: str, report: dict[str, dict[str, Any]]) -> None:
    assert report["behaviours"][behaviour] is None, f"{report['behaviours'][behaviour]}\n{_advice(behaviour)}"


def _touched(source: str) -> set[str]:
    """Return the names of ministack's modules that a file of ours uses, as `module.name`."""
    tree = ast.parse(_text(source))
    return {
        f"{_MODULES[node.value.id]}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _MODULES
    }


def test_every_internal_that_is_touched_is_in_the_table_and_no_other() -> None:
    touched = set().union(*(_touched(source) for source in _SOURCES))
    assert touched == set(INTERNALS)


def test_no_other_file_touches_ministack() -> None:
    users = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if _imports_ministack(path)}
    assert users == {Path("ministack.py")}


def _imports_ministack(path: Path) -> bool:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return any(name.split(".", maxsplit=1)[0] == "ministack" for name in names)
