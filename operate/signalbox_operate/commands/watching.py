"""See what the whole stack does."""

from rich.table import Column, Table

from signalbox_operate import account, status
from signalbox_operate.commands.terminal import StackName, console, shown, stack_of, state


def show_status(stack: StackName = "signalbox") -> None:
    """Show what waits, what runs and what serves."""
    found, sagemaker = stack_of(stack), account.client("sagemaker")
    lines = [
        *status.waiting_uploads(found, account.client("dynamodb")),
        *status.pipeline_runs(found, sagemaker),
        *status.open_executions(found, account.client("stepfunctions"), account.client("dynamodb")),
        *status.endpoints(found, sagemaker, account.client("ssm")),
    ]
    if not lines:
        console.print("nothing waits, nothing runs, nothing serves")
        return
    table = Table("what", Column("name", overflow="fold"), "state", "since")
    for line in lines:
        since = line.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(line.kind, line.name, state(line.state), since)
    console.print(table)
    for line in lines:
        if line.detail:
            console.print(f"{line.name}: {shown(line.detail)}")
