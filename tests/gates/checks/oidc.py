"""The template of the role that a repository's CI deploys as: linted, its trust asked with tokens right and wrong."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cfnlint import api
from cfnlint.config import ManualArgs
from tests.gates.cfn_yaml import parse
from tests.gates.node_checks import Question, ask
from tests.gates.template import Problem
from tests.gates.values import ACCOUNT, REGION, Values

ROLE = "DeployRole"
_POLICY, _BOUNDARY = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("deploy-wine", "boundary"))
_ARN = f"arn:aws:iam::{ACCOUNT}:role/signalbox/ci/wine/DeployRole"
_PROVIDERS = f"arn:aws:iam::{ACCOUNT}:oidc-provider/"
_ACTION = "sts:AssumeRoleWithWebIdentity"
# The simulator knows the claims of Google's tokens; those of an issuer of one's own are any account's own names.
_KNOWN = "accounts.google.com"
_REPOSITORY, _SIBLING, _PRODUCTION, _STAGING, _STEP = (
    f"{{{digit * 8}-0000-0000-0000-{digit * 12}}}" for digit in "12345"
)
_SUBJECTS = {"GitHub": "repo:", "GitLab": "project_path:"}


@dataclass(frozen=True)
class Case:
    """One stack: its parameters, who signs its tokens, and which claims are to be trusted, which not."""

    given: Mapping[str, str]
    issuer: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    audience: str = "sts.amazonaws.com"


def _case(provider: str, repository: str, right: str, *wrong: str, branch: str = "main") -> Case:
    issuer = {"GitHub": "token.actions.githubusercontent.com", "GitLab": "gitlab.com"}[provider]
    given = {"Provider": provider, "Repository": repository, "Branch": branch}
    known = _SUBJECTS[provider]
    return Case(given, issuer, (f"{known}{right}",), tuple(f"{known}{one}" for one in wrong))


_BITBUCKET = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
_JENKINS = "https://jenkins.example.com/job/wine"
CASES = {
    "GitHub": _case(
        "GitHub",
        "owner/name",
        "owner/name:ref:refs/heads/main",
        "owner/name:pull_request",  # of a fork, or of a branch
        "owner/name:ref:refs/pull/7/merge",
        "owner/name:ref:refs/tags/main",
        "owner/name:environment:main",
        "owner/name:environment:ref:refs/heads/main",
        "owner/name:ref:refs/heads/other",
        "owner/name:ref:refs/heads/main-evil",
        "owner/name:ref:refs/heads/evil/main",
        "owner/name:ref:refs/heads/Main",
        "owner/name-evil:ref:refs/heads/main",
        "owner/evil-name:ref:refs/heads/main",
        "owner/other:ref:refs/heads/main",
        "owner-evil/name:ref:refs/heads/main",
        "fork/name:ref:refs/heads/main",
        "owner@1/name@2:ref:refs/heads/main",
    ),
    "GitHub, with ids": _case(
        "GitHub",
        "owner@1/name@2",
        "owner@1/name@2:ref:refs/heads/main",
        "owner/name:ref:refs/heads/main",
        "owner@3/name@2:ref:refs/heads/main",
        "owner@1/name@22:ref:refs/heads/main",
        "owner@1/name@2:pull_request",
    ),
    "GitHub, a pattern": _case(
        "GitHub",
        "owner/name",
        "owner/name:ref:refs/heads/experiment/a",
        "owner/name:ref:refs/heads/experiment",
        "owner/name:ref:refs/heads/main",
        "owner/name:ref:refs/tags/experiment/a",
        "owner/name:pull_request",
        "owner/name:environment:experiment/a",
        "owner/other:ref:refs/heads/experiment/a",
        branch="experiment/*",
    ),
    "GitHub, any branch": _case(
        "GitHub",
        "owner/name",
        "owner/name:ref:refs/heads/anything",
        "owner/name:pull_request",
        "owner/name:ref:refs/tags/v1",
        "owner/name-evil:ref:refs/heads/main",
        "owner/name:environment:main",
        branch="*",
    ),
    "GitLab": _case(
        "GitLab",
        "group/sub/project",
        "group/sub/project:ref_type:branch:ref:main",
        "group/sub/project:ref_type:tag:ref:main",
        "group/sub/project:ref_type:branch:ref:main-evil",
        "group/sub/project:ref_type:branch:ref:other",
        "group/sub/project-evil:ref_type:branch:ref:main",
        "group/sub/project/evil:ref_type:branch:ref:main",
        "group/project:ref_type:branch:ref:main",
        "evil/sub/project:ref_type:branch:ref:main",
        "fork/project:ref_type:branch:ref:main",
    ),
    "Bitbucket": Case(
        {
            "Provider": "Bitbucket",
            "Repository": _REPOSITORY,
            "Environment": _PRODUCTION,
            "Issuer": _BITBUCKET,
            "Audience": "ari:cloud:bitbucket::workspace/acme",
        },
        _BITBUCKET,
        (f"{_REPOSITORY}:{_PRODUCTION}:{_STEP}",),
        (
            f"{_REPOSITORY}:{_STEP}",  # a step of a pull request or a tag, which names no environment
            f"{_REPOSITORY}:{_STAGING}:{_STEP}",
            f"{_SIBLING}:{_PRODUCTION}:{_STEP}",
            f"{_REPOSITORY}{_SIBLING}:{_PRODUCTION}:{_STEP}",
            f"{_REPOSITORY}:{_PRODUCTION}",
        ),
        "ari:cloud:bitbucket::workspace/acme",
    ),
    "Jenkins": Case(
        {"Provider": "Jenkins", "Repository": _JENKINS, "Issuer": "jenkins.example.com/oidc"},
        "jenkins.example.com/oidc",
        (f"{_JENKINS}/job/main/",),
        (
            f"{_JENKINS}/job/main-evil/",
            f"{_JENKINS}/job/PR-7/",
            f"{_JENKINS}/job/v1/",
            f"{_JENKINS}-evil/job/main/",
            "https://jenkins.example.com.evil.example/job/wine/job/main/",
        ),
    ),
}
# What the parameters may be, and what they may not: a wildcard, a quote or a variable would open the trust.
_TAKEN = {
    "Repository": ("owner/name", "o-1/n.a_m", "owner@1/name@2", "group/sub/project", _REPOSITORY, _JENKINS),
    "Branch": ("main", "release/1.x", "experiment/*"),
}
_REFUSED = {
    "Repository": (
        "*",
        "owner",
        "owner/*",
        "*/name",
        "owner/na?e",
        'o/n","x',
        "o/${aws:x}",
        "o/n:ref",
        "{*}",
        "https://*",
    ),
    "Branch": ("", 'main"', "ma?n", "${aws:x}", "a:b", "a\\b", "a b"),
    "DeployPolicyArn": ("arn:aws:iam::aws:policy/AdministratorAccess", "*", ""),
    "Audience": ("*", "", 'a"'),
    "Issuer": ("*", "https://gitlab.com", "gitlab.com/", 'a"b'),
}


def check(text: str) -> list[Problem]:
    """Return what cfn-lint says, which parameters take too much or too little, and whose tokens are wrongly judged."""
    document = parse(text)
    return [*_linted(text), *_parameters(document), *_rights(document), *_trust(document)]


def _linted(text: str) -> Iterator[Problem]:
    for match in api.lint(text, config=ManualArgs(regions=[REGION])):
        yield Problem("/".join(map(str, match.path or ())) or "oidc.yaml", f"{match.rule.id} {match.message}")


def _parameters(document: dict[str, Any]) -> Iterator[Problem]:
    for values, taken in ((_TAKEN, True), (_REFUSED, False)):
        for name, some in values.items():
            pattern = document["Parameters"][name]["AllowedPattern"]
            for value in some:
                if bool(re.fullmatch(pattern, value)) is not taken:
                    yield Problem(name, f"{'refuses' if taken else 'takes'} {value!r}")
    for name, entry in document["Parameters"].items():
        if not str(entry.get("ConstraintDescription", "")).startswith(f"{name} has to be"):
            yield Problem(name, "a wrong value has to fail with a sentence")


def _with(document: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the role of a stack with these parameters."""
    changed = copy.deepcopy(document)
    required = {"Project": "wine", "DeployPolicyArn": _POLICY, "Provider": "GitHub", "Repository": "owner/name"}
    for name, value in {**required, **given}.items():
        changed["Parameters"][name]["Default"] = value
    properties: dict[str, Any] = Values(changed, changed).of(changed["Resources"][ROLE]["Properties"])
    return properties


