"""What is measured of the layer and the functions: sizes, untyped values, and classes that share a name."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import quantiles

from tests.gates.checks.code import PACKAGE
from tests.gates.template import ROOT, Problem

ANY_LIMIT = 40  # in all
FILE_LINES, FUNCTION_LINES = 200, 20  # nine of ten have at most so many, docstrings included
_SHOWN = 5


def check(root: Path = ROOT) -> list[Problem]:
    """Return what goes over its measure, and the public classes of the layer that share their names."""
    sources = [path for folder in ("functions", "layers") for path in sorted((root / folder).rglob("*.py"))]
    trees = {str(path.relative_to(root)): _tree(path) for path in sources if path.read_text(encoding="utf-8").strip()}
    files = {name: len((root / name).read_text(encoding="utf-8").splitlines()) for name in trees}
    functions = {where: lines for name, tree in trees.items() for where, lines in _functions(name, tree)}
    package = str(PACKAGE.relative_to(ROOT))
    return [
        *_shared_names({name: tree for name, tree in trees.items() if name.startswith(package)}),
        *_untyped({name: _untyped_values(tree) for name, tree in trees.items()}),
        *_sizes("files", files, FILE_LINES),
        *_sizes("functions", functions, FUNCTION_LINES),
    ]


def ninetieth(values: Sequence[int]) -> float:
    """Return the size that nine of ten do not exceed; 0 for none."""
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else sum(values)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _shared_names(trees: Mapping[str, ast.Module]) -> Iterator[Problem]:
    places: dict[str, list[str]] = {}
    for name, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    for class_name, where in sorted(places.items()):
        if len(where) > 1:
            yield Problem(
                class_name, f"is the name of {len(where)} classes, in {', '.join(where)}: one name, one class"
            )


def _untyped(found: Mapping[str, int]) -> Iterator[Problem]:
    total = sum(found.values())
    if total > ANY_LIMIT:
        yield Problem("Any", f"stands {total} times: at most {ANY_LIMIT}; most in {_largest(found)}")


def _untyped_values(tree: ast.Module) -> int:
    """Count the uses of `Any`, in quoted annotations too; an import is none."""
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in _with_quoted(ast.walk(tree)))


def _with_quoted(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes, and those of every text that could be an annotation with `Any`, such as `"Page[Any]"`."""
    for node in nodes:
        yield node
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "Any" in node.value:
            try:
                yield from ast.walk(ast.parse(node.value, mode="eval"))
            except SyntaxError:
                continue  # a sentence


def _functions(name: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def _sizes(what: str, lines: Mapping[str, int], limit: int) -> Iterator[Problem]:
    found = ninetieth(list(lines.values()))
    if found > limit:
        yield Problem(what, f"nine of ten have at most {found:g} lines, not {limit}; the longest are {_largest(lines)}")


def _largest(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({number})" for name, number in Counter(found).most_common(_SHOWN))
