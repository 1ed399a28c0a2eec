"""The gates are gates: every defect that we know how to plant is seen by the check that it is meant for."""

import pytest
from tests.gates.checks import lint, oidc, permissions
from tests.gates.mutations import LINTED, MLOPS, OIDC, PLANTED, RELEASE, TEMPLATE, Mutation
from tests.gates.template import ROOT, TemplateError, load
from tests.gates.test_template import CHECKS, listed


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in (TEMPLATE, MLOPS, RELEASE, OIDC)}


@pytest.fixture(scope="module")
def lint_findings(texts: dict[str, str]) -> list[str]:
    """Return what one run of cfn-lint says of all the defects that are its business."""
    for mutation in LINTED:
        texts = mutation.plant(texts)
    return list(map(str, lint.check(load(texts[TEMPLATE], texts))))


def findings(mutation: Mutation, texts: dict[str, str]) -> str:
    planted = mutation.plant(texts)
    if mutation.check == "oidc":
        return listed(oidc.check(planted[OIDC]))
    try:
        template = load(planted[TEMPLATE], planted)
    except TemplateError as error:
        return str(error) if mutation.check == "load" else f"not even read: {error}"
    if mutation.check == "permissions":
        return listed(permissions.check(template, about=mutation.speaks_of))
    return "" if mutation.check == "load" else listed(CHECKS[mutation.check](template))


@pytest.mark.parametrize("mutation", PLANTED, ids=lambda mutation: f"{mutation.id}: {mutation.what}")
def test_a_planted_defect_is_seen(mutation: Mutation, texts: dict[str, str]) -> None:
    assert mutation.speaks_of in findings(mutation, texts)


@pytest.mark.parametrize("mutation", LINTED, ids=lambda mutation: f"{mutation.id}: {mutation.what}")
def test_a_planted_defect_is_seen_by_the_linter(mutation: Mutation, lint_findings: list[str]) -> None:
    assert any(f"Resources/{mutation.speaks_of}" in finding for finding in lint_findings), "\n".join(lint_findings)
