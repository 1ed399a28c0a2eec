"""The endpoint of a container's credentials, as an app has one.

On AWS it answers on 169.254.170.2, by the path in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI. No program reaches that
address here, so an app has a whole address, of a port of 127.0.0.1, in AWS_CONTAINER_CREDENTIALS_FULL_URI (AWS SDKs and
Tools Reference Guide, "Container credential provider").
"""

import secrets
from email.message import Message

from sagemaker_local.lifecycle.credentials import PageServer, RoleCredentials, is_own


class CredentialsService(PageServer):
    """Answers with the credentials of one app, on a path that nobody guesses."""

    def __init__(self, credentials: RoleCredentials) -> None:
        self._credentials = credentials
        self._path = f"/_sagemaker-instance-credentials/{secrets.token_hex(32)}"
        super().__init__()

    @property
    def address(self) -> str:
        """Return the whole address."""
        return f"{self.url}{self._path}"

    def get(self, path: str, headers: Message) -> tuple[int, str]:
        """Return status and text of a GET."""
        if not is_own(headers):
            return 403, ""
        return (200, self._credentials.document()) if path == self._path else (404, "")
