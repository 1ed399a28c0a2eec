"""A run that cannot start before somebody mends something ends in a mail that says what."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from signalbox.contracts.endings import RunRefusal
from signalbox.observability import count, logger
from signalbox.project_documents import Project
from signalbox.uploads import rules
from signalbox.uploads.model import RunRefusedError
from signalbox.uploads.ports import NotificationLog, UploadStore
from signalbox.uploads.waiting import unstarted

# Mails people why a run cannot start: the notifications journey.
type NotifyRefusal = Callable[[RunRefusal], object]


class Refusals(NamedTuple):
    """Tells people of refused runs: one mail for each run and code of AWS."""

    log: NotificationLog
    notify: NotifyRefusal

    def tell(
        self, error: RunRefusedError, pipeline: str, project: Project | None, store: UploadStore, now: datetime
    ) -> None:
        """Mail that the latest run of a pipeline is refused, unless such a mail was sent: to its project's approvers.

        Nothing is claimed before: runs are started one at a time. A death between the mail and its note sends it
        twice, and an error of the mail brings the message back, which tries the run and the mail again.

        Raises:
            MailError: nobody could be reached.
        """
        run = store.latest()
        name = run.id if run is not None else pipeline
        about = f"{name}#{error.code}"
        if self.log.notified(about):
            return
        waiting = unstarted(store, rules.MOST_NAMED)
        self.notify(
            {
                "project": project.project if project else pipeline,
                "approvers": list(project.approvers) if project else [],
                "pipeline": pipeline,
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
