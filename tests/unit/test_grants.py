"""What builds write counts as far as people granted it: no document of theirs takes what is another project's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import written
from tests.support.parameters import RememberedParameters
from tests.support.projects import WINE, WINE_MODEL, model_text, project_text

from signalbox import grants, names, owners, projects
from signalbox.aws import clients
from signalbox.grants import Grant
from signalbox.projects import Project, ProjectDocumentError, ProjectPipeline, ProjectUploads

PREFIX = "signalbox"
GRANT = {"prefixes": ["incoming/wine/"], "models": ["wine"]}
ROLES = WINE_MODEL["roles"]


def stack(documents: dict[str, str], **granted: dict[str, list[str]]) -> Any:
    """Return a Parameter Store with documents and grants."""
    texts = {f"/{PREFIX}/{name}": text for name, text in documents.items()}
    return RememberedParameters(
        texts | {names.grant_parameter(PREFIX, project): json.dumps(one) for project, one in granted.items()}
    )


def uploads(*prefixes: str) -> list[dict[str, Any]]:
    return [{**WINE["uploads"][0], "prefix": prefix} for prefix in prefixes]


def claims(ssm: Any) -> dict[str, list[str]]:
    """Return the prefixes that count, by project."""
    found = projects.load_projects(PREFIX, ssm)
    return {one.project: [each.prefix for each in one.uploads] for one in found}


@pytest.mark.parametrize(
    ("prefixes", "counted"),
    [
        (["incoming/wine/"], ["incoming/wine/"]),
        (["incoming/beer/"], []),
        (["incoming/beer/dark/"], []),
        (["incoming/"], []),
        (["incoming/wine/red/"], []),  # within its own, but another project's may be there
        (["incoming/wine/", "incoming/beer/"], ["incoming/wine/"]),
        ([], []),
    ],
)
def test_of_what_a_document_claims_exactly_that_counts_which_is_granted(
    prefixes: list[str], counted: list[str]
) -> None:
    ssm = stack({"projects/wine": project_text(uploads=uploads(*prefixes))}, wine=GRANT)

    assert claims(ssm) == {"wine": counted}


def test_a_claim_that_is_not_granted_is_logged_and_counted_with_what_to_do(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int]] = []
    monkeypatch.setattr(projects, "count", lambda *outcome: told.append(outcome))

    claims(stack({"projects/wine": project_text(uploads=uploads("incoming/beer/", "incoming/rum/"))}, wine=GRANT))

    assert told == [("ClaimRefused", 2)]
    said = written(caplog)
    assert all(one in said for one in ("incoming/beer/", "incoming/rum/", "wine", "`signalbox projects create`"))


def test_a_document_of_a_project_without_a_grant_is_a_persons_and_is_believed() -> None:
    ssm = stack({"projects/wine": project_text(uploads=uploads("incoming/beer/"))}, beer=GRANT)

    assert claims(ssm) == {"wine": ["incoming/beer/"]}


FOREIGN: dict[str, tuple[dict[str, Any], str]] = {
    "another project": ({"project": "beer"}, "project of the model wine is 'beer'"),
    **{
        f"another project's role to {kind}": (
            {"roles": {**ROLES, kind: ROLES[kind].replace("/wine/", "/beer/")}},
            f"roles.{kind} of the model wine is",
        )
        for kind in ROLES
    },
    "the stack's role": ({"roles": {**ROLES, "job": "arn:aws:iam::123456789012:role/signalbox-JobRole"}}, "roles.job"),
    "a role whose name begins with the project": (
        {"roles": {**ROLES, "job": "arn:aws:iam::123456789012:role/signalbox/projects/wine-cellar/job"}},
        "roles.job",
    ),
    "a role whose path has the project's in it": (
        {"roles": {**ROLES, "job": "arn:aws:iam::123456789012:role/x:role/signalbox/projects/wine/job"}},
        "roles.job",
    ),
    "another project's golden requests": (
        {"test": {"content_type": "text/csv", "golden": "s3://artifacts/code/beer/main/golden.jsonl"}},
        "test.golden",
    ),
    "another model's data": (
        {"training": {"problem": "multiclass", "channels": {"training": "s3://data/models/beer/train/"}}},
        "training.channels.training",
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_model_that_is_granted_names_nothing_of_another_project(what: str) -> None:
    changes, said = FOREIGN[what]
    ssm = stack({"models/wine": model_text(**changes)}, wine=GRANT)

    with pytest.raises(ProjectDocumentError) as refused:
        projects.load_model(PREFIX, "wine", ssm)

    assert said in str(refused.value)
    assert "granted to the project 'wine'" in str(refused.value)
    assert "aws ssm get-parameter-history" in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training": None},
        {"test": {"content_type": "text/csv", "golden": "s3://artifacts/code/wine/0123/code/golden.jsonl"}},
        {"tags": {"sagemaker:project-name": "beer"}},
    ],
)
def test_a_model_that_is_granted_and_names_its_own_is_used(changes: dict[str, Any]) -> None:
    found = projects.load_model(PREFIX, "wine", stack({"models/wine": model_text(**changes)}, wine=GRANT))

    assert found is not None
    assert found.resource_tags["sagemaker:project-name"] == "wine"


def test_a_model_that_nobody_was_granted_is_a_persons_and_is_believed() -> None:
    text = model_text(project="beer", roles={**ROLES, "job": "arn:aws:iam::123456789012:role/any"})

    found = projects.load_model(
        PREFIX, "wine", stack({"models/wine": text}, beer={"prefixes": [], "models": ["stout"]})
    )

    assert found is not None
    assert found.project == "beer"


def test_a_document_under_another_models_name_is_refused() -> None:
    with pytest.raises(ProjectDocumentError, match="model is 'wine', but the parameter is that of 'beer'"):
        projects.load_model(PREFIX, "beer", stack({"models/beer": model_text()}))


@pytest.mark.parametrize("text", ["{", "[]", '{"prefixes": "incoming/"}', '{"models": [1]}'])
def test_without_a_grant_that_can_be_read_nothing_is_decided(text: str) -> None:
    ssm = stack({"projects/wine": project_text(), "models/wine": model_text(), "grants/wine": text})

    for load in (lambda: projects.load_projects(PREFIX, ssm), lambda: projects.load_model(PREFIX, "wine", ssm)):
        with pytest.raises(ProjectDocumentError, match=r"grant of the project wine: .*get-parameter-history"):
            load()


def test_fields_of_later_versions_are_no_reason_to_refuse_a_grant() -> None:
    assert grants.parse([("wine", '{"models": ["wine"], "later": 1}')]) == {"wine": Grant(models=frozenset({"wine"}))}


def test_whose_a_model_is_nobody_says_where_its_document_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ssm = stack({"models/wine": model_text(project="beer")}, wine=GRANT)
    monkeypatch.setattr(clients, "client", {"ssm": ssm}.__getitem__)

    assert owners.project(PREFIX, "wine") is None
    assert "is granted to the project 'wine'" in written(caplog)
    ssm.texts[f"/{PREFIX}/models/wine"] = model_text()
    assert owners.project(PREFIX, "wine") == "wine"


# Few prefixes, so that they are the same, or within each other, often.
PLACE = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(lambda names: f"{'/'.join(names)}/")
KEY = PLACE.map(lambda prefix: f"{prefix}x.csv")
DOCUMENT = st.lists(PLACE, max_size=4)


def claiming(name: str, prefixes: list[str]) -> Project:
    pipeline = names.pipeline(PREFIX, name, "x")
    return Project(name, name, tuple(ProjectUploads(one, "x") for one in prefixes), {"x": ProjectPipeline(pipeline)})


@given(mine=DOCUMENT, theirs=DOCUMENT, written=DOCUMENT, key=KEY, first=st.booleans())
def test_no_document_that_a_build_writes_takes_an_upload_from_another_project(
    mine: list[str], theirs: list[str], written: list[str], key: str, *, first: bool
) -> None:
    # What `projects create` grants nobody else has, and none of it lies within another's.
    granted = [one for one in mine if not any(one.startswith(other) for other in theirs)]
    builds, other = ("a", "b") if first else ("b", "a")
    known = {builds: Grant(frozenset(granted))}

    before = projects.claim([grants.within(claiming(other, theirs), known)], key)
    both = [grants.within(claiming(name, of), known) for name, of in ((builds, written), (other, theirs))]
    after = projects.claim(both, key)

    if before is not None:
        assert after is not None
        assert after.project.project == other
    elif after is not None:
        assert after.uploads.prefix in granted


NAME = st.sampled_from(["wine", "beer", "wine-cellar"])
ROLE = st.builds(
    "arn:aws:iam::123456789012:role/{}{}/{}".format, st.sampled_from(["", "signalbox/projects/"]), NAME, NAME
)
URI = st.builds(
    "s3://{}/{}/{}/x".format, st.sampled_from(["artifacts", "data"]), st.sampled_from(["code", "models"]), NAME
)


@given(project=NAME, roles=st.tuples(ROLE, ROLE, ROLE), golden=st.none() | URI)
def test_no_document_that_a_build_writes_makes_a_job_run_as_another_projects_role(
    project: str, roles: tuple[str, str, str], golden: str | None
) -> None:
    kinds = dict(zip(("job", "test", "model"), roles, strict=True))
    text = model_text(project=project, roles=kinds, test={"golden": golden})
    ssm = stack({"models/wine": text}, wine=GRANT, beer={"prefixes": [], "models": ["beer"]})

    try:
        found = projects.load_model(PREFIX, "wine", ssm)
    except ProjectDocumentError:
        assert project != "wine" or golden or not all("role/signalbox/projects/wine/" in role for role in roles)
        return
    assert found is not None
    assert found.project == "wine"
    assert all("role/signalbox/projects/wine/" in role for role in found.roles)
    assert "beer" not in (found.test.golden or "").split("/")
