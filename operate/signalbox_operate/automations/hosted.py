"""A project's repository at GitHub, GitLab or Bitbucket, where a token is given: made, told of, begun, and undone.

Safe to repeat, and to break off anywhere: what is there is used, so that the next one makes what is missing. What fails
is undone as far as this command made it, which leaves the automation's stack: it is whole, and the next one needs it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.automations import creating, first_commit
from signalbox_operate.automations.automation import Automation
from signalbox_operate.automations.creating import Elsewhere, Wishes
from signalbox_operate.hosts import choosing, git, tokens
from signalbox_operate.hosts.git import Remote
from signalbox_operate.hosts.model import GitHost, HostError
from signalbox_operate.projects.checking import Checked
from signalbox_operate.projects.place import Place


@dataclass(frozen=True)
class HostedRepository:
    """A repository, who speaks for it, and how git reaches it; `say` is told what happens, a line at a time."""

    code: Elsewhere
    host: GitHost
    remote: Remote
    say: Callable[[str], None]

    @property
    def called(self) -> str:
        """Return the repository's name with its host's."""
        return f"{self.code.name} at {self.host.name}"

    def make(self, undo: ExitStack) -> None:
        """Make the repository where it is not there; `undo` then has its deletion."""
        if self.host.there():
            return
        self.host.make()
        self.say(f"repository {self.called} made, private")
        undo.callback(self._undo, f"repository {self.called}", self._unmake)

    def connect(self, address: str, secret: str, undo: ExitStack) -> None:
        """Let a webhook tell an address of pushes: the one that does, or a new one, whose deletion `undo` then has."""
        hook = self.host.hook(address)
        self.host.put_hook(hook, address, secret)
        if hook is not None:
            self.say(f"webhook {address} of {self.called} is there already, and has the secret of the project")
            return
        self.say(f"webhook {address} of {self.called} made")
        undo.callback(self._undo, f"webhook {address}", lambda: self.disconnect(address))

    def disconnect(self, address: str) -> None:
        """Delete the webhook that tells an address, if there is one."""
        hook = self.host.hook(address)
        if hook is not None:
            self.host.delete_hook(hook)
            self.say(f"webhook {address} of {self.called} deleted")

    def seed(self, folder: Path, names: list[str], branch: str) -> None:
        """Push files as the first commit of a repository that has none."""
        if self.remote.refs():
            self.say(f"note: the repository {self.called} has commits already: nothing is pushed to it")
            return
        self.remote.push(folder, names, branch)
        self.say(f"{branch} of {self.called} begins with the files of {folder}")

    def _unmake(self) -> None:
        if self.remote.refs():
            self.say(f"note: the repository {self.called} has commits by now: it stays as it is")
            return
        self.host.delete()
        self.say(f"repository {self.called} deleted again")

    def _undo(self, what: str, step: Callable[[], None]) -> None:
        """Undo one thing; where that fails, say so and go on, since the first failure is the one to be told of."""
        try:
            step()
        except HostError as error:
            self.say(f"note: {what} is left as it is, for the next `signalbox projects create` to use: {error}")


def create(made: Checked, place: Place, wishes: Wishes, secret: str = "") -> Automation:
    """Make the automation of a checked project; with a token's secret, what it needs where its code lies, too.

    Raises:
        OperateError: something cannot be made, for the reason that is told; what was made at the host is undone.
    """
    if not secret:
        return creating.create(made, place, wishes)
    if wishes.elsewhere is None:
        raise HostError(
            "--token-secret is for a repository at GitHub, GitLab or Bitbucket: name it with --repository, as "
            "github:owner/name, or leave the option out"
        )
    project, repository = made.project, of(wishes.elsewhere, secret, place)
    git.program()
    names = first_commit.names(project.folder)
    with ExitStack() as undo:
        repository.make(undo)
        after = creating.create(made, place, wishes)
        undo.callback(place.say, f"note: stack {after.stack.name} is made and stays, for the next try")
        repository.connect(hook_address(project.name, place), _hook_secret(after, place), undo)
        if not wishes.empty:
            repository.seed(project.folder, names, after.parameters["Main"])
        undo.pop_all()
    return after


def of(code: Elsewhere, secret: str, place: Place) -> HostedRepository:
    """Return a repository elsewhere, as the token in a secret lets it be reached.

    Raises:
        HostError: there is no token, or its address is none that a token may be sent to.
    """
    token = tokens.read(secret, place.client("secretsmanager"))
    host = choosing.host(code.provider, code.name, code.url, token)
    return HostedRepository(code, host, Remote(code.url, host.git, host.pushing), place.say)


def hook_address(project: str, place: Place) -> str:
    """Return where webhooks tell of a project's pushes."""
    return f"{place.stack.output('ReviewUrl')}/hooks/{project}"


def _hook_secret(made: Automation, place: Place) -> str:
    found = place.client("secretsmanager").get_secret_value(SecretId=made.outputs["HookSecretName"])
    return str(found["SecretString"])
