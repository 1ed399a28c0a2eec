"""Let one upload wait again: of a run that failed, or one that was deleted before its run and is back."""

from datetime import datetime
from typing import TYPE_CHECKING

from signalbox.uploads.model import Upload
from signalbox_operate import rerunning
from signalbox_operate.stack import OperateError
from signalbox_operate.uploads import Fate, UploadsOfStack

if TYPE_CHECKING:
    from signalbox.aws.s3 import ObjectStore


def retry(newest: Fate, uploads: UploadsOfStack, objects: "ObjectStore", now: datetime) -> Upload:
    """Let the newest upload of a key wait again, alone, and return it; the pipeline still has to be asked for a run.

    Raises:
        OperateError: it waits, its run is not over, succeeded or is not known any more, or nothing of it is there.
    """
    upload = newest.upload
    if upload.run is None:
        raise OperateError(f"{upload.key} waits already: {newest.detail}")
    table = uploads.of(upload.pipeline)
    run = table.find(upload.run)
    if run is None:
        raise OperateError(f"the table does not know {upload.run} any more: upload {upload.key} again")
    if not upload.gone:
        rerunning.check_failed(run, table)
    stored = objects.look(upload.bucket, upload.key)
    if stored is None:
        raise OperateError(f"nothing is under s3://{upload.bucket}/{upload.key}: upload it again, which starts a run")
    if stored.version is not None and stored.version != upload.version:
        raise OperateError(
            f"{upload.key} has another version by now, {stored.version}: its own upload is recorded in some minutes, "
            "and a run takes that"
        )
    if not rerunning.give_back(run, [upload], uploads.table, now):
        raise OperateError(f"{upload.key} waits by now, or is another run's: see `signalbox uploads {upload.key}`")
    return upload
