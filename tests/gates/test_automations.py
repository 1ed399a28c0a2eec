"""The gates over the templates of a project's automation, and planted defects that each of them sees."""

from collections.abc import Callable

import pytest
from tests.gates import automations
from tests.gates.automations import PROJECT, WINE
from tests.gates.checks import builds, lint, posture, written
from tests.gates.mutations import AUTOMATION, Mutation
from tests.gates.template import Problem, Template
from tests.gates.test_template import listed

type Check = Callable[[Template], list[Problem]]
CHECKS: dict[str, Check] = {
    "builds": builds.check,
    "lint": lint.check,
    "posture": posture.check,
    "written": written.check,
}
TEXTS = automations.texts()


@pytest.mark.parametrize("name", ["lint", "written"])
@pytest.mark.parametrize("path", TEXTS)
def test_each_template_passes_the_check(path: str, name: str) -> None:
    problems = CHECKS[name](automations.load(TEXTS[path]))

    assert not problems, listed(problems)


@pytest.mark.parametrize("name", ["builds", "posture"])
def test_the_automation_of_a_project_passes_the_check(name: str) -> None:
    problems = CHECKS[name](automations.load(TEXTS[PROJECT], WINE))

    assert not problems, listed(problems)


@pytest.mark.parametrize("mutation", AUTOMATION, ids=lambda mutation: f"{mutation.id}: {mutation.what}")
def test_a_planted_defect_is_seen(mutation: Mutation) -> None:
    planted = automations.load(mutation.plant(TEXTS)[PROJECT], WINE)
    where, _, what = mutation.speaks_of.partition(" ")

    problems = builds.check(planted, where) if mutation.check == "builds" else CHECKS[mutation.check](planted)

    assert any(where in problem.where and what in problem.what for problem in problems), listed(problems)
