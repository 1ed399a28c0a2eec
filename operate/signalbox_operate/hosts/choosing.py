"""Which host a repository has, and where its API is: that of the provider, or beside the address it is cloned from."""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from signalbox.pushes.model import BITBUCKET, GITHUB, GITLAB
from signalbox_operate.hosts import bitbucket, github, gitlab
from signalbox_operate.hosts.bitbucket import BitbucketHost
from signalbox_operate.hosts.github import GitHubHost
from signalbox_operate.hosts.gitlab import GitLabHost
from signalbox_operate.hosts.model import GitHost, HostError, Token

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Kind(NamedTuple):
    """A provider: where it is, its API there, where the API of one's own is below its address, and who speaks to it."""

    site: str
    api: str
    own: str
    host: Callable[[str, str, Token], GitHost]


_KINDS = {
    GITHUB: _Kind("https://github.com", github.PUBLIC, github.OWN, GitHubHost),
    GITLAB: _Kind("https://gitlab.com", gitlab.PUBLIC, gitlab.OWN, GitLabHost),
    BITBUCKET: _Kind("https://bitbucket.org", bitbucket.PUBLIC, bitbucket.OWN, BitbucketHost),
}
# Where providers clone from.
SITES = {provider: kind.site for provider, kind in _KINDS.items()}


def host(provider: str, repository: str, url: str, token: Token) -> GitHost:
    """Return who speaks for a repository.

    Args:
        provider: one of `SITES`.
        repository: its full name there.
        url: where it is cloned from.
        token: what lets in.

    Raises:
        HostError: the token would be sent without encryption, or the address is not that of the repository.
    """
    kind, site = _KINDS[provider], _site(repository, url)
    return kind.host(kind.api if site == kind.site else f"{site}{kind.own}", repository, token)


def _site(repository: str, url: str) -> str:
    """Return the address that a repository's address begins with, before its name."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise HostError(
            f"{url} is not encrypted, and the token would be read on its way: give an address with https://"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise HostError("the address has more in it than where the repository is: give it without user and password")
    found = re.fullmatch(rf"(?P<site>.+)/{re.escape(repository)}(\.git)?/?", url)
    if not found:
        raise HostError(
            f"{url} is not where {repository} is cloned from: with a token it has to end in /{repository}.git"
        )
    return found["site"]
