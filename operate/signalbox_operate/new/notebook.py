"""The notebook of a project: its jobs, step by step."""

import json

# One cell after the other; those that begin with a heading are text.
_SOURCE = """\
# {project}

The jobs of this project, step by step. Run it in the project's folder.
---
import json
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, "pipeline/code")
import evaluate
import prepare
import rows
import table
import train
---
# Prepare

The rows of all files in `data/`, label first, and how they are dealt.
---
found = prepare.read_uploads("data")
found.head()
---
to_learn, to_test = prepare.split(found)
folder = Path(tempfile.mkdtemp())
prepare.write(to_learn, folder / "train" / "train.csv")
prepare.write(to_test, folder / "test" / "test.csv")
len(to_learn), len(to_test)
---
# Train

What the model sees of the rows, and which kind of model does best.
---
features, labels = train.read(folder / "train")
features.head()
---
model = train.train(features, labels)
train.save(model, folder / "model")
with tarfile.open(folder / "model.tar.gz", "w:gz") as packed:
    packed.add(folder / "model", ".")
---
# Evaluate

The model on rows that it has not seen, through the code that it serves with.
---
expected, test_rows = evaluate.read_test(folder / "test")
predictions = evaluate.predict(folder / "model.tar.gz", test_rows)
print(json.dumps(evaluate.measure(expected, predictions), indent=1))
---
list(zip(expected, predictions))[:10]
"""


def text(project: str) -> str:
    """Return the notebook of a project (nbformat 4.5)."""
    sources = _SOURCE.replace("{project}", project).strip().split("\n---\n")
    cells = [_cell(number, source) for number, source in enumerate(sources)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, source: str) -> dict[str, object]:
    cell: dict[str, object] = {"id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
    if source.startswith("# "):
        return {"cell_type": "markdown", **cell}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **cell}
