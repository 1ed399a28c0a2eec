"""What became of the files that a run did not use is written down where its uploads are."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from signalbox import quarantine
from signalbox.aws.s3 import ObjectTooLargeError
from signalbox.events import ExecutionChange
from signalbox.observability import count, logger
from signalbox.project_documents import URL
from signalbox.projects import OwnedPipeline
from signalbox.uploads import rules
from signalbox.uploads.ports import QuarantineStore, UploadStore

if TYPE_CHECKING:
    from signalbox.contracts.uploads import Quarantine


class QuarantiningPorts(NamedTuple):
    """What this needs from outside; `read` returns a text object of at most so many bytes, None where there is none."""

    artifacts: str
    read: Callable[[str, int], str | None]
    store: QuarantineStore
    clock: Callable[[], datetime]


def keep(
    change: ExecutionChange, owned: OwnedPipeline | None, uploads: UploadStore, ports: QuarantiningPorts
) -> "Quarantine":
    """Write down which files an execution did not use, as its job has reported, and return them.

    Safe to repeat: the same report is the same items. Most executions have no report, and then nothing is written. One
    that cannot be used is logged and counted, and keeps no mail back: the execution's own words say why it failed.

    Raises:
        ServiceBusyError, CallRefusedError: S3 or the table did not answer. The event comes back then.
    """
    if owned is None:
        return quarantine.NOTHING
    files, features = quarantine.places(ports.artifacts, owned.project.project, owned.key, change.execution_arn)
    found = quarantine.merged(_read(files, ports), _read(features, ports))
    if not found["files"]:
        return found
    if owned.pipeline.takes == URL:
        found = _with_keys(found, change.execution_arn, uploads)
    ports.store.keep(change.execution_arn, found["files"], ports.clock())
    logger.info("files quarantined", extra={"execution": change.execution_arn, "files": len(found["files"])})
    count("FilesQuarantined", len(found["files"]) + found["more"])
    return found


def _read(uri: str, ports: QuarantiningPorts) -> "Quarantine":
    try:
        text = ports.read(uri, quarantine.LIMIT)
        return quarantine.NOTHING if text is None else quarantine.parse(text)
    except (ObjectTooLargeError, quarantine.QuarantineError) as error:
        logger.warning("report of quarantined files not read", extra={"uri": uri, "reason": str(error)})
        count("QuarantineUnreadable")
        return quarantine.NOTHING


def _with_keys(found: "Quarantine", execution: str, uploads: UploadStore) -> "Quarantine":
    """Return the report with the keys of uploads in the place of their copies' names, which are what a job has seen."""
    run = uploads.run_of(execution)
    keys = sorted({one.key for one in uploads.input_of(run)}) if run else []
    known = {name: key for key, name in rules.names_of_copies(keys).items()}
    return {**found, "files": [{**one, "file": known.get(one["file"], one["file"])} for one in found["files"]]}
