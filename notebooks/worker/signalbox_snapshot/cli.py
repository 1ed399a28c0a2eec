"""The worker's command line: `backup`, `restore` and `verify`, as a lifecycle script or a person calls them."""

import argparse
import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import signal
import sys
import tempfile
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot import folders, settings
from signalbox_snapshot.backup import back_up, snapshot_of
from signalbox_snapshot.credentials import Credentials
from signalbox_snapshot.errors import BusyError, SnapshotError, StoppedError
from signalbox_snapshot.index import Index
from signalbox_snapshot.job import BACKUP, RESTORE, Job, already_done
from signalbox_snapshot.making import ensure, there
from signalbox_snapshot.objects import Objects, Place
from signalbox_snapshot.progress import Progress
from signalbox_snapshot.restore import restore
from signalbox_snapshot.status import COMPLETE, FAILED, Ending, Reporter, Work, moment
from signalbox_snapshot.tagging import Tags
from signalbox_snapshot.transport import Clock, Transport
from signalbox_snapshot.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOG = logging.getLogger(__name__)
_BUSY = 3
_SEE_LOG = "see the worker's log in the bucket"
_ATTEMPTS_TO_TELL = 3
"""Of each word on how far the work is: the next one comes soon."""


class _Ports(NamedTuple):
    """The conversations of a worker: one for its files, and one for what it tells, which outlives the first."""

    clock: Clock
    files: Transport
    telling: Transport
    tags: Tags


def main(words: "Sequence[str] | None" = None) -> int:
    """Run the command and return the exit code: 0 complete, 1 failed, 3 another worker is at work here."""
    asked = _parser().parse_args(words)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        instance = settings.instance(asked.metadata)
        with _work_folder(asked.work, instance.name) as folder:
            return _run(asked, instance, folder)
    except BusyError as error:
        _LOG.error("%s: %s", error, error.advice)
        return _BUSY
    except SnapshotError as error:
        _LOG.error("failed: %s: %s", error, error.advice)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="worker.pyz", description="Saves and restores a notebook instance's files, or restores them in a space."
    )
    parser.add_argument("operation", choices=[BACKUP, RESTORE, "verify"])
    parser.add_argument("--metadata", default="/opt/ml/metadata/resource-metadata.json")
    parser.add_argument("--home", default="/home/ec2-user/SageMaker")
    parser.add_argument("--work", help="a folder outside the volume; default: one of the temporary folder")
    parser.add_argument("--snapshot", help="instead of that of the tag backup-snapshot")
    parser.add_argument("--partial", action="store_true", help="restore what is there of a snapshot that is not whole")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds before a request is repeated first")
    parser.add_argument("--attempts", type=int, default=8, help="times that a request is made at most")
    return parser


@contextlib.contextmanager
def _work_folder(named: "str | None", instance: str) -> "Iterator[str]":
    """Yield the folder for the worker's own files, which is this worker's alone while it lives, however it dies."""
    folder = named or os.path.join(tempfile.gettempdir(), "signalbox-snapshot-" + instance)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        file = open(os.path.join(folder, "lock"), "a", encoding="ascii")  # noqa: SIM115 - it is locked while it is open
    except OSError as error:
        raise SnapshotError(f"{folder} cannot be used: {error.strerror}", "name another folder with --work") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(
                f"another worker is at work on {instance}", "wait for it, or stop the instance; then start it again"
            ) from error
        yield folder


def _run(asked: argparse.Namespace, instance: settings.Instance, folder: str) -> int:
    log = os.path.join(folder, "worker.log")
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    logging.getLogger().addHandler(handler)
    progress = Progress(os.path.join(folder, "report.jsonl.gz"))
    try:
        ports = _ports(asked, instance)
        if asked.operation == "verify":
            return _verify(asked, instance, ports, progress, folder)
        return _reported(asked, instance, ports, progress, folder)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _ports(asked: argparse.Namespace, instance: settings.Instance) -> _Ports:
    credentials, clock = Credentials(), Clock()
    files = Transport(credentials, clock, asked.attempts, asked.pause)
    telling = Transport(credentials, clock, asked.attempts, asked.pause)
    return _Ports(clock, files, telling, Tags(telling, instance.endpoint("sagemaker"), instance.region, instance.arn))


