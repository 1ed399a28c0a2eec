"""What is measured of the layer and the functions, and that a planted excess of each kind is seen."""

from pathlib import Path

import pytest
from tests.gates.checks import measures

PACKAGE = "layers/signalbox/signalbox"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project that keeps to every measure."""
    write(tmp_path, "functions/do_it/app.py", "def handler(event: object) -> None:\n    print(event)\n")
    write(tmp_path, f"{PACKAGE}/__init__.py", "")
    write(tmp_path, f"{PACKAGE}/one/model.py", "class Run:\n    pass\n\n\nclass _Own:\n    pass\n")
    write(
        tmp_path, f"{PACKAGE}/two/model.py", "class Review:\n    class Run:\n        pass\n\n\nclass _Own:\n    pass\n"
    )
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def found(root: Path) -> list[str]:
    return [str(problem) for problem in measures.check(root)]


def test_the_layer_and_the_functions_keep_to_every_measure() -> None:
    problems = measures.check()

    assert not problems, "\n".join(map(str, problems))


def test_what_keeps_to_every_measure_has_no_problem(tree: Path) -> None:
    assert found(tree) == []


def test_two_public_classes_of_one_name_are_seen(tree: Path) -> None:
    write(tree, f"{PACKAGE}/three.py", "class Review:\n    pass\n")

    (problem,) = found(tree)
    assert "Review" in problem
    assert f"2 classes, in {PACKAGE}/three.py, {PACKAGE}/two/model.py" in problem


def test_a_class_of_a_function_may_have_the_name_of_one_of_the_layer(tree: Path) -> None:
    write(tree, "functions/do_it/shapes.py", "class Review:\n    pass\n")

    assert found(tree) == []


@pytest.mark.parametrize("use", ["value: Any = 1", "value: 'list[Any]' = []", "value = cast('dict[str, Any]', {})"])
def test_too_many_untyped_values_are_seen_wherever_they_stand(tree: Path, use: str) -> None:
    sentence = '"""Any text about Any value: it is none."""\nfrom typing import Any, cast\n'
    write(tree, f"{PACKAGE}/loose.py", sentence + f"{use}\n" * measures.ANY_LIMIT)
    assert found(tree) == []

    write(tree, "functions/do_it/loose.py", f"from typing import Any\n{use}\n")

    (problem,) = found(tree)
    assert f"stands 41 times: at most 40; most in {PACKAGE}/loose.py (40), functions/do_it/loose.py (1)" in problem


def test_files_that_are_long_as_a_rule_are_seen(tree: Path) -> None:
    for number in range(4):
        write(tree, f"{PACKAGE}/long_{number}.py", "x = 1\n" * (201 + number))

    (problem,) = found(tree)
    assert "files" in problem
    assert f"not 200; the longest are {PACKAGE}/long_3.py (204), " in problem


def test_functions_that_are_long_as_a_rule_are_seen(tree: Path) -> None:
    body = "    x = 1\n" * 20
    write(tree, f"{PACKAGE}/long.py", f"def first() -> None:\n{body}\n\nasync def second() -> None:\n{body}")

    (problem,) = found(tree)
    assert "functions" in problem
    assert f"nine of ten have at most 21 lines, not 20; the longest are {PACKAGE}/long.py:1 first (21)" in problem


def test_one_long_file_among_many_is_no_rule(tree: Path) -> None:
    for number in range(20):
        write(tree, f"{PACKAGE}/short_{number}.py", "x = 1\n")
    write(tree, f"{PACKAGE}/long.py", "x = 1\n" * 290)

    assert found(tree) == []
