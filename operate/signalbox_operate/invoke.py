"""Ask the model of a stage, with a request that is signed for the HTTP API."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.httpsession import URLLib3Session

from signalbox_operate.refusals import NO_CREDENTIALS
from signalbox_operate.stack import OperateError

if TYPE_CHECKING:
    from boto3.session import Session

type Send = Callable[[AWSPreparedRequest], Any]
_SECONDS = 35  # the API ends a request after 30 (API Gateway quotas, HTTP API)


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    content_type: str
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Say whether the body is the model's answer, not an error."""
        return self.status == HTTPStatus.OK


def address(invoke_url: str, stage: str, model: str | None) -> str:
    """Return the URL of a stage, and of a model in it where one is given, from the output with `{stage}` in it."""
    url = invoke_url.replace("{stage}", quote(stage, safe=""))
    return f"{url}?model={quote(model, safe='')}" if model else url


def invoke(url: str, body: bytes, content_type: str, session: "Session", send: Send | None = None) -> Answer:
    """Send one signed request and return the answer, whatever its status.

    Raises:
        OperateError: there are no credentials to sign with.
    """
    credentials = session.get_credentials()
    if credentials is None:
        raise OperateError(NO_CREDENTIALS)
    request = AWSRequest("POST", url, headers={"Content-Type": content_type, "Accept": content_type}, data=body)
    SigV4Auth(credentials.get_frozen_credentials(), "execute-api", session.region_name).add_auth(request)
    response = (send or URLLib3Session(timeout=_SECONDS).send)(request.prepare())
    return Answer(response.status_code, response.headers.get("Content-Type", ""), response.content)
