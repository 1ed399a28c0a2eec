"""Names are legal whatever they are made of, and addresses are taken apart as they are meant."""

import re

import pytest
from hypothesis import given
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
