"""A run that cannot start before somebody mends something ends in a mail that says what."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from signalbox import moments
from signalbox.contracts.endings import RefusedWait, RunRefusal
from signalbox.observability import count, logger
from signalbox.project_documents import Project
from signalbox.uploads import rules
from signalbox.uploads.model import InputGoneError, Run, RunRefusedError
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

        Or that there is none, because the input of the run that it would repeat is gone.

        Nothing is claimed before: runs are started one at a time. A death between the mail and its note sends it
        twice, and an error of the mail brings the message back, which tries the run and the mail again.

        Raises:
            MailError: nobody could be reached.
        """
        run = error.source if isinstance(error, InputGoneError) else store.latest()
        name = run.id if run is not None else pipeline
        about = f"{name}#{error.code}"
        if self.log.notified(about):
            return
        uploads, since, waits = _about(run, store)
        self.notify(
            {
                "project": project.project if project else pipeline,
                "approvers": list(project.approvers) if project else [],
                "pipeline": pipeline,
                "run": name,
                "uploads": uploads,
                "since": since,
                "code": error.code,
                "reason": error.waits_for,
                "waits": waits,
            }
        )
        self.log.close(about, now)
        logger.info("refused run reported", extra={"run": name, "code": error.code})
        count("RunRefusalReported")


def _about(run: Run | None, store: UploadStore) -> tuple[str, str, RefusedWait]:
    """Return for people what a run that cannot start is over, since when that waits, and what waits."""
    if run is not None and not run.open:  # its uploads would be run again, and are gone
        return rules.named(store.taken(run)), "", "nothing"
    if run is not None and run.repeats is not None:
        return rules.told(run, store.input_of(run)), moments.text_of(run.created_at), "run"
    waiting = unstarted(store, rules.MOST_NAMED)
    return rules.named(waiting), waiting[0].recorded_at if waiting else "", "uploads"
