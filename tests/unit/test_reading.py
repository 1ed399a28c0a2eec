"""Every refusal of an object from outside names the field by its path, what it holds, and what is allowed."""

from collections.abc import Callable
from typing import Any

import pytest

from signalbox.reading import Fields, shown


class RefusedError(Exception):
    """The object is refused."""


def fields(**values: Any) -> Fields:
    return Fields(values, RefusedError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "missing"),
        (7, "7"),
        ("", '""'),
        ("ü", '"ü"'),
        ({"a": [1]}, '{"a": [1]}'),
        (len, str(len)),
    ],
)
def test_a_value_is_shown_as_json(value: Any, text: str) -> None:
    assert shown(value).strip('"') == text.strip('"')


def test_a_long_value_is_cut_to_80_characters() -> None:
    assert shown("x" * 78) == f'"{"x" * 78}"'
    assert shown("x" * 79) == f'"{"x" * 78}…'


@pytest.mark.parametrize(
    ("value", "path", "sentence"),
    [
        ([], "", r"the text is \[\]: give an object"),
        ("x", "stages[0]", r'stages\[0\] is "x": give an object'),
        (None, "detail", "detail is missing: give an object"),
    ],
)
def test_what_is_no_object_is_refused(value: Any, path: str, sentence: str) -> None:
    with pytest.raises(RefusedError, match=f"^{sentence}$"):
        Fields(value, RefusedError, path)


def test_null_counts_as_no_field() -> None:
    found = fields(a=0, b=None)
    assert "a" in found
    assert "b" not in found
    assert "c" not in found


def test_null_is_read_like_a_field_that_is_absent() -> None:
    found = fields(a=None)
    assert found.optional("a") is None
    assert found.choice("a", ("x", "y"), "y") == "y"
    assert found.whole("a", (1, 9), 4) == 4
    assert found.texts("a") == ()
    assert found.pairs("a") == {}
    assert "b" not in found.object("a")


def test_a_field_that_is_not_known_is_refused_with_the_known_ones() -> None:
    fields(a=1).only("a", "b")
    with pytest.raises(RefusedError, match=r"^c is not a field: known are a, b$"):
        fields(a=1, c=2).only("b", "a")


def test_what_is_right_is_returned() -> None:
    found = fields(text="a b", word="x", number=3, yes=True, list=["a"], object={"inner": "y"}, empty="", zero=0)
    assert found.text("text") == "a b"
    assert found.text("word", "[a-z]", "a letter") == "x"
    assert found.optional("text") == "a b"
    assert found.optional("empty") is None
    assert found.optional("missing") is None
    assert found.choice("word", ("x", "y")) == "x"
    assert found.choice("missing", ("x", "y"), "y") == "y"
    assert found.whole("number") == 3
    assert found.whole("number", (3, 3)) == 3
    assert found.whole("missing", (1, 9), 4) == 4
    assert found.whole("zero") == 0
    assert found.flag("yes")
    assert not found.flag("missing")
    assert found.texts("list") == ("a",)
    assert found.texts("missing") == ()
    assert found.object("object").text("inner") == "y"
    assert "inner" not in found.object("missing")


