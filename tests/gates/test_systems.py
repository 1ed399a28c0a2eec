"""Everything that is locked can be installed on the systems that the README says are supported; its size is as told."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename
from tests.gates.template import ROOT

PYTHON = (3, 13)
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
PACKAGES: dict[str, dict[str, Any]] = {package["name"]: package for package in LOCK["package"]}
PROJECT = PACKAGES["signalbox"]
_MEGABYTE = 1e6
# glibc 2.28 (2018) and what pip finds on the oldest macOS that Apple still mends.
SYSTEMS = {
    "Linux on x86-64": (
        "linux",
        "x86_64",
        [f"manylinux_2_{n}_x86_64" for n in range(28, 4, -1)] + ["manylinux2014_x86_64"],
    ),
    "Linux on ARM": (
        "linux",
        "aarch64",
        [f"manylinux_2_{n}_aarch64" for n in range(28, 4, -1)] + ["manylinux2014_aarch64"],
    ),
    "macOS on Apple silicon": ("darwin", "arm64", list(mac_platforms((14, 0), "arm64"))),
}


def tags(platforms: list[str]) -> set[Tag]:
    return {*cpython_tags(PYTHON, platforms=platforms), *compatible_tags(PYTHON, "cp313", platforms)}


def needed(groups: tuple[str, ...], system: str, machine: str) -> set[str]:
    """Return the names of all packages that some dependency groups come to on a system."""
    where = {"sys_platform": system, "platform_machine": machine, "python_full_version": "3.13.0", "os_name": "posix"}
    where |= {"platform_system": {"linux": "Linux", "darwin": "Darwin"}[system], "python_version": "3.13"}
    where |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    found: set[tuple[str, str]] = set()
    waiting = [*PROJECT["dependencies"], *(one for group in groups for one in PROJECT["dev-dependencies"][group])]
    while waiting:
        one = waiting.pop()
        if "marker" in one and not Marker(one["marker"]).evaluate(where):
            continue
        for extra in ("", *one.get("extra", [])):
            if (one["name"], extra) not in found:
                found.add((one["name"], extra))
                waiting += _dependencies(PACKAGES[one["name"]], extra)
    return {name for name, _ in found}


def _dependencies(package: dict[str, Any], extra: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
    )
    return found


def wheels(name: str, fitting: set[Tag]) -> Iterator[dict[str, Any]]:
    """Yield the wheels of a package that fit a system."""
    for wheel in PACKAGES[name].get("wheels", []):
        if parse_wheel_filename(wheel["url"].rsplit("/", 1)[1])[3] & fitting:
            yield wheel


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_package_has_a_wheel_for_each_supported_system(system: str) -> None:
    kind, machine, platforms = SYSTEMS[system]
    fitting = tags(platforms)

    without = {name for name in needed(("local", "features", "dev"), kind, machine) if not list(wheels(name, fitting))}

    # Pure Python, which any system builds.
    assert without <= {"antlr4-python3-runtime", "docopt"}
    assert system in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("target", "groups"), [("demo", ("local",)), ("ready", ("local", "features", "dev"))])
def test_what_is_downloaded_is_as_large_as_make_says(target: str, groups: tuple[str, ...]) -> None:
    kind, machine, platforms = SYSTEMS["Linux on x86-64"]
    fitting = tags(platforms)
    sizes = [
        min(wheel["size"] for wheel in wheels(name, fitting))
        for name in needed(groups, kind, machine)
        if list(wheels(name, fitting))
    ]
    rule = re.search(
        rf"^\.venv/{target}:.*?(\d+) MB to download", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL
    )
    assert rule

    assert int(rule[1]) == pytest.approx(sum(sizes) / _MEGABYTE, rel=0.1)


def test_the_demo_leaves_out_what_only_the_tests_need() -> None:
    kind, machine, _ = SYSTEMS["Linux on x86-64"]
    demo, everything = needed(("local",), kind, machine), needed(("local", "features", "dev"), kind, machine)
    assert {"mypy", "pytest", "moto", "hypothesis", "ruff"} <= everything - demo
