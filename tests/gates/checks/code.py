"""House rules about functions and package: short entries, and imports that point inward (docs/conventions.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.gates.template import ROOT, Problem

ENTRY_LINES = 15
PACKAGE = ROOT / "layers/signalbox/signalbox"
# What everybody may import, and what may be imported by all journeys though it is shared.
_COMMON = frozenset(
    (
        "aws",
        "batch",
        "contents",
        "contracts",
        "csv_rows",
        "code_events",
        "events",
        "hosting",
        "links",
        "mail",
        "model_documents",
        "moments",
        "names",
        "numerals",
        "observability",
        "owners",
        "plain",
        "quarantine",
        "project_documents",
        "projects",
        "grants",
        "reading",
        "settings",
        "stages",
        "words",
    )
)
# Half of a cold start, or loaded by accident: never in a function (docs/conventions.md, the runtime's own boto3 aside).
# A dataclass costs four times what a named tuple does, and a function would make up to 25 of them (docs/bench.md).
_SLOW = (
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "dataclasses",
    "pydantic",
)


def check(root: Path = ROOT) -> list[Problem]:
    """Return entries that do more than parse, call and map, and imports that point outward or across."""
    problems = []
    for source in sorted((root / "functions").rglob("*.py")):
        problems += [Problem(str(source.relative_to(root)), what) for what in _function(source)]
    package = root / PACKAGE.relative_to(ROOT)
    for source in sorted(package.rglob("*.py")):
        problems += [Problem(str(source.relative_to(root)), what) for what in _module(source, package)]
    return problems


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a module imports, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def _function(source: Path) -> Iterator[str]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "handler":
            lines = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
            if lines > ENTRY_LINES:
                yield f"the entry has {lines} lines: at most {ENTRY_LINES}"
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            if decorators != ["logger.inject_lambda_context(clear_state=True)", "metrics.log_metrics"]:
                yield f"the entry is decorated with {decorators}"
    for name in imported(tree):
        if name.startswith(("boto3", "botocore", "functions", *_SLOW)):
            yield f"imports {name}"


def _module(source: Path, package: Path) -> Iterator[str]:
    here = source.relative_to(package).with_suffix("").parts
    journey = here[0]
    # The adapters and the one session are the only places that know AWS's library.
    speaks_aws = journey == "aws" or here[-1] in {"adapters", "table", "mail", "invocation"}
    tree = ast.parse(source.read_text(encoding="utf-8"))
    if any("re.compile(" in ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)):
        yield "compiles a pattern at every cold start: keep it as a text, which `re` compiles when it is first used"
    for name in imported(tree):
        if name.startswith(("functions", "sagemaker_local", "signalbox_local", "signalbox_operate", "tests", ".")):
            yield f"imports {name}: imports point inward, by full names"
        elif name.startswith(_SLOW):
            yield f"imports {name}, which slows every cold start"
        elif name.split(".")[0] in {"boto3", "botocore"} and not speaks_aws:
            yield f"imports {name}: only adapters know AWS's library"
        elif name.startswith("signalbox."):
            other = name.split(".")[1]
            if other not in {journey, "templates", *_COMMON}:
                yield f"imports {name}: a journey does not import another"
            if journey in {"names", "events", "code_events", "settings", "observability"} and other not in {
                journey,
                "numerals",
                "reading",
                *(["events"] if journey == "code_events" else []),
            }:
                yield f"imports {name}: {journey} stands on nothing but reading and numerals"
