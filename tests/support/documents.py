"""The documents as the tests read them: tables, code blocks, links; and what the code says about the same things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from signalbox.events import FINAL_STATUSES
from signalbox.uploads.model import GONE

ROOT = Path(__file__).parents[2]
_METRICS = frozenset({"count", "measure"})
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def documents() -> list[Path]:
    """Return every document of the project that is written in Markdown."""
    return sorted(
        [
            *ROOT.glob("*.md"),
            *(ROOT / "docs").glob("*.md"),
            *(ROOT / "projects").glob("*/*.md"),
            *(ROOT / "local").glob("*/*.md"),
            *(ROOT / "notebooks").glob("*/*.md"),
        ]
    )


def read(name: str) -> str:
    """Return the text of a document, named from the project's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Return a document without its code blocks."""
    return _BLOCK.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a language, in their order."""
    return [found["text"] for found in _BLOCK.finditer(text) if found["language"] == language]


def commands(text: str, language: str = "bash") -> list[str]:
    """Return the commands in a document's code blocks, one to a line."""
    lines = [line for block in blocks(text, language) for line in block.replace("\\\n", " ").splitlines()]
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def links(text: str) -> list[str]:
    """Return the targets of a document's links and pictures."""
    return [found["target"] for found in _LINK.finditer(prose(text))]


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(text: str, *header: str) -> list[list[str]]:
    """Return the rows of the first table with this header, without the marks of code.

    Raises:
        LookupError: there is none.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if _cells(line) == list(header):
            return list(_rows(lines[number + 2 :]))
    raise LookupError(f"there is no table with the header {' | '.join(header)}")


def tables(text: str, *header: str) -> list[list[str]]:
    """Return the rows of all tables with this header, as `table` does for the first."""
    lines = text.splitlines()
    starts = [number + 2 for number, line in enumerate(lines) if _cells(line) == list(header)]
    return [row for start in starts for row in _rows(lines[start:])]


def _rows(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    return [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]


def counted() -> set[str]:
    """Return the names of all metrics that the code counts or measures.

    Raises:
        ValueError: a name is neither a text, a choice of texts, a table of texts, nor made of a run's status.
    """
    found: set[str] = set()
    for file in (*(ROOT / "layers").rglob("*.py"), *(ROOT / "functions").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _METRICS:
                found |= _names(node.args[0], tree)
    return found


def _names(argument: ast.expr, module: ast.Module) -> set[str]:
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    if isinstance(argument, ast.IfExp):
        return _names(argument.body, module) | _names(argument.orelse, module)
    if isinstance(argument, ast.Subscript):
        return _names_in(ast.unparse(argument.value), module)
    if ast.unparse(argument) == "f'Run{state.status}'":
        return {f"Run{status}" for status in (*FINAL_STATUSES, GONE)}
    raise ValueError(f"count({ast.unparse(argument)}): say in tests/support/documents.py which names it may have")


def _names_in(table_name: str, module: ast.Module) -> set[str]:
    """Return the values of a table of the module, by its name."""
    for statement in module.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == table_name:
            return set(ast.literal_eval(statement.value).values())
    raise ValueError(f"{table_name} is no table of its module")
