"""Write the project of a table: the seed's files, filled with what is known of it."""

import csv
import io
import json
import pprint
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from signalbox_operate.new import ci, folders, notebook
from signalbox_operate.new.model import Profile

SEED = Path(__file__).parent / "seed"
# A file of up to so many bytes is copied into the project; of a larger one, the rows that were looked at.
COPIED = 50 * 1024 * 1024
# The first instance type whose memory holds a file of so many megabytes about ten times, as pandas needs it:
# 8, 16, 32 and 64 GiB (SageMaker AI pricing page, "ML instance types").
_INSTANCES = ((400, "ml.m5.large"), (1200, "ml.m5.xlarge"), (2800, "ml.m5.2xlarge"))
_LARGEST = "ml.m5.4xlarge"
_MEGABYTE = 1_000_000
# What a package's property takes (API reference, CustomerMetadataValue).
_PROPERTY, _NOT_IN_PROPERTY = 256, re.compile(r"[^\w.:/=+\-@]")
_TEST_PERCENT = 20


def write(project: str, file: Path, profile: Profile, folder: Path, services: Sequence[str] = ()) -> None:
    """Write the project of a table, with the CI files of these services.

    Raises:
        OperateError: the folder is there, or cannot be written.
    """
    with folders.made(folder) as inside:
        folders.write(inside, _files(project, file, profile, services))
        ci.write(inside, services)
        (inside / "data").mkdir()
        target = inside / "data" / file.name
        if profile.table.size <= COPIED:
            shutil.copyfile(file, target)
        else:
            encoding = profile.table.format.encoding.removesuffix("-sig")
            target.write_text(_sample(profile), encoding=encoding, errors="replace", newline="")


def _files(project: str, file: Path, profile: Profile, services: Sequence[str]) -> dict[str, str]:
    found = {
        str(path.relative_to(SEED)): path.read_text(encoding="utf-8")
        for path in sorted(SEED.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    texts = {**_texts(project, file, profile), "CI": "".join(f"\n{row}" for row in ci.rows(services))}
    filled = {name: _filled(text, texts) for name, text in found.items()}
    filled[".gitignore"] = filled.pop("gitignore")
    return {
        **filled,
        "pipeline/code/table.py": table(project, file.suffix, profile),
        "notebook.ipynb": notebook.text(project),
    }


def _filled(text: str, texts: dict[str, str]) -> str:
    for name, value in texts.items():
        text = text.replace(f"__{name}__", value)
    return text


def _texts(project: str, file: Path, profile: Profile) -> dict[str, str]:
    features = [column.name for column in profile.columns]
    data = f"data/{file.name}"
    copied = profile.table.size <= COPIED
    return {
        "PROJECT": project,
        "LABEL": profile.target.label,
        "PROBLEM": profile.target.problem,
        "FILE": file.name,
        "SUFFIX": json.dumps(file.suffix),
        "INSTANCE": instance(profile.table.size),
        "SENTENCES": "\n".join(f"- {sentence}" for sentence in profile.sentences),
        "ROW": row(profile).replace("'", "'\\''"),
        "COLUMNS": f"The columns are: {', '.join(features)}.",
        "DATA": data if copied else str(file),
        "DATA_TOLD": "a copy of your file" if copied else "rows from all of your file, which is too large to be copied",
    }


def table(project: str, suffix: str, profile: Profile) -> str:
    """Return the module that has what is known of the table; `suffix` is what its files' names end in."""
    written, target = profile.table.format, profile.target
    kinds = {kind: [one.name for one in profile.columns if one.kind == kind] for kind in ("number", "category")}
    dates = {one.name: one.written for one in profile.columns if one.kind == "date"}
    unused = "".join(f"\n#   {one.name}: {one.why}" for one in profile.columns if not one.used)
    values = {
        "LABEL": target.label,
        "PROBLEM": target.problem,
        "THRESHOLD": target.threshold,
        "SUFFIX": suffix,
        "DELIMITER": written.delimiter,
        "QUOTE": written.quote,
        "DECIMAL": written.decimal,
        "ENCODING": written.encoding,
        "HEADER": written.header,
        "COLUMNS": list(profile.table.names),
        "NUMBERS": kinds["number"],
        "CATEGORIES": kinds["category"],
        "DATES": dates,
        "TEST_PERCENT": _TEST_PERCENT,
        "SHOWN": shown(profile),
    }
    notes = {
        "LABEL": "What is predicted, and how: regression, binary or multiclass.",
        "THRESHOLD": f"What {target.metric} a model has to reach on the held-out rows: {target.threshold_why}.",
        "SUFFIX": "What the names of files end in; others are named as ignored.",
        "DELIMITER": "How the uploaded files are written: the first line of each is a header, or none is.",
        "COLUMNS": "All columns of a file, in their order.",
        "NUMBERS": f"What the model learns from; dates by their format. Not learnt from:{unused or ' nothing'}",
        "TEST_PERCENT": "How many of a hundred rows are held out for the test.",
        "SHOWN": "The features as the review shows them; an underscore is shown as a blank.",
    }
    lines = [f'"""What the files of {project} look like, and what is made of each column: yours to change."""']
    for name, value in values.items():
        lines += ["", f"# {notes[name]}"] if name in notes else []
        lines.append(f"{name} = {_literal(value)}")
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    if isinstance(value, list | dict):
        return pprint.pformat(value, width=100, compact=True, sort_dicts=False)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def shown(profile: Profile) -> str:
    """Return the features' names as a package's property takes them; "" where they are too long for it."""
    names = " ".join(_NOT_IN_PROPERTY.sub("_", column.name) for column in profile.columns)
    return names if len(names) <= _PROPERTY else ""


def row(profile: Profile) -> str:
    """Return the features of the table's first row as a request has them."""
    place = profile.table.names.index(profile.target.label)
    decimal = profile.table.format.decimal
    cells = [cell for number, cell in enumerate(profile.table.rows[0]) if number != place]
    if decimal == ",":
        numbers = {column.name for column in profile.columns if column.kind == "number"}
        names = [column.name for column in profile.columns]
        cells = [
            cell.replace(".", "").replace(",", ".") if name in numbers else cell
            for name, cell in zip(names, cells, strict=True)
        ]
    return _line(cells, ",")


def instance(size: int) -> str:
    """Return the type of instance whose memory holds a file of so many bytes."""
    return next((name for most, name in _INSTANCES if size <= most * _MEGABYTE), _LARGEST)


def _line(cells: list[str], delimiter: str, quote: str = '"') -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator="").writerow(cells)
    return text.getvalue()


def _sample(profile: Profile) -> str:
    written = profile.table.format
    rows = [list(profile.table.names)] if written.header else []
    rows += profile.table.rows
    return "".join(f"{_line(one, written.delimiter, written.quote)}\n" for one in rows)
