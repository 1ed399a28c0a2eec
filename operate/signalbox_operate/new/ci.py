"""The files that a project's CI reads: the same commands for each service, with credentials that last for one run."""

from collections.abc import Sequence
from pathlib import Path

from signalbox_operate.new import folders
from signalbox_operate.stack import OperateError

_TEXTS = Path(__file__).parent / "ci_files"
NONE = "none"
DEFAULT = ("codebuild",)
# Where each service looks for its file, and the text of that.
FILES = {
    "codebuild": ("buildspec.yml", "buildspec.yml"),
    "github": (".github/workflows/signalbox.yml", "github.yml"),
    "gitlab": (".gitlab-ci.yml", "gitlab.yml"),
    "bitbucket": ("bitbucket-pipelines.yml", "bitbucket.yml"),
    "jenkins": ("Jenkinsfile", "Jenkinsfile"),
}
SERVICES = ", ".join(FILES)


def chosen(named: Sequence[str]) -> tuple[str, ...]:
    """Return the services that were named; the default where none was, none for `none`.

    Raises:
        OperateError: one is not known, or `none` is named beside others.
    """
    if not named:
        return DEFAULT
    if set(named) == {NONE}:
        return ()
    unknown = next((one for one in named if one not in FILES), None)
    if unknown == NONE:
        raise OperateError(f"--ci {NONE} stands alone: leave out one or the other")
    if unknown is not None:
        raise _unknown(unknown)
    return tuple(dict.fromkeys(named))


def _unknown(service: str) -> OperateError:
    return OperateError(f"there is no CI file for {service!r}: name one of {SERVICES}")


def text(service: str) -> str:
    """Return the text of a service's file."""
    return (_TEXTS / FILES[service][1]).read_text(encoding="utf-8")


def rows(services: Sequence[str]) -> list[str]:
    """Return what a project's README says of these files: a table's rows."""
    return [f"| `{FILES[service][0]}` | checks, tests and deploys each push to `main` |" for service in services]


def write(folder: Path, services: Sequence[str]) -> None:
    """Write the files of these services into a project that is being made; one that its template brings stays."""
    wanted = {FILES[service][0]: text(service) for service in services}
    folders.write(folder, {name: written for name, written in wanted.items() if not (folder / name).exists()})


def add(folder: Path, service: str) -> Path:
    """Write the file of a service into a project's folder, and return where it is.

    Raises:
        OperateError: there is no such service, the file is there already, or it cannot be written.
    """
    if service not in FILES:
        raise _unknown(service)
    path = folder / FILES[service][0]
    if path.exists() or path.is_symlink():
        raise OperateError(f"{path} exists already: nothing was written; move it away, or add what it lacks by hand")
    try:
        folders.write(folder, {FILES[service][0]: text(service)})
    except OSError as error:
        raise OperateError(f"{path} cannot be written: {error.strerror or error}") from error
    return path
