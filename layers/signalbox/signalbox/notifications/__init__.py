"""Mails about endings: one to every approver, with what happened, where to look and what to do next."""

from functools import partial

from signalbox import owners
from signalbox.aws.logs import JobLogs
from signalbox.mail import SesMailer, addresses, nobody
from signalbox.notifications.notifying import NotifyingPorts
from signalbox.settings import Announce, OnCodePush, OnModelPackage, ReportExecution, ReportRun, StartRun

type NotifyingSettings = Announce | OnCodePush | OnModelPackage | ReportExecution | ReportRun | StartRun


def notifying_ports(settings: NotifyingSettings, api_url: str = "") -> NotifyingPorts:
    """Return the ports on AWS; mails tell to call models under `api_url`.

    Raises:
        MailError: the list of approvers is wrong.
    """
    mailer = SesMailer(settings.sender, settings.reply_to, settings.mail_settings)
    # A run is of a pipeline, whose models may be several: whoever reports it says whom it concerns.
    own = (
        nobody
        if isinstance(settings, OnCodePush | ReportRun | StartRun)
        else partial(owners.approvers, settings.prefix)
    )
    return NotifyingPorts(mailer, addresses(settings.approvers), api_url, JobLogs().tail, own)
