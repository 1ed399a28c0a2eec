"""What the layer installs is what the lock file says that the project runs on."""

import re
import tomllib
from typing import Any

from tests.gates.template import ROOT

REQUIREMENTS = ROOT / "layers/signalbox/requirements.txt"


def locked_for_lambda() -> dict[str, tuple[str, set[str]]]:
    """Return version and hashes of every package that the runtime dependencies come to, by name."""
    packages: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    by_name = {package["name"]: package for package in packages}
    found: dict[str, tuple[str, set[str]]] = {}
    waiting = [dependency["name"] for dependency in by_name["signalbox"]["dependencies"]]
    while waiting:
        package = by_name[waiting.pop()]
        files = [package.get("sdist", {}), *package.get("wheels", [])]
        found[package["name"]] = package["version"], {file["hash"] for file in files if file}
        waiting += [needed["name"] for needed in package.get("dependencies", []) if needed["name"] not in found]
    return found


def required_by_the_layer() -> dict[str, tuple[str, set[str]]]:
    """Return the same of `requirements.txt`."""
    text = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {
        name: (version, set(re.findall(r"sha256:\w+", " ".join(hashes))))
        for (name, version), hashes in ((line[0].split("=="), line[1:]) for line in lines)
    }


def test_the_layer_installs_exactly_what_is_locked() -> None:
    assert required_by_the_layer() == locked_for_lambda()


def test_the_layer_leaves_out_what_the_runtime_has() -> None:
    assert not {"boto3", "botocore", "aws-xray-sdk"} & set(required_by_the_layer())
