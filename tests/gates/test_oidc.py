"""The role that a repository's CI deploys as is taken by that repository and branch alone."""

import json
import re
from typing import Any

import pytest
from tests.gates.cfn_yaml import parse
from tests.gates.checks import oidc
from tests.gates.template import ROOT
from tests.gates.test_template import listed
from tests.gates.values import Values

TEXT = (ROOT / "cicd" / "oidc.yaml").read_text(encoding="utf-8")


def test_the_template_of_the_role_passes_the_check() -> None:
    problems = oidc.check(TEXT)

    assert not problems, listed(problems)


def test_every_service_is_asked_with_right_tokens_and_with_wrong_ones() -> None:
    assert {case.given["Provider"] for case in oidc.CASES.values()} == set(
        parse(TEXT)["Parameters"]["Provider"]["AllowedValues"]
    )
    assert all(case.right and len(case.wrong) >= 4 for case in oidc.CASES.values())


@pytest.mark.parametrize(
    ("provider", "issuer"), [("GitHub", "token.actions.githubusercontent.com"), ("GitLab", "gitlab.com")]
)
def test_the_provider_that_is_made_signs_the_tokens_that_are_trusted(provider: str, issuer: str) -> None:
    document = parse(TEXT)
    document["Parameters"]["Provider"]["Default"] = provider
    document["Parameters"]["Repository"]["Default"] = "owner/name"
    values = Values(document, document)

    made = values.of(document["Resources"]["TokenProvider"]["Properties"])
    trust = json.loads(values.of(document["Resources"]["DeployRole"]["Properties"])["AssumeRolePolicyDocument"])
    (statement,) = trust["Statement"]
    assert made == {"Url": f"https://{issuer}", "ClientIdList": ["sts.amazonaws.com"]}
    assert statement["Principal"] == {"Federated": values.arn("TokenProvider")}
    assert {key for pairs in statement["Condition"].values() for key in pairs} == {f"{issuer}:aud", f"{issuer}:sub"}
    assert document["Resources"]["TokenProvider"]["DeletionPolicy"] == "Retain"


def test_the_commands_of_the_document_give_parameters_that_the_template_takes() -> None:
    known = parse(TEXT)["Parameters"]
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    given = re.findall(r"\b([A-Z]\w+)=([^\s`]+)", page)

    assert {name for name, _ in given} >= {"Provider", "Repository", "Environment", "Issuer", "Audience", "Project"}
    whole = [(name, value) for name, value in given if "…" not in value]
    assert [one for one in whole if not _takes(known[one[0]], one[1])] == []


def _takes(entry: dict[str, Any], value: str) -> bool:
    return (
        value in entry["AllowedValues"]
        if "AllowedValues" in entry
        else bool(re.fullmatch(entry["AllowedPattern"], value))
    )
