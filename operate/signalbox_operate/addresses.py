"""Where a person looks at a stack: pages of the AWS console, or the page of the local cloud that stands for AWS."""

import os
from urllib.parse import quote, urlsplit

from signalbox import links
from signalbox_operate.stack import OperateError, Stack

INBOX = "/_local/inbox"


def of(what: str, stack: Stack, region: str) -> str:
    """Return the address of a page.

    Raises:
        OperateError: there is no such page.
    """
    local = os.environ.get("AWS_ENDPOINT_URL")
    if local:
        parts = urlsplit(local)
        return f"{parts.scheme}://{parts.netloc}{INBOX}"
    home = f"https://{links.domain(stack.output('MlopsMachineArn'))}"
    machines = f"{home}/states/home?region={region}#/statemachines/view"
    pages = {
        "stack": f"{home}/cloudformation/home?region={region}#/stacks?filteringText={quote(stack.name)}",
        "uploads": f"{home}/s3/buckets/{stack.output('DataBucket')}?region={region}",
        "trainings": f"{machines}/{quote(stack.output('MlopsMachineArn'), safe='')}",
        "releases": f"{machines}/{quote(stack.output('ReleaseMachineArn'), safe='')}",
        "endpoints": f"{home}/sagemaker/home?region={region}#/endpoints",
    }
    if what not in pages:
        raise OperateError(f"there is no page {what!r}: the pages are {', '.join(pages)}")
    return pages[what]
