"""Which version of each file a run is over, and since when S3 has it: kept beside its manifest, which names keys only.

The job that makes features reads it: a record's identifier and time may be made of them.
"""

from collections.abc import Sequence

from signalbox.contracts.uploads import RunFile, RunVersions
from signalbox.uploads.model import Upload

SUFFIX = ".versions.json"  # after the manifest's whole name: a pipeline can put texts together, and take none apart


def of(uploads: Sequence[Upload]) -> RunVersions:
    """Return the files of a run by their keys, each in the newest version that the run took: the same run, the same.

    The manifest names a key once, too, and S3 gives a job the newest version of it.
    """
    newest = {upload.key: upload for upload in sorted(uploads, key=_moment)}
    return {"files": [_file(newest[key]) for key in sorted(newest)]}


def _moment(upload: Upload) -> tuple[str, str, str]:
    return upload.modified or upload.recorded_at, upload.recorded_at, upload.version


def _file(upload: Upload) -> RunFile:
    # Items of earlier versions have no time of S3's; they were recorded a moment later.
    uploaded = upload.modified or upload.recorded_at
    return {"file": upload.key, "name": upload.key, "version": upload.version, "uploaded": uploaded}
