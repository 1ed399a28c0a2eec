"""The files that runs did not use, of one run or of the newest ones of pipelines: what is wrong, and what to do."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signalbox import quarantine
from signalbox.aws.table import Table
from signalbox.contracts.uploads import QuarantinedFile
from signalbox.uploads.model import OPEN, SUCCEEDED
from signalbox.uploads.quarantined import QuarantineTable
from signalbox_operate.stack import OperateError
from signalbox_operate.uploads import UploadsOfStack

if TYPE_CHECKING:
    from signalbox.projects import Project

MOST_RUNS = 20  # of a pipeline


@dataclass(frozen=True)
class QuarantineOfRun:
    """The files that a run did not use, by their names, and what to do about them."""

    run: str
    status: str
    files: Sequence[QuarantinedFile]
    advice: str


def of_run(run: str, status: str, execution: str, table: Table) -> QuarantineOfRun:
    """Return the files that a run did not use, by its execution's ARN, "" where it has none yet."""
    files = QuarantineTable(table).of(execution) if execution else []
    return QuarantineOfRun(run, status, files, advice(run, status, files))


def newest(pipelines: Iterable[str], uploads: UploadsOfStack) -> list[QuarantineOfRun]:
    """Return the files that the newest runs of pipelines did not use, the newest run of each first."""
    recorded = [run for pipeline in pipelines for run, _ in uploads.of(pipeline).newest(MOST_RUNS)]
    found = [of_run(run.id, run.status, run.execution or "", uploads.table) for run in recorded]
    return [one for one in found if one.files]


def pipelines(project: str | None, uploads: UploadsOfStack) -> list[str]:
    """Return the SageMaker pipelines of a project, or of all.

    Raises:
        OperateError: there is no such project.
    """
    if project is None:
        return uploads.pipelines()
    found: Project | None = next((one for one in uploads.projects if one.project == project), None)
    if found is None:
        known = ", ".join(one.project for one in uploads.projects) or "none"
        raise OperateError(f"there is no project {project!r}: the stack's projects are {known}")
    return sorted(each.name for each in found.pipelines.values())


def advice(run: str, status: str, files: Sequence[QuarantinedFile]) -> str:
    """Return what to do about the files that are to be corrected; "" where none is."""
    wrong = quarantine.wrong(files)
    if not wrong:
        return ""
    corrected = "Upload the corrected files under the same keys"
    if status == SUCCEEDED or status in OPEN:
        return f"{corrected}: they are in the next run."
    without = "".join(f" --without {shlex.quote(one)}" for one in wrong)
    return f"{corrected}. To let the run's other files wait with them: signalbox rerun {run}{without}"
