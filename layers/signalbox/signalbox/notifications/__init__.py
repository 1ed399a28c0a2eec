"""Mails about endings: one to every approver, with what happened, where to look and what to do next."""

from signalbox.aws.logs import JobLogs
from signalbox.mail import SesMailer, addresses
from signalbox.notifications.notifying import NotifyingPorts
from signalbox.settings import Announce, ReportExecution, ReportRun, StartRun


def notifying_ports(settings: Announce | ReportExecution | ReportRun | StartRun, api_url: str = "") -> NotifyingPorts:
    """Return the ports on AWS; mails tell to call models under `api_url`.

    Raises:
        MailError: the list of approvers is wrong.
    """
    mailer = SesMailer(settings.sender, settings.reply_to, settings.mail_settings)
    return NotifyingPorts(mailer, addresses(settings.approvers), api_url, JobLogs().tail)
