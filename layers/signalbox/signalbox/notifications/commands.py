"""The commands that a mail names, to be copied into a shell as they are."""

import json
import shlex
from typing import TYPE_CHECKING

from signalbox import plain
from signalbox.notifications.view import EndingView
from signalbox.quarantine import wrong

if TYPE_CHECKING:
    from signalbox.contracts.releases import ReleaseInput, Trigger
    from signalbox.contracts.uploads import Quarantine

# A sentence about a command, and the command; none where it cannot be given.
type Commands = tuple[tuple[str, str], ...]


def to_run_again(run: str, quarantine: "Quarantine") -> Commands:
    """Return what shows the files that a run did not use, and what runs its other files again; none without a run.

    The latter only where all bad files are known, and none has a name that programs make a link of.
    """
    if not run or not quarantine["files"]:
        return ()
    look = (("To see all of them, with their first lines:", f"signalbox quarantine {shlex.quote(run)}"),)
    bad = wrong(quarantine["files"])
    if not bad or quarantine["more"] or any(plain.unlinked(one) != one for one in bad):
        return look
    without = "".join(f" --without {shlex.quote(one)}" for one in bad)
    about = (
        "Upload the corrected files under the same keys. To let the run's other files wait for the same run as they:"
    )
    return (*look, (about, f"signalbox rerun {shlex.quote(run)}{without}"))


def to_see_features(run: str, quarantine: "Quarantine") -> Commands:
    """Return what shows the report of a run's features; none of a run without."""
    if not run or "features" not in quarantine:
        return ()
    return (("To see the report of its features, with plots:", f"signalbox features report {shlex.quote(run)}"),)


def to_bring_back(view: EndingView) -> Commands:
    """Return what brings a package back that was rejected, or that waits for its approval."""
    pending = view.change is not None and view.change["status"] != "Rejected"
    about = "To release it" if pending else "To bring the rejected package back"
    return to_approve(view, f"{about}, approve it in the model registry:")


def to_approve(view: EndingView, about: str) -> Commands:
    """Return what approves the package in the registry, which releases it."""
    return ((about, approve(view.package)),) if view.package else ()


def to_release(view: EndingView, about: str) -> Commands:
    """Return what starts the same release once more: of a package that is approved, or of one that is rejected."""
    trigger = view.release["trigger"] if view.release else "approved"
    command = release(view.execution, view.model, view.package, trigger)
    return ((about, command),) if command else ()


def approve(package: str) -> str:
    """Return the command that approves a package in the model registry, which releases it to every stage."""
    return in_its_region(
        package,
        f"aws sagemaker update-model-package --model-package-arn {shlex.quote(package)} "
        "--model-approval-status Approved",
    )


def release(execution: str, model: str, package: str, trigger: "Trigger") -> str:
    """Return the command that starts a release by the machine of an execution; "" where that is none."""
    # arn:<partition>:states:<region>:<account>:execution:<machine>:<name>
    parts = execution.split(":")
    if len(parts) < 8 or not model or not package:  # noqa: PLR2004  # the parts above
        return ""
    machine = ":".join([*parts[:5], "stateMachine", parts[6]])
    asked: ReleaseInput = {"model": model, "package": package, "trigger": trigger}
    command = f"aws stepfunctions start-execution --state-machine-arn {shlex.quote(machine)}"
    return in_its_region(execution, f"{command} --input {shlex.quote(json.dumps(asked))}")


def steps_of(execution: str) -> str:
    """Return the command that lists the steps of a pipeline's execution."""
    command = f"aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {shlex.quote(execution)}"
    return in_its_region(execution, command)


def in_its_region(arn: str, command: str) -> str:
    """Return a command for the region in an ARN."""
    parts = arn.split(":")
    return f"{command} --region {shlex.quote(parts[3])}" if len(parts) > 3 and parts[3] else command  # noqa: PLR2004  # arn:<partition>:<service>:<region>:…