def _rights(document: dict[str, Any]) -> Iterator[Problem]:
    bare, bound = _with(document, {}), _with(document, {"PermissionsBoundary": _BOUNDARY})
    kinds = sorted(entry["Type"] for entry in document["Resources"].values())
    if kinds != ["AWS::IAM::OIDCProvider", "AWS::IAM::Role"]:
        yield Problem("Resources", f"are {kinds}, and have to be one provider and one role")
    if bare["ManagedPolicyArns"] != [_POLICY] or "Policies" in bare:
        yield Problem(ROLE, "has other rights than those of the policy that it is given")
    if bare["MaxSessionDuration"] != 3600:
        yield Problem(ROLE, "has to be taken for an hour at most")
    if "PermissionsBoundary" in bare or bound.get("PermissionsBoundary") != _BOUNDARY:
        yield Problem(ROLE, "does not have the boundary that it is given, and no other")
    if bare["Path"] != "/signalbox/ci/wine/":
        yield Problem(ROLE, f"lies under {bare['Path']}, where whoever deploys projects might change it")


def _trust(document: dict[str, Any]) -> Iterator[Problem]:
    asked: dict[str, tuple[Question, bool, str]] = {}
    policies = {}
    for name, case in CASES.items():
        role = _with(document, {**case.given, "ProviderArn": f"{_PROVIDERS}{case.issuer}"})
        policies[name] = json.loads(role["AssumeRolePolicyDocument"].replace(f'"{case.issuer}:', f'"{_KNOWN}:'))
        for number, (issuer, audience, subject, trusted) in enumerate(_tokens(case)):
            claims = {"aud": audience, "sub": subject}
            context = {f"{_KNOWN if issuer == case.issuer else issuer}:{claim}": one for claim, one in claims.items()}
            question = Question(
                f"{name}/{number}", f"{_PROVIDERS}{issuer}", _ACTION, _ARN, context=context, resource_policy=name
            )
            asked[question.id] = question, trusted, f"{subject} for {audience} by {issuer}"
    answers, _ = ask([question for question, _, _ in asked.values()], {}, policies)
    for identity, (question, trusted, told) in asked.items():
        if (answers[identity] == "Allowed") is not trusted:
            yield Problem(ROLE, f"{question.resource_policy}: a token of {told} is {answers[identity]}, which is wrong")


def _tokens(case: Case) -> Iterator[tuple[str, str, str, bool]]:
    """Yield tokens: who signed, for whom, of what, and whether that is to be trusted."""
    for subject in case.right:
        yield case.issuer, case.audience, subject, True
        for audience in ("elsewhere", f"{case.audience}.evil", "https://github.com/owner"):
            yield case.issuer, audience, subject, False
        yield "gitlab.evil.example", case.audience, subject, False
    for subject in case.wrong:
        yield case.issuer, case.audience, subject, False
