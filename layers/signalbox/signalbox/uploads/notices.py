"""People are told of a set that cannot be used, or whose files have not come: one mail for each."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from signalbox.aws.errors import ServiceBusyError
from signalbox.contracts.endings import SetProblem
from signalbox.observability import count, logger
from signalbox.projects import OwnedPipeline
from signalbox.uploads import rules
from signalbox.uploads.model import Upload
from signalbox.uploads.ports import NotificationLog, UploadStore
from signalbox.uploads.sets import SetError, UploadSet

# Mails people what is wrong with a set: the notifications journey.
type NotifySet = Callable[[SetProblem], object]


class SetNotices(NamedTuple):
    """Tells people of sets: one mail for each, and for each time that it is to be run again."""

    log: NotificationLog
    notify: NotifySet

    def tell(
        self, manifest: Upload, found: UploadSet | SetError, owned: OwnedPipeline, store: UploadStore, now: datetime
    ) -> bool:
        """Mail what is wrong with a set, unless such a mail was sent; False where nobody could be reached.

        That stops neither other sets nor other uploads: it is tried again at the next look. A death between the mail
        and its note sends it twice, as in `refusals`.
        """
        about = f"set#{manifest.digest}#{manifest.recorded_at}"
        if self.log.notified(about):
            return True
        from signalbox.mail import MailError  # noqa: PLC0415  # mails are rare, and what makes them takes time to load

        try:
            self.notify(_problem(manifest, found, owned, store))
        except (MailError, ServiceBusyError) as error:
            logger.error("set not reported", extra={"key": manifest.key, "reason": str(error)})
            return False
        self.log.close(about, now)
        logger.info("set reported", extra={"key": manifest.key, "version": manifest.version})
        count("SetReported")
        return True


def _problem(manifest: Upload, found: UploadSet | SetError, owned: OwnedPipeline, store: UploadStore) -> SetProblem:
    missing = () if isinstance(found, SetError) else found.missing
    return {
        "project": owned.project.project,
        "approvers": list(owned.project.approvers),
        "pipeline": owned.pipeline.name,
        "manifest": manifest.uri,
        "by": manifest.by,
        "since": manifest.recorded_at,
        "refused": str(found) if isinstance(found, SetError) else "",
        "files": 0 if isinstance(found, SetError) else len(found.keys),
        "missing": len(missing),
        "first_missing": [_missing(manifest.bucket, key, store) for key in missing[: rules.MOST_NAMED]],
    }


def _missing(bucket: str, key: str, store: UploadStore) -> str:
    """Return a key that did not come, with the run that has had it before: an upload is in one run."""
    runs = [upload.run for upload in store.history(bucket, key) if upload.run is not None]
    return f"{key} (taken by {runs[-1]} before)" if runs else key
