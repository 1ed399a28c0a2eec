"""The report of a run's features, which its job has written beside the records: what became of them, and its page."""

from pathlib import Path
from typing import Any, NamedTuple

from signalbox import projects, quarantine
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.s3 import ObjectStore, ObjectTooLargeError
from signalbox.model_documents import ProjectDocumentError
from signalbox.projects import Project
from signalbox_operate.features import whole_files
from signalbox_operate.runs import PipelineRun
from signalbox_operate.stack import OperateError, Stack

JSON, _LIMIT = "report.json", 50_000_000  # bytes; a report grows with its features, not with its rows


class FeaturesReport(NamedTuple):
    """What a run's job says of its features, in a line, and the S3 URI of the folder that has the report."""

    told: str
    folder: str


def find(run: PipelineRun, stack: Stack, known: tuple[Project, ...], objects: ObjectStore) -> FeaturesReport | None:
    """Return where the report of a run's features is; None of a run without features, or that has none yet.

    Raises:
        CallRefusedError: whoever asks may not read it.
        ServiceBusyError: S3 did not answer.
        QuarantineError, ObjectTooLargeError: the job has written something else.
    """
    owned = projects.owner(known, run.pipeline)
    if owned is None or not run.execution:
        return None
    place = (stack.output("ArtifactsBucket"), owned.project.project, owned.key, run.execution)
    _, uri = quarantine.places(*place)
    text = objects.text(uri, quarantine.LIMIT)
    told = quarantine.parse(text).get("features") if text else None
    return FeaturesReport(told, uri.rpartition("/")[0]) if told else None


def glance(run: PipelineRun, stack: Stack, ssm: Any, objects: ObjectStore) -> FeaturesReport | None:
    """Return the same where it is only mentioned: None also where whoever asks may not read it, or nobody can."""
    try:
        return find(run, stack, projects.load_projects(stack.output("Prefix"), ssm), objects)
    except (CallRefusedError, ServiceBusyError, ProjectDocumentError, ObjectTooLargeError, quarantine.QuarantineError):
        return None


def fetch(found: FeaturesReport, folder: Path, objects: ObjectStore) -> Path:
    """Put the report's page and its JSON into a folder, and return the page.

    Raises:
        OperateError: a file is not there any more, which expires with what the run wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (JSON, quarantine.PAGE):
        text = objects.text(f"{found.folder}/{name}", _LIMIT)
        if text is None:
            raise OperateError(f"{found.folder}/{name} is not there any more: what runs write expires")
        with whole_files.written(folder / name) as kept:
            kept.write(text)
    return folder / quarantine.PAGE
