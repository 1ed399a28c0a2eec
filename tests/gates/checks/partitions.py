"""Code knows no partition: texts of programs hold neither `arn:aws:` nor an address that ends in `amazonaws.com`.

The template and the machines are read by `written`; docstrings and comments may name examples.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.gates.template import ROOT, Problem

FOLDERS = ("functions", "layers", "operate", "projects")
_ARN = re.compile(r"arn:aws[a-z-]*:")
_DOMAIN = "amazonaws.com"


def check(root: Path = ROOT) -> list[Problem]:
    """Return every literal partition in what is deployed, and in what users run."""
    found = (path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py")))
    # The tests that a seed brings call nothing of AWS: their ARNs are examples.
    sources = [path for path in found if "tests" not in path.relative_to(root).parts]
    return [problem for path in sources for problem in _source(path, root)]


def _source(path: Path, root: Path) -> Iterator[Problem]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    explained = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            if _ARN.search(node.value):
                yield _problem(path, root, node, "an ARN of one partition: take it from an ARN that is given")
        elif isinstance(node, ast.JoinedStr) and any(_ends_in_domain(part) for part in node.values):
            yield _problem(path, root, node, "an address of one partition: ask botocore for its domain")


def _ends_in_domain(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and _DOMAIN in str(part.value)


def _problem(path: Path, root: Path, node: ast.expr, what: str) -> Problem:
    return Problem(f"{path.relative_to(root)}:{node.lineno}", what)