@pytest.mark.parametrize(
    ("values", "read", "sentence"),
    [
        ({}, lambda found: found.text("a"), "a is missing: give a text that is not empty"),
        ({"a": " \n"}, lambda found: found.text("a"), r'a is " \\n": give a text that is not empty'),
        ({"a": 7}, lambda found: found.text("a"), "a is 7: give a text that is not empty"),
        ({"a": "B"}, lambda found: found.text("a", "[a-z]", "a small letter"), 'a is "B": give a small letter'),
        ({"a": 7}, lambda found: found.optional("a"), "a is 7: give a text that is not empty"),
        ({"a": "z"}, lambda found: found.choice("a", ("x", "y")), 'a is "z": allowed are x, y'),
        ({}, lambda found: found.choice("a", ("x",)), "a is missing: allowed are x"),
        ({}, lambda found: found.whole("a"), "a is missing: give a whole number"),
        ({"a": "9"}, lambda found: found.whole("a"), 'a is "9": give a whole number'),
        ({"a": True}, lambda found: found.whole("a"), "a is true: give a whole number"),
        ({"a": 2.0}, lambda found: found.whole("a"), "a is 2.0: give a whole number"),
        ({"a": 0}, lambda found: found.whole("a", (1, 1000)), "a is 0: give a whole number from 1 to 1,000"),
        ({"a": 1001}, lambda found: found.whole("a", (1, 1000)), "a is 1001: give a whole number from 1 to 1,000"),
        ({"a": "0.4_5"}, lambda found: found.numeric("a"), 'a is "0.4_5": give a finite number'),
        ({"a": "\u0663"}, lambda found: found.numeric("a"), 'a is "\u0663": give a finite number'),
        ({"a": "inf"}, lambda found: found.numeric("a"), 'a is "inf": give a finite number'),
        ({"a": 10**400}, lambda found: found.numeric("a"), "a is 10*…: give a finite number"),
        ({"a": "yes"}, lambda found: found.flag("a"), 'a is "yes": allowed are true and false'),
        ({"a": None}, lambda found: found.flag("a"), "a is missing: allowed are true and false"),
        ({"a": "x"}, lambda found: found.texts("a"), 'a is "x": give a list of texts'),
        ({"a": ["x", 1]}, lambda found: found.texts("a"), r'a is \["x", 1\]: give a list of texts'),
        ({"a": 1}, lambda found: found.object("a"), "a is 1: give an object"),
        ({"a": {"b": 1}}, lambda found: found.object("a").text("b"), "a.b is 1: give a text that is not empty"),
    ],
)
def test_what_is_wrong_is_refused_by_its_path(
    values: dict[str, Any], read: Callable[[Fields], object], sentence: str
) -> None:
    with pytest.raises(RefusedError, match=f"^{sentence}$"):
        read(fields(**values))


EVENT = {"detail": {"bucket": {"name": "data"}, "object": None}}


def test_a_nested_object_is_read_by_its_path() -> None:
    found = fields(**EVENT)
    assert found.inside("detail", "bucket").text("name") == "data"
    assert "detail" in found.inside()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (("detail", "object"), "detail.object is missing: give an object"),
        (("detail", "owner", "name"), "detail.owner is missing: give an object"),
        (("detail", "bucket", "name"), 'detail.bucket.name is "data": give an object'),
    ],
)
def test_the_first_object_of_a_path_that_is_not_there_is_named(path: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(RefusedError, match=f"^{sentence}$"):
        fields(**EVENT).inside(*path)


def test_a_field_of_a_nested_object_is_named_by_its_whole_path() -> None:
    with pytest.raises(RefusedError, match=r"^detail.bucket.owner is missing: give a text that is not empty$"):
        fields(**EVENT).inside("detail", "bucket").text("owner")


def test_each_object_of_a_list_is_named_by_its_place() -> None:
    found = fields(stages=[{"name": "staging"}, {"name": ""}])
    first, second = found.objects("stages", (1, 2))
    assert first.text("name") == "staging"
    with pytest.raises(RefusedError, match=r'^stages\[1\].name is "": give a text that is not empty$'):
        second.text("name")


@pytest.mark.parametrize(("value", "words"), [(None, "missing"), ({}, "{}"), ([], r"\[\]"), ([{}] * 3, ".*")])
def test_a_list_of_another_length_or_no_list_is_refused(value: Any, words: str) -> None:
    with pytest.raises(RefusedError, match=f"^stages is {words}: give a list of 1 to 2 objects$"):
        list(fields(stages=value).objects("stages", (1, 2)))


def test_an_entry_that_is_no_object_is_named_by_its_place() -> None:
    with pytest.raises(RefusedError, match=r"^stages\[1\] is 7: give an object$"):
        list(fields(stages=[{}, 7]).objects("stages", (1, 2)))


def test_the_caller_refuses_a_field_for_a_reason_of_its_own() -> None:
    with pytest.raises(RefusedError, match=r"^detail.call is wrong$"):
        raise fields(detail={}).inside("detail").refuse("call", "is wrong")
