"""Show the projects of a stack, give one its build automation, and remove one."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from signalbox.project_documents import Project as Document
from signalbox.pushes.model import CODECOMMIT
from signalbox_operate.automations import automation, creating, hosted
from signalbox_operate.automations.automation import Automation
from signalbox_operate.automations.creating import Elsewhere, Wishes
from signalbox_operate.commands.deploying import Folder, place_of
from signalbox_operate.commands.terminal import Json, StackName, console, print_json, print_table, shown
from signalbox_operate.projects import deploying, reading, removing, use
from signalbox_operate.projects.model import Project
from signalbox_operate.projects.place import Place
from signalbox_operate.stack import OperateError

_BUILDSPEC, _NONE = "buildspec.yml", "none"
# What to choose where a provider's webhooks are made.
_AT_THE_PROVIDER = {
    "github": "Settings → Webhooks → Add webhook: this address, content type application/json, just the push event",
    "gitlab": "Settings → Webhooks → Add new webhook: this address, the secret as its secret token, push events",
    "bitbucket": "Repository settings → Webhooks → Add webhook: this address, the trigger Repository push",
}


def show_projects(context: typer.Context, *, stack: StackName = "signalbox", as_json: Json = False) -> None:
    """Show the projects of a stack: their pipelines, models and prefixes, and what waits for them."""
    if context.invoked_subcommand:
        return
    place = place_of(stack)
    projects = place.projects()
    if as_json:
        shown = [(one, place.models_of(one.project), _waiting(one, place)) for one in projects]
        print_json([{"project": one, "models": models, "waiting": waiting} for one, models, waiting in shown])
        return
    if not projects:
        console.print("no project is deployed: `signalbox deploy FOLDER` deploys one")
        return
    print_table(("project", "pipelines", "models", "uploads under", "waiting"), [_row(one, place) for one in projects])


def _row(project: Document, place: Place) -> list[str | Text]:
    pipelines = [one.name for one in project.pipelines.values()]
    prefixes = [f"{one.prefix}{'*' if one.suffix else ''}{one.suffix}" for one in project.uploads]
    cells = [", ".join(cell) or "-" for cell in (pipelines, place.models_of(project.project), prefixes)]
    return [project.project, *cells, f"{_waiting(project, place):,}"]


def _waiting(project: Document, place: Place) -> int:
    """Return how many uploads wait for a project's pipelines."""
    return sum(use.waiting(one.name, place) for one in project.pipelines.values())


def create(
    folder: Folder = Path(),
    *,
    stack: StackName = "signalbox",
    repository: Annotated[
        str,
        typer.Option(
            help="Where its code lies: codecommit; github:owner/name, gitlab:… or bitbucket:…, whose webhooks tell of "
            "pushes; none, where another service builds it. As it is, or codecommit, where nothing is given"
        ),
    ] = "",
    connection: Annotated[str, typer.Option(help="ARN of the connection of CodeConnections that may clone it")] = "",
    url: Annotated[str, typer.Option(help="Address that it is cloned from, where that is not the provider's")] = "",
    token_secret: Annotated[
        str,
        typer.Option(
            help="Name or ARN of the secret in Secrets Manager with a token of GitHub, GitLab or Bitbucket: it makes "
            "the repository where it is not there, its first commit, and its webhook"
        ),
    ] = "",
    experiments: Annotated[
        bool | None, typer.Option(help="Build other branches, too; else as branches.experiments says")
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Make the repository without a first commit")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Give a project its repository and builds: a push is built and deployed. Again after its models change."""
    project = reading.read(folder)
    place = place_of(stack)
    made = deploying.check(project, place, covered=False)
    elsewhere = _elsewhere(project.name, place, repository, connection, url)
    what = _what(elsewhere, token_secret, none=repository == _NONE)
    if not yes and not typer.confirm(f"Make {what} for the project {project.name} in the stack {stack}?"):
        raise OperateError("nothing was made")
    wishes = Wishes(repository != _NONE, experiments, empty, elsewhere)
    after = hosted.create(made, place, wishes, token_secret)
    for line in _next(project, place, after, by_hand=not token_secret):
        console.print(shown(line))


def _what(elsewhere: Elsewhere | None, token_secret: str, *, none: bool) -> str:
    """Return what is about to be made, in words."""
    if elsewhere is None:
        return "rights for builds" if none else "a repository, builds and rights"
    if token_secret:
        return f"the private repository {elsewhere.name} at {elsewhere.provider}, its webhook, builds and rights"
    return f"builds of {elsewhere.name}, a secret and rights"


def _elsewhere(project: str, place: Place, repository: str, connection: str, url: str) -> Elsewhere | None:
    """Return the repository elsewhere that is wished, or that the project has and nothing else is wished."""
    if repository:
        return None if repository in (CODECOMMIT, _NONE) else Elsewhere.named(repository, connection, url)
    known = creating.known_elsewhere(automation.of(project, place))
    return known and replace(known, connection=connection or known.connection, url=url or known.url)


def _elsewhere_next(project: Project, place: Place, made: Automation, *, by_hand: bool) -> list[str]:
    """Return what is next for a repository elsewhere, and what to do at its provider where that is done by hand."""
    main = made.parameters["Main"]
    if not by_hand:
        lines = [f"git clone {made.parameters['RepositoryUrl']}", f"a push to {main} is built and deployed"]
        if not made.parameters["ConnectionArn"]:
            lines.append("note: builds can clone it only where it is public: for a private one give --connection ARN")
        return lines
    secret = made.outputs["HookSecretName"]
    provider = made.parameters["Provider"]
    return [
        f"webhook: {hosted.hook_address(project.name, place)}",
        f"its secret: aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text",
        f"at {provider}, {made.parameters['RepositoryName']}: {_AT_THE_PROVIDER[provider]}",
        f"a push to {main} is built and deployed then",
    ]


def _next(project: Project, place: Place, made: Automation, *, by_hand: bool) -> list[str]:
    """Return what there is now, and what to do next."""
    if made.parameters.get("Repository") == creating.NONE:
        policies = [made.outputs[name] for name in ("DeployPolicyArn", "BranchesPolicyArn") if name in made.outputs]
        return [f"attach to the role of the service that builds it: {policy}" for policy in policies]
    if made.parameters.get("Provider", CODECOMMIT) != CODECOMMIT:
        lines = _elsewhere_next(project, place, made, by_hand=by_hand)
    else:
        main, url = made.parameters["Main"], creating.clone_url(project.name, place)
        lines = [f"git clone {url}", f"a push to {main} is built and deployed"]
    if not (project.folder / _BUILDSPEC).is_file():
        lines.append(f"note: there is no {_BUILDSPEC} in {project.folder}: builds fail without it")
    return lines


def remove(
    project: Annotated[str, typer.Argument(help="Name of the project")],
    *,
    stack: StackName = "signalbox",
    delete_endpoints: Annotated[
        bool, typer.Option("--delete-endpoints", help="Delete the endpoints that serve its models, too")
    ] = False,
    token_secret: Annotated[
        str, typer.Option(help="Secret with a token of GitHub, GitLab or Bitbucket: the webhook there is deleted, too")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Remove a project that is not in use: its builds, pipelines, roles, documents; code, images and data stay."""
    if not yes and not typer.confirm(f"Remove the project {project} from the stack {stack}?"):
        raise OperateError("nothing was removed")
    removing.remove(project, place_of(stack), endpoints=delete_endpoints, token_secret=token_secret)
