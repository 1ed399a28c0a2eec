"""A snapshot is held against its objects from this machine, byte by byte, by the worker's own code."""

import tempfile
from pathlib import Path
from typing import Any

from signalbox_operate.notebooks.model import Instance, NotebookError
from signalbox_operate.notebooks.snapshots import Shelf
from signalbox_snapshot import settings
from signalbox_snapshot.credentials import Credentials
from signalbox_snapshot.errors import SnapshotError
from signalbox_snapshot.index import Index
from signalbox_snapshot.job import Job
from signalbox_snapshot.objects import Objects, Place
from signalbox_snapshot.progress import Progress
from signalbox_snapshot.signing import Keys
from signalbox_snapshot.transport import Clock, Transport
from signalbox_snapshot.verify import Verified, verify


class SessionCredentials(Credentials):
    """The keys of whoever runs the command, from a session of boto3."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self._session = session

    def keys(self) -> Keys:
        """Return keys that are valid now; boto3 renews them."""
        found = self._session.get_credentials().get_frozen_credentials()
        return Keys(found.access_key, found.secret_key, found.token or "")


def check(instance: Instance, snapshot: str, shelf: Shelf, session: Any) -> Verified:
    """Read every object of a snapshot, and return what is damaged or missing.

    Raises:
        NotebookError: there is no such snapshot, or what says which files it has is damaged.
    """
    _, partition, _, region, account, _ = instance.arn.split(":", 5)
    endpoint = shelf.s3.meta.endpoint_url.rstrip("/")
    prefix = f"{shelf.prefix}/" if shelf.prefix else ""
    where = Place(endpoint, region, shelf.bucket, shelf.owner, prefix)
    whose = settings.Instance(instance.name, instance.arn, partition, region, account)
    asked = settings.wishes({"ebs-backup-bucket": shelf.bucket, "snapshot-prefix": shelf.prefix}, account)
    objects = Objects(Transport(SessionCredentials(session), Clock()), where)
    with tempfile.TemporaryDirectory() as folder:
        progress = Progress(str(Path(folder) / "report.jsonl.gz"))
        index = Index(str(Path(folder) / "index.sqlite"))
        try:
            return verify(Job(whose, asked, objects, index, progress, b"", snapshot, ""), tree=False)
        except SnapshotError as error:
            raise NotebookError(instance.name, f"{error}: {error.advice}") from error
        finally:
            index.close()
            progress.close()
