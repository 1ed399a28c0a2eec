"""Names are legal whatever they are made of, and addresses are taken apart as they are meant."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from signalbox import names

LEGAL = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@given(st.text(max_size=200))
def test_any_text_becomes_a_legal_name(text: str) -> None:
    assert LEGAL.fullmatch(names.slug(text))


@given(st.text(max_size=80), st.text(max_size=80))
def test_two_texts_never_share_a_name(one: str, other: str) -> None:
    assert (names.slug(one, 20) == names.slug(other, 20)) == (one == other)


def test_a_name_without_room_for_its_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="limit 9 is too small"):
        names.slug("a", 9)


def test_a_key_has_every_character_that_s3_allows() -> None:
    assert names.bucket_and_key("s3://b/a/what?#1\n.csv") == ("b", "a/what?#1\n.csv")
    assert names.bucket_and_key("s3://b/folder/") == ("b", "folder/")


@pytest.mark.parametrize("uri", ["", "s3://b", "s3://b/", "https://b/k", "/b/k", "s3:///k"])
def test_what_names_nothing_in_a_bucket_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is not the S3 URI of a file or folder"):
        names.bucket_and_key(uri)


PART = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,9}", fullmatch=True)


@given(PART, PART, PART, PART)
def test_no_two_pipelines_of_a_stack_share_a_name(project: str, one: str, other_project: str, other: str) -> None:
    same = names.pipeline("s", project, one) == names.pipeline("s", other_project, other)

    assert same == ((project, one) == (other_project, other))


@given(PART, PART)
def test_a_pipelines_name_is_legal(project: str, pipeline: str) -> None:
    assert LEGAL.fullmatch(names.pipeline("signalbox", project, pipeline))
    assert names.pipeline("signalbox", "abalone", "abalone") == "signalbox-abalone"


BRANCHES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=250)


@given(BRANCHES, BRANCHES)
def test_two_branches_never_share_a_pipeline_or_a_package_group(one: str, other: str) -> None:
    assume(one != other)
    assert names.branch_pipeline("p", "wine", "train", one) != names.branch_pipeline("p", "wine", "train", other)
    assert names.branch_group("p", "wine", "red", one) != names.branch_group("p", "wine", "red", other)


@pytest.mark.parametrize(
    ("one", "other"), [("a/b", "a-b"), ("A", "a"), ("feature/a", "feature/a/"), ("x" * 200, "x" * 199)]
)
def test_branches_that_look_alike_have_names_of_their_own(one: str, other: str) -> None:
    assert names.branch_key(one) != names.branch_key(other)
    assert names.branch_group("p", "wine", "red", one) != names.branch_group("p", "wine", "red", other)


@given(BRANCHES)
def test_every_branch_has_legal_names_even_with_the_longest_prefix_and_project(branch: str) -> None:
    prefix, project = "p" * 24, "w" * 30
    group = names.branch_group(prefix, project, "m" * 30, branch)
    assert LEGAL.fullmatch(group)
    assert group.startswith(f"{prefix}-{project}--")
    assert names.of_branch(group)
    pipeline = names.branch_pipeline(prefix, project, "t" * 20, branch)
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}", pipeline)


def test_a_branch_keeps_what_is_legal_of_its_name() -> None:
    assert names.branch_key("feature/more-trees") == "feature-more-trees-cf5d6890"
    assert names.branch_key("🚀") == names.branch_key("🚀")
    assert names.branch_pipeline("signalbox", "wine", "train", "main").startswith("signalbox-wine--train--main-")


def test_no_group_of_a_model_is_taken_for_that_of_a_branch() -> None:
    assert not names.of_branch(names.package_group("signalbox", "wine-red"))


def test_what_a_project_is_built_with_is_called_after_it() -> None:
    assert names.automation_parameter("signalbox", "wine") == "/signalbox/automations/wine"
    assert names.published_parameter("signalbox", "wine") == "/signalbox/published/wine"
    assert names.automation_stack("signalbox", "wine") == "signalbox-cicd-wine"
    assert names.repository("signalbox", "wine") == "signalbox-wine"
    assert names.branches_build("signalbox", "wine") == "signalbox-wine--branches"
