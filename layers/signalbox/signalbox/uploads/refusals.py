"""A run that cannot start before somebody mends something ends in a mail that says what."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from signalbox.contracts.endings import RunRefusal
from signalbox.observability import count, logger
from signalbox.uploads import rules
from signalbox.uploads.model import RunRefusedError
from signalbox.uploads.ports import NotificationLog, UploadStore
from signalbox.uploads.waiting import unstarted

# Mails people why a run cannot start: the notifications journey.
type NotifyRefusal = Callable[[RunRefusal], object]


class Refusals(NamedTuple):
    """Tells people of the refused runs of `pipeline`: one mail for each run and code of AWS."""

    pipeline: str
    model: str
    log: NotificationLog
    notify: NotifyRefusal

    def tell(self, error: RunRefusedError, store: UploadStore, now: datetime) -> None:
        """Mail that the latest run is refused, unless such a mail was sent.

        Nothing is claimed before: runs are started one at a time. A death between the mail and its note sends it
        twice, and an error of the mail brings the message back, which tries the run and the mail again.

        Raises:
            MailError: nobody could be reached.
        """
        run = store.latest()
        name = run.id if run is not None else self.pipeline
        about = f"{name}#{error.code}"
        if self.log.notified(about):
            return
        waiting = unstarted(store, rules.MOST_NAMED)
        self.notify(
            {
                "model": self.model,
                "pipeline": self.pipeline,
                "run": name,
                "uploads": rules.named(waiting) if waiting else "",
                "since": waiting[0].recorded_at if waiting else "",
                "code": error.code,
                "reason": error.waits_for,
            }
        )
        self.log.close(about, now)
        logger.info("refused run reported", extra={"run": name, "code": error.code})
        count("RunRefusalReported")
