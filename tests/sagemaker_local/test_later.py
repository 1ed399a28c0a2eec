"""Modules that are loaded when they are first used: not before, and never seen without their changes."""

import sys
from pathlib import Path

import pytest

from sagemaker_local.later import Later, when_loaded


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package that nobody has loaded, with a module in it."""
    (tmp_path / "slow_package").mkdir()
    (tmp_path / "slow_package" / "__init__.py").write_text("from slow_package import part\nvalue = part.value\n")
    (tmp_path / "slow_package" / "part.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("slow_package", "slow_package.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "slow_package"


def test_a_module_is_loaded_when_something_of_it_is_read(slow: str) -> None:
    part = Later(f"{slow}.part")
    assert slow not in sys.modules

    assert part.value == 1
    assert f"{slow}.part" in sys.modules


def test_what_is_set_on_it_is_set_in_the_module(slow: str) -> None:
    part = Later(f"{slow}.part")
    part.value = 2

    assert sys.modules[f"{slow}.part"].value == 2


def test_whoever_loads_a_module_first_finds_it_changed(slow: str) -> None:
    part = Later(f"{slow}.part")
    when_loaded(slow, lambda: setattr(part, "value", part.value + 1))
    when_loaded(slow, lambda: setattr(part, "value", part.value * 10))
    assert slow not in sys.modules

    package = __import__(slow)
    assert package.part.value == 20


def test_a_module_that_is_there_is_changed_at_once(slow: str) -> None:
    part = Later(f"{slow}.part")
    assert part.value == 1
    when_loaded(slow, lambda: setattr(part, "value", 3))

    assert part.value == 3


def test_a_change_is_made_once(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Later(f"{slow}.part")
    when_loaded(slow, lambda: setattr(part, "value", part.value + 1))
    assert part.value == 2
    for name in (slow, f"{slow}.part"):
        monkeypatch.delitem(sys.modules, name)

    assert part.value == 1
