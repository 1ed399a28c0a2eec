"""Upload data, and see what became of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.projects import load_projects
from signalbox.uploads.model import UNCLAIMED
from signalbox_operate import account, quarantined, rerunning, retrying, runs, start, upload_states, uploads
from signalbox_operate.commands.terminal import (
    Json,
    Prefix,
    ProjectName,
    StackName,
    console,
    local,
    print_json,
    shown,
    stack_of,
)
from signalbox_operate.commands.terminal import (
    state as coloured,
)
from signalbox_operate.stack import OperateError
from signalbox_operate.upload_states import UploadState

_SHOWN = 20  # waiting uploads


def upload(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="Files of data")],
    stack: StackName = "signalbox",
    project: ProjectName = None,
    prefix: Prefix = None,
) -> None:
    """Upload data for a project; each upload starts a run of its pipeline, or joins the next one."""
    found = stack_of(stack)
    bucket, known = found.output("DataBucket"), load_projects(found.output("Prefix"), account.client("ssm"))
    place = uploads.prefix(prefix, project, known)
    remark = uploads.check_wanted([f"{place}{file.name}" for file in files], known)
    for key in start.upload_files(files, bucket, place, account.client("s3")):
        console.print(f"s3://{bucket}/{key}")
    if remark:
        console.print(shown(remark))


def show_uploads(
    file: Annotated[
        str | None, typer.Argument(help="An S3 URI, a key, or the file that was uploaded; without it: all that waits")
    ] = None,
    *,
    stack: StackName = "signalbox",
    project: ProjectName = None,
    prefix: Prefix = None,
    state: Annotated[UploadState | None, typer.Option(help="Show the uploads in this state, the newest first")] = None,
    most: Annotated[int, typer.Option(min=1, help="How many uploads of a state are shown")] = _SHOWN,
    as_json: Json = False,
) -> None:
    """Show which run took a file and what became of it, or what waits for a run and why."""
    if file is not None and state is not None:
        raise OperateError("a file has one state, which is shown without --state: give the one or the other")
    found = stack_of(stack)
    of_stack = uploads.of_stack(found, account.client("dynamodb"), account.client("ssm"), lambda: account.client("s3"))
    if state is not None:
        _show_state(upload_states.of(state, of_stack, most), state, as_json=as_json)
        return
    if file is None:
        _show_waiting(of_stack.waiting(), as_json=as_json)
        return
    under = uploads.prefixes(prefix, project, of_stack.projects)
    fates = uploads.fates(uploads.places(file, found.output("DataBucket"), under), of_stack)
    if as_json:
        print_json(fates)
        return
    for fate in fates:
        size, by = f"{fate.upload.size:,} bytes", f", by {shown(fate.upload.by)}" if fate.upload.by else ""
        console.print(f"{local(fate.upload.recorded_at)}  {size}, version {shown(fate.upload.version)}{by}")
        taken = f"run {fate.upload.run}: " if fate.upload.run else ""
        console.print(
            Text.assemble(f"  {taken}", coloured(fate.state), f": {shown(fate.detail)}" if fate.detail else "")
        )


def _show_state(found: list[uploads.Fate], wanted: UploadState, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        console.print(f"no upload is {wanted}")
    for fate in found:
        place = f"s3://{fate.upload.bucket}/{shown(fate.upload.key)}"
        taken = f"run {fate.upload.run}: " if fate.upload.run else ""
        detail = f": {shown(fate.detail)}" if fate.detail else ""
        console.print(
            Text.assemble(f"{local(fate.upload.recorded_at)}  {place}  {taken}", coloured(fate.state), detail)
        )


def retry(
    file: Annotated[str, typer.Argument(help="An S3 URI, a key, or the file that was uploaded")],
    *,
    stack: StackName = "signalbox",
    project: ProjectName = None,
    prefix: Prefix = None,
) -> None:
    """Let the newest upload of a file wait again alone, whose run failed, or which was deleted and is back."""
    found, dynamodb = stack_of(stack), account.client("dynamodb")
    of_stack = uploads.of_stack(found, dynamodb, account.client("ssm"), lambda: account.client("s3"))
    under = uploads.prefixes(prefix, project, of_stack.projects)
    newest = uploads.fates(uploads.places(file, found.output("DataBucket"), under), of_stack)[-1]
    again = retrying.retry(newest, of_stack, ObjectStore(account.client("s3")), datetime.now(UTC))
    rerunning.ask(found, again.pipeline, account.client("sqs"))
    console.print(f"s3://{again.bucket}/{shown(again.key)} waits again: the next run of {again.pipeline} takes it")


def show_quarantine(
    run: Annotated[
        str | None, typer.Argument(help="Name of a run; without it: the newest runs that did not use all their files")
    ] = None,
    *,
    stack: StackName = "signalbox",
    project: ProjectName = None,
    as_json: Json = False,
) -> None:
    """Show the files that runs did not use: bad, empty, missing or of another type, with lines, reasons, what to do."""
    found, dynamodb = stack_of(stack), account.client("dynamodb")
    if run is not None:
        asked = runs.find(run, found, account.client("sagemaker"), dynamodb)
        table = Table(found.output("UploadsTable"), dynamodb)
        listed = [quarantined.of_run(asked.name, asked.status, asked.execution, table)]
    else:
        of_stack = uploads.of_stack(found, dynamodb, account.client("ssm"), lambda: account.client("s3"))
        listed = quarantined.newest(quarantined.pipelines(project, of_stack), of_stack)
    if as_json:
        print_json(listed)
        return
    if not any(one.files for one in listed):
        console.print("no file was left out: see `signalbox runs` for why a run failed")
        return
    for one in listed:
        _show_quarantined(one)


def _show_quarantined(found: quarantined.QuarantineOfRun) -> None:
    console.print(Text.assemble(f"{found.run}  ", coloured(found.status)))
    for file in found.files:
        console.print(f"  {shown(file['file'])} ({file['kind']})")
        for fault in file["faults"]:
            line = f"line {fault['line']:,}: " if "line" in fault else ""
            console.print(f"    {line}{shown(fault['reason'])}")
        if file["more"]:
            console.print(f"    and {file['more']:,} more line{'' if file['more'] == 1 else 's'}")
    if found.advice:
        console.print(f"  {shown(found.advice)}")


def _show_waiting(found: list[uploads.Waiting], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        console.print("no upload waits")
    for waiting in found:
        whose = "that nobody claims" if waiting.pipeline == UNCLAIMED else f"for {waiting.pipeline}"
        console.print(f"{len(waiting.uploads):,} waiting {whose}: {shown(waiting.reason)}")
        for each in waiting.sets[:_SHOWN]:
            console.print(f"set {shown(each.manifest)} {shown(each.state)}")
        for one in waiting.uploads[:_SHOWN]:
            console.print(f"{local(one.recorded_at)}  s3://{one.bucket}/{shown(one.key)}")
        if len(waiting.uploads) > _SHOWN:
            console.print(f"and {len(waiting.uploads) - _SHOWN:,} later ones")
