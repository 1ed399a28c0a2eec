"""Git over HTTPS, let in by a token that no file, argument or address has in it: git is told it by its environment.

Git reads none of the user's configuration here: a helper would keep the token, and `url.….insteadOf` would lead it
elsewhere. Proxies and certificates come from the environment, as they do for the host's API.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from signalbox_operate.hosts.model import HostError

_PATIENCE = 300  # seconds
_LINES, _LONGEST = 4, 400  # of what git says about a failure
_KEPT = {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH"}
_NOBODY = {"user.name": "Signalbox", "user.email": "signalbox@localhost"}
_ROLES = ("AUTHOR", "COMMITTER")


@dataclass(frozen=True)
class Remote:
    """A repository's address, the header `Authorization` that lets in, and what its token has to be allowed."""

    url: str
    authorization: str = field(repr=False)
    needs: str = ""

    def refs(self) -> dict[str, str]:
        """Return the commits of all branches and tags by their full names; none where nothing was ever pushed.

        Raises:
            HostError: git is not let in, or is not there.
        """
        listed = self._git("ls-remote", self.url, "refs/*").splitlines()
        return {name: commit for commit, _, name in (line.partition("\t") for line in listed)}

    def push(self, folder: Path, names: Sequence[str], branch: str) -> None:
        """Commit files of a folder, and push the commit as the first one of a branch.

        Raises:
            HostError: the push was refused, git is not let in, or is not there.
        """
        with TemporaryDirectory() as place:
            tree = {"GIT_DIR": place, "GIT_WORK_TREE": str(folder.resolve()), "GIT_LITERAL_PATHSPECS": "1"}
            self._git("init", "--quiet", more=tree)
            given = "\0".join(names)
            self._git("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", more=tree, given=given)
            self._git("commit", "--quiet", "--message", "First commit", more={**tree, **_author(folder)})
            self._git("push", "--quiet", self.url, f"HEAD:refs/heads/{branch}", more=tree)

    def _git(self, *words: str, more: Mapping[str, str] | None = None, given: str = "") -> str:
        """Return what git prints."""
        environment = {**_environment(), **self._configuration(), **(more or {})}
        try:
            done = subprocess.run(  # noqa: S603  # git, by words that are no shell's
                [program(), *words],
                input=given,
                capture_output=True,
                text=True,
                errors="surrogateescape",
                check=False,
                timeout=_PATIENCE,
                env=environment,
            )
        except subprocess.TimeoutExpired as error:
            raise HostError(f"git {words[0]} of {self.url} did not end within {_PATIENCE} seconds: repeat") from error
        if done.returncode != 0:
            reason = _told(done.stderr) or "it says no reason"
            raise HostError(f"git {words[0]} of {self.url} failed: {reason} (the token needs {self.needs})")
        return done.stdout

    def _configuration(self) -> dict[str, str]:
        """Return what git is configured with: the header for this address alone, which no redirection leads away."""
        given = {
            f"http.{self.url}.extraHeader": f"Authorization: {self.authorization}",
            "http.followRedirects": "false",
        }
        return {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",  # nor any other program that asks
            "GIT_CONFIG_COUNT": str(len(given)),
            **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(given)},
            **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(given.values())},
        }


def program() -> str:
    """Return where git is.

    Raises:
        HostError: it is not installed.
    """
    found = shutil.which("git")
    if found is None:
        raise HostError("there is no git on this machine: install it, or make the repository without --token-secret")
    return found


def _environment() -> dict[str, str]:
    """Return the environment without what says elsewhere where git works, and what it tells of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    if certificates := kept.get("SSL_CERT_FILE"):  # which the API is read with, and git does not know
        kept.setdefault("GIT_SSL_CAINFO", certificates)
    return kept


def _author(folder: Path) -> dict[str, str]:
    """Return who commits: as git knows them in that folder, else nobody."""
    asked = [program(), "-C", str(folder), "config", "--get-regexp", r"^user\.(name|email)$"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  # the user's own git
    known = {key: value for key, _, value in (line.partition(" ") for line in done.stdout.splitlines()) if value}
    both = {**_NOBODY, **known}
    return {f"GIT_{who}_{key.removeprefix('user.').upper()}": both[key] for who in _ROLES for key in _NOBODY}


def _told(text: str) -> str:
    """Return the last lines of what git says, in one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-_LINES:])[:_LONGEST]
