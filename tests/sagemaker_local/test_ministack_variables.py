"""Policy variables: a statement with one is compared with what the request has in its place."""

from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import ministack, ministack_variables

OWN = "arn:aws:s3:::b/people/${aws:PrincipalTag/name}/*"
evaluator: Any = ministack.evaluator


@pytest.fixture(autouse=True)
def resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluator that resolves variables, put back afterwards."""
    monkeypatch.setattr(evaluator, "_first_match", evaluator._first_match)
    ministack_variables.resolve_policy_variables()


def decided(statement: dict[str, Any], tag: str | None, resource: str, **context: str) -> str:
    """Return the decision about a reading of a resource by whoever has a tag `name`."""
    policy = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}]}
    keys = {} if tag is None else {"aws:principaltag/name": tag}
    asked = evaluator.EvalContext(
        principal_arn="arn:aws:iam::123456789012:role/r",
        principal_type="AssumedRole",
        principal_account="123456789012",
        action="s3:GetObject",
        resource_arn=resource,
        region="us-east-1",
        service_context=context,
        principal_keys=keys,
    )
    return str(evaluator.evaluate(asked, [evaluator.parse_policy_document(policy)]).decision)


@pytest.mark.parametrize(
    ("tag", "key", "decision"),
    [
        ("ana", "people/ana/x", "Allow"),
        ("bob", "people/ana/x", "ImplicitDeny"),
        (None, "people/ana/x", "ImplicitDeny"),
        ("*", "people/ana/x", "ImplicitDeny"),
        ("an?", "people/ana/x", "ImplicitDeny"),
    ],
)
def test_a_resource_is_that_of_the_callers_tag_and_no_pattern_of_it(tag: str | None, key: str, decision: str) -> None:
    assert decided({"Resource": OWN}, tag, f"arn:aws:s3:::b/{key}") == decision


def test_a_condition_is_held_against_the_callers_tag() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/name": ["nobody", "${aws:PrincipalTag/name}"]}}
    own = {"aws:resourcetag/name": "ana"}
    assert decided({"Condition": condition}, "ana", "r", **own) == "Allow"
    assert decided({"Condition": condition}, "bob", "r", **own) == "ImplicitDeny"
    assert decided({"Condition": condition}, None, "r", **own) == "ImplicitDeny"


def test_a_default_stands_for_a_value_that_is_not_there() -> None:
    statement = {"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/name, 'all'}/*"}
    assert decided(statement, None, "arn:aws:s3:::b/all/x") == "Allow"
    assert decided(statement, "ana", "arn:aws:s3:::b/all/x") == "ImplicitDeny"


def test_a_dollar_may_be_written_and_a_statement_without_variables_stays_as_it_is() -> None:
    assert decided({"Resource": "arn:aws:s3:::b/${$}x"}, None, "arn:aws:s3:::b/$x") == "Allow"
    assert decided({"Condition": {"Bool": {"aws:SecureTransport": False}}}, None, "r") == "Allow"
    assert decided({"Resource": "arn:aws:s3:::b/*"}, None, "arn:aws:s3:::b/x") == "Allow"