def _reported(
    asked: argparse.Namespace, instance: settings.Instance, ports: _Ports, progress: Progress, folder: str
) -> int:
    """Do the work and tell how it ended, whatever ends it."""
    work = Work(asked.operation, instance, None, "", moment(), _own_digest())
    reporter = Reporter(work, progress, ports.tags, (ports.files, ports.telling))
    before = signal.signal(signal.SIGTERM, partial(_stop, ports.files))
    again = False
    try:
        again = _work(asked, instance, ports, progress, folder, reporter)
        progress.close()
        ending = Ending(COMPLETE)
    except SnapshotError as error:
        ending = Ending(FAILED, str(error), error.advice)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        advice = f"make room on the volume and in {folder}, and start the instance again" if full else _SEE_LOG
        ending = Ending(FAILED, f"the instance: {error}", advice)
    except Exception as error:
        _LOG.exception("unexpected")
        reason = f"unexpected: {type(error).__name__}: {error}"
        _end(reporter, Ending(FAILED, reason, _SEE_LOG), folder, again)
        raise
    finally:
        # Who told the worker to stop before this waits for the end to be told.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _end(reporter, ending.about(instance.kind), folder, again)
    signal.signal(signal.SIGTERM, before)
    return 0 if ending.state == COMPLETE else 1


def _stop(files: Transport, *_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    files.stopped.set()
    raise StoppedError


def _end(reporter: Reporter, ending: Ending, folder: str, again: bool) -> None:
    log = _LOG.info if ending.state == COMPLETE else _LOG.error
    log(": ".join(word for word in ending if word))
    with open(os.path.join(folder, "worker.log"), "rb") as file:
        reporter.end(ending, file.read(), again)


def _work(
    asked: argparse.Namespace,
    instance: settings.Instance,
    ports: _Ports,
    progress: Progress,
    folder: str,
    reporter: Reporter,
) -> bool:
    """Back up or restore; say whether it was done, and told, before."""
    wishes = settings.wishes(ports.tags.read(), instance.account)
    reporter.request(wishes.request)
    objects = Objects(ports.files, _place(instance, wishes))
    if asked.operation == BACKUP:
        ensure(objects, instance.partition, wishes.own)
        snapshot = snapshot_of(objects, instance, wishes, ports.clock.now().timestamp())
    else:
        there(objects)
        snapshot = asked.snapshot or wishes.snapshot or ""
    ports.telling.attempts = _ATTEMPTS_TO_TELL
    reporter.begin(Objects(ports.telling, objects.place), snapshot)
    with _job(asked, instance, wishes, objects, snapshot, progress, folder) as job:
        if already_done(job, asked.operation):
            return True
        if asked.operation == BACKUP:
            back_up(job, ports.clock.now().timestamp())
        else:
            folders.make(os.fsencode(asked.home), wishes.folder)
            restore(job)
    return False


def _place(instance: settings.Instance, wishes: settings.Wishes) -> Place:
    return Place(instance.endpoint("s3"), instance.region, wishes.bucket, wishes.owner, wishes.prefix)


@contextlib.contextmanager
def _job(
    asked: argparse.Namespace,
    instance: settings.Instance,
    wishes: settings.Wishes,
    objects: Objects,
    snapshot: str,
    progress: Progress,
    folder: str,
) -> "Iterator[Job]":
    index = Index(os.path.join(folder, "index.sqlite"))
    takes_partial = asked.partial or wishes.partial
    home = folders.within(os.fsencode(asked.home), None if asked.operation == BACKUP else wishes.folder)
    try:
        yield Job(instance, wishes, objects, index, progress, home, snapshot, _own_digest(), takes_partial)
    finally:
        index.close()


def _verify(
    asked: argparse.Namespace, instance: settings.Instance, ports: _Ports, progress: Progress, folder: str
) -> int:
    """Print what is found as JSON; a failure is a sentence in the log."""
    wishes = settings.wishes(ports.tags.read(), instance.account)
    objects = Objects(ports.files, _place(instance, wishes))
    with _job(asked, instance, wishes, objects, asked.snapshot or wishes.snapshot or "", progress, folder) as job:
        found = verify(job)
    sys.stdout.write(json.dumps(found._asdict(), indent=1) + "\n")
    return 0 if found.equal else 1


def _own_digest() -> str:
    """Return the SHA-256 of the file that runs; nothing where it runs from a folder."""
    if not os.path.isfile(sys.argv[0]):
        return ""
    with open(sys.argv[0], "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
