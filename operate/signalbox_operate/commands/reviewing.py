"""Decide what waits for a review."""

from enum import StrEnum
from typing import Annotated

import typer

from signalbox_operate import account
from signalbox_operate import decide as decisions
from signalbox_operate.commands.terminal import StackName, console, shown, stack_of


class Decision(StrEnum):
    """What somebody decides about a review."""

    APPROVE = "approve"
    REJECT = "reject"


def decide(
    package: Annotated[
        str, typer.Argument(help="Package as its mail names it, such as signalbox-abalone/3; or its ARN")
    ],
    decision: Annotated[Decision, typer.Argument(help="What to decide")],
    *,
    stack: StackName = "signalbox",
    stage: Annotated[str | None, typer.Option(help="Decide the release to this stage, not the package")] = None,
    reason: Annotated[str, typer.Option(help="Why: needed to reject, kept with the decision")] = "",
) -> None:
    """Approve or reject what waits for a review: in the name of whoever is signed in to AWS, without a mail's word."""
    asked = decisions.Asked(package, stage, approved=decision is Decision.APPROVE, reason=reason)
    said = decisions.decide(asked, decisions.signed(stack_of(stack), account.client))
    console.print(shown(said))
