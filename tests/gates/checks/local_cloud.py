"""House rules about `sagemaker_local`: it knows nothing of Signalbox, and its parts do not import in circles."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.gates.checks.code import imported
from tests.gates.template import ROOT, Problem

PACKAGE = "sagemaker_local"
FOLDER = ROOT / "local" / PACKAGE
_WORD = "signalbox"
# The libraries that it needs; whatever else is not Python's own would be ours.
_LIBRARIES = {"boto3", "botocore", "hypercorn", "joblib", "jsonata", "ministack", "mypy_boto3_s3", "numpy", "yaml"}
_LIBRARIES |= {"cryptography", "pyarrow", "xgboost"}
_KNOWN = {PACKAGE, *_LIBRARIES, *sys.stdlib_module_names}


def check(folder: Path = FOLDER) -> list[Problem]:
    """Return imports and words of ours in the package, and the first circle of imports among its parts."""
    problems = []
    for file in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".md"}):
        where = f"{PACKAGE}/{file.relative_to(folder)}"
        problems += [Problem(where, what) for what in _file(file)]
    return [*problems, *_circle(folder)]


def _file(file: Path) -> Iterator[str]:
    text = file.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if _WORD in line.lower():
            yield f"line {number} speaks of Signalbox: {line.strip()}"
    if file.suffix == ".py":
        for name in _imports(text):
            if name.split(".")[0] not in _KNOWN:
                yield f"imports {name}: the package stands alone, and names its modules in full"


@cache
def _imports(text: str) -> tuple[str, ...]:
    return tuple(imported(ast.parse(text)))


def _circle(folder: Path) -> Iterator[Problem]:
    """Yield the first circle of imports; a part is a sub-package, or a module that lies beside them."""
    needs: defaultdict[str, set[str]] = defaultdict(set)
    for file in sorted(folder.rglob("*.py")):
        part = file.relative_to(folder).with_suffix("").parts[0]
        for name in _imports(file.read_text(encoding="utf-8")):
            package, _, rest = name.partition(".")
            other = rest.split(".")[0]
            if package == PACKAGE and other != part:
                needs[part].add(other)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        yield Problem(PACKAGE, f"imports in a circle: {' <- '.join(error.args[1])}")
