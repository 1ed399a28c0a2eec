"""Upload data, and see what became of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from signalbox.uploads.model import Upload
from signalbox_operate import account, start, uploads
from signalbox_operate.commands.terminal import (
    Json,
    Prefix,
    StackName,
    console,
    local,
    print_json,
    shown,
    stack_of,
    state,
)

_SHOWN = 20  # waiting uploads


def upload(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="Files of data")],
    stack: StackName = "signalbox",
    prefix: Prefix = "incoming/",
) -> None:
    """Upload data; each upload starts a run of the pipeline, or joins the next one."""
    bucket = stack_of(stack).output("DataBucket")
    for key in start.upload_files(files, bucket, prefix, account.client("s3")):
        console.print(f"s3://{bucket}/{key}")


def show_uploads(
    file: Annotated[
        str | None, typer.Argument(help="An S3 URI, a key, or the file that was uploaded; without it: all that waits")
    ] = None,
    *,
    stack: StackName = "signalbox",
    prefix: Prefix = "incoming/",
    as_json: Json = False,
) -> None:
    """Show which run took a file and what became of it, or what waits for a run and why."""
    found = stack_of(stack)
    table = uploads.table(found, account.client("dynamodb"))
    if file is None:
        _show_waiting(*uploads.waiting(table), as_json=as_json)
        return
    bucket, key = uploads.place(file, found.output("DataBucket"), prefix)
    fates = uploads.fates(bucket, key, table)
    if as_json:
        print_json(fates)
        return
    for fate in fates:
        size, by = f"{fate.upload.size:,} bytes", f", by {shown(fate.upload.by)}" if fate.upload.by else ""
        console.print(f"{local(fate.upload.recorded_at)}  {size}, version {shown(fate.upload.version)}{by}")
        taken = f"run {fate.upload.run}: " if fate.upload.run else ""
        console.print(Text.assemble(f"  {taken}", state(fate.state), f": {shown(fate.detail)}" if fate.detail else ""))


def _show_waiting(waiting: Sequence[Upload], reason: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"waiting": waiting, "reason": reason if waiting else ""})
        return
    if not waiting:
        console.print("no upload waits")
        return
    console.print(f"{len(waiting):,} waiting: {shown(reason)}")
    for one in waiting[:_SHOWN]:
        console.print(f"{local(one.recorded_at)}  s3://{one.bucket}/{shown(one.key)}")
    if len(waiting) > _SHOWN:
        console.print(f"and {len(waiting) - _SHOWN:,} later ones")
