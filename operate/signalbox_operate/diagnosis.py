"""What is missing before a stack does its work, and what to do about each."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from signalbox import names, projects, stages
from signalbox.aws import parameters
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, code_of
from signalbox.aws.table import Table
from signalbox.stages import StagesDocumentError
from signalbox.uploads.model import UNCLAIMED
from signalbox.uploads.table import UploadsTable
from signalbox_operate import permissions, quotas, refusals, runs
from signalbox_operate.stack import Stack

type State = Literal["ok", "missing", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `then` says what to do, "" where nothing is to be done."""

    what: str
    state: State
    then: str = ""


type Check = Callable[[Stack, Callable[[str], Any]], Iterator[Finding]]


def look(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    """Yield what every check finds; what may not or cannot be looked at is a finding too."""
    for what, check in _CHECKS.items():
        try:
            yield from check(stack, client)
        except (ClientError, BotoCoreError, CallRefusedError, ServiceBusyError) as error:
            yield Finding(what, "unknown", f"it could not be looked at: {refusals.sentence(error)}")


def _sender(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    sender, ses = stack.parameters.get("Sender", ""), client("sesv2")
    what = f"mails come from {sender}"
    if _verified(sender, ses) or _verified(sender.rpartition("@")[2], ses):
        yield Finding(what, "ok")
    else:
        told = "follow the link in the mail that SES has sent to it; no mail leaves before"
        if stack.parameters.get("CreateSenderIdentity") == "no":
            told = f"verify it, or its domain: aws sesv2 create-email-identity --email-identity {sender}"
        yield Finding(what, "missing", f"SES has not verified it: {told}")


def _approvers(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    ses = client("sesv2")
    account = ses.get_account()
    if not account.get("SendingEnabled", True):
        yield Finding("SES sends mails", "missing", "SES has paused this account: see its reputation in the console")
    if account.get("ProductionAccessEnabled"):
        yield Finding("SES sends to everybody", "ok")
        return
    for approver in (address.strip() for address in stack.parameters.get("Approvers", "").split(",")):
        what = f"SES sends to {approver}"
        if _verified(approver, ses) or _verified(approver.rpartition("@")[2], ses):
            yield Finding(what, "ok")
            continue
        told = (
            "this account is in the SES sandbox: ask for production access (aws sesv2 put-account-details), or verify "
            f"the address: aws sesv2 create-email-identity --email-identity {approver}"
        )
        yield Finding(what, "missing", told)


def _verified(identity: str, ses: Any) -> bool:
    try:
        return bool(ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"))
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        return False


def _projects(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    known = set(runs.pipelines(stack, client("sagemaker")))
    for project in projects.load_projects(stack.output("Prefix"), client("ssm")):
        lost = sorted(one.name for one in project.pipelines.values() if one.name not in known)
        what = f"project {project.project} has its pipelines"
        if lost:
            told = (
                f"{', '.join(lost)} {'is' if len(lost) == 1 else 'are'} not there: run `signalbox deploy` in its folder"
            )
            yield Finding(what, "missing", told)
        else:
            yield Finding(what, "ok")


def _grants(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    prefix, ssm = stack.output("Prefix"), client("ssm")
    granted = projects.load_grants(prefix, ssm)
    for project, _ in parameters.below(names.automation_parameter(prefix, ""), ssm):
        what = f"what builds of {project} write is held against a grant"
        told = "functions believe whatever they write: run `signalbox projects create` in its folder"
        yield Finding(what, "ok") if project in granted else Finding(what, "missing", told)


def _unclaimed(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    table = UploadsTable(Table(stack.output("UploadsTable"), client("dynamodb")), UNCLAIMED)
    first = next(iter(table.waiting(1)), None)
    if first is not None:
        told = "deploy a project whose `uploads` have its prefix, and they run"
        yield Finding(
            "every upload belongs to a project", "missing", f"s3://{first.bucket}/{first.key} does not: {told}"
        )


def _stages(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    name = stack.output("StagesParameter")
    try:
        document = stages.load(name, client("ssm"))
    except StagesDocumentError as error:
        yield Finding(f"the stages document {name}", "missing", f"no release can be planned: {error}")
        return
    yield Finding(f"models are released to {', '.join(stage.name for stage in document.stages)}", "ok")
    if not os.environ.get("AWS_ENDPOINT_URL"):  # what else stands for AWS has no quotas
        yield from _quotas(quotas.needed(stack, document), quotas.values(client("service-quotas")))


def _quotas(needed: Mapping[str, int], values: Mapping[str, float]) -> Iterator[Finding]:
    for name, number in needed.items():
        value, what = values.get(name), f"quota “{name}”"
        if value is None:
            yield Finding(what, "unknown", "SageMaker knows no such quota: is the instance type's name right?")
        elif value < number:
            told = f"it is {value:g}, and {number} are needed: ask for more in the Service Quotas console"
            yield Finding(what, "missing", told)
        else:
            yield Finding(what, "ok")


def _permissions(stack: Stack, client: Callable[[str], Any]) -> Iterator[Finding]:
    caller = str(client("sts").get_caller_identity()["Arn"])
    what = f"you are {caller}"
    denied = permissions.denied(caller, stack, client("iam"))
    if denied:
        listed = "; ".join(f"{one.action} on {one.resource} (for {one.needed_for})" for one in denied)
        yield Finding(what, "missing", f"you may not {listed}: ask whoever runs the account to allow it")
    else:
        yield Finding(what, "ok")


# In the order in which a person has to see to them.
_CHECKS: dict[str, Check] = {
    "your permissions": _permissions,
    "the sender's address": _sender,
    "the approvers' addresses": _approvers,
    "the projects": _projects,
    "the grants of builds": _grants,
    "uploads of no project": _unclaimed,
    "the stages and their quotas": _stages,
}
