"""What is asked of whoever hosts a repository, and what may go wrong with it."""

import base64
from dataclasses import dataclass, field
from typing import Protocol

from signalbox_operate.stack import OperateError


class HostError(OperateError):
    """A host refuses a call, or cannot be reached; the message says why and what to do."""


@dataclass(frozen=True)
class Token:
    """A token of a host, the user whose it is where the host wants to know, and the secret that it was read from.

    It is shown nowhere: neither in its own representation, nor in any message.
    """

    text: str = field(repr=False)
    user: str = ""
    secret: str = ""

    @property
    def bearer(self) -> str:
        """Return the value of the header `Authorization` that presents the token alone."""
        return f"Bearer {self.text}"

    def basic(self, user: str) -> str:
        """Return the value of the header `Authorization` that presents the token as a user's password."""
        return f"Basic {base64.b64encode(f'{user}:{self.text}'.encode()).decode()}"


class GitHost(Protocol):
    """One repository at a host. Every method raises HostError where the host refuses, or does not answer.

    `name` is how people call the host, `git` the header that git is let in with, and `pushing` what the token has to be
    allowed for that. A hook is an id of the host's own.
    """

    name: str
    git: str
    pushing: str

    def there(self) -> bool:
        """Say whether the repository is there, as far as the token may see."""

    def make(self) -> None:
        """Make the repository, private and without a commit: its first branch becomes its default branch."""

    def delete(self) -> None:
        """Delete the repository; it may be gone already."""

    def hook(self, address: str) -> str | None:
        """Return the webhook that posts to an address; None where there is none."""

    def put_hook(self, hook: str | None, address: str, secret: str) -> None:
        """Make a webhook that posts each push to an address, as JSON with a secret; or make the one such."""

    def delete_hook(self, hook: str) -> None:
        """Delete a webhook; it may be gone already."""
