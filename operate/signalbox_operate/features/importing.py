"""Write what a Data Wrangler flow becomes into a project: `features.yaml`, and the programs of its steps."""

from pathlib import Path

import yaml

from signalbox_features import flows
from signalbox_features.flows import Imported
from signalbox_features.schema import FILE
from signalbox_operate.stack import OperateError

_HEAD = "# Imported from {name}; docs/features.schema.json of Signalbox has every field.\n"


def write(flow: Path, folder: Path, group: str, identifier: str = "", node: str = "") -> Imported:
    """Import a flow into a folder, in which nothing is overwritten; see `flows.read` for the arguments.

    Raises:
        OperateError: the flow cannot be read as a file, or a file is there already.
        FlowError: it is no flow that can be imported.
    """
    try:
        text = flow.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperateError(f"{flow} cannot be read: {error}") from error
    made = flows.read(text, group, identifier, node)
    there = [name for name in (FILE, *made.programs) if (folder / name).exists()]
    if there:
        raise OperateError(
            f"{', '.join(there)} in {folder} is there already: move it away, or import into another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in made.programs.items():
        (folder / name).write_text(program, encoding="utf-8")
    lines = yaml.safe_dump(made.definition, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    (folder / FILE).write_text(_HEAD.format(name=flow.name) + lines, encoding="utf-8")
    return made
