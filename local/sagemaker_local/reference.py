"""`python -m sagemaker_local.reference`: the tables of the README's reference, made from the code.

A test compares them with the README: whoever adds an operation, or refuses a member, prints them anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sagemaker_local.codebuild import buildspec
from sagemaker_local.codebuild.builds import Builds
from sagemaker_local.codebuild.git import codecommit
from sagemaker_local.codebuild.members import KEPT as KEPT_OF_BUILDS
from sagemaker_local.codebuild.members import REFUSED as NOT_BUILT
from sagemaker_local.codebuild.projects import Projects
from sagemaker_local.codebuild.service import handlers_of
from sagemaker_local.codecommit import commit_calls, file_calls, receive
from sagemaker_local.codecommit.handlers import put_together as codecommit_handlers
from sagemaker_local.codecommit.repositories import Repositories, Surroundings
from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.members import KEPT, REFUSED
from sagemaker_local.core.roles import MOST_TAGS
from sagemaker_local.core.shapes import service_model
from sagemaker_local.docker import dockerfile
from sagemaker_local.docker.program import COMMANDS
from sagemaker_local.jobs.limits import LONGEST
from sagemaker_local.jobs.records import MOST_MEGABYTES
from sagemaker_local.jobs.training import DEFAULT_LIMIT
from sagemaker_local.pipelines.definition import MOST_BYTES as MOST_DEFINITION
from sagemaker_local.pipelines.definition import MOST_STEPS, REFUSED_STEP_TYPES, STEP_TYPES
from sagemaker_local.pipelines.parameters import MOST_PARAMETERS
from sagemaker_local.pipelines.settings import PipelineSettings
from sagemaker_local.sagemaker.invocations import MOST_BYTES
from sagemaker_local.sagemaker.parts import put_together
from sagemaker_local.serving.server import INVOCATION_TIMEOUT

_SERVICES = ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "codebuild", "codecommit")
# What serves, and what stands for it here.
_HOSTING = (
    ("real-time, on instances", "honoured: a process for each variant"),
    ("serverless", "honoured as one on an instance; its concurrency is shown and limits nothing"),
    ("asynchronous", "honoured"),
    ("several models in one container", "honoured"),
    ("shadow variants", "honoured"),
    (
        "inference pipelines of several containers",
        "honoured: each container is asked with the answer of the one before",
    ),
    ("inference components", "refused: each variant needs a ModelName"),
    ("batch transform", "honoured, for models of which each container has one model"),
)


def reference() -> str:
    """Return the tables as Markdown."""
    return "\n".join(line for part in _parts() for line in part)


def _parts() -> Iterator[Iterator[str]]:
    yield from (_operations(), _members(), _builds(), _steps(), _hosting(), _limits())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _operations() -> Iterator[str]:
    nothing: Any = None  # nobody is asked: the names alone are wanted
    cloud = Cloud("", "", "", Path(), Path(), nothing, nothing, nothing)
    projects = Projects(cloud)
    repositories = Repositories(Surroundings("", "", Path(), nothing, nothing))
    known = put_together(cloud).handlers
    answered = {
        **dict.fromkeys(_SERVICES, known),
        "codebuild": handlers_of(projects, Builds(cloud, projects, codecommit)),
        "codecommit": codecommit_handlers(repositories),
    }
    rows = []
    for service in _SERVICES:
        there = service_model(service).operation_names
        names = sorted(answered[service].keys() & set(there))
        rows.append((f"`{service}`", f"{len(names)} of {len(there)}", ", ".join(names)))
    return _table(("API", "answered", "operations; all others are refused with `UnknownOperationException`"), rows)


def _members() -> Iterator[str]:
    rows = [(f"`{path}`", "refused by name", instead) for path, instead in REFUSED.items()]
    rows += [(f"`{path}`", "kept and shown, no effect here", "") for path in KEPT]
    yield "`*` stands for any number of operations and members, a member for all that is below it; `=` names a value."
    yield "Members that are in no row do what they do on AWS."
    yield ""
    yield from _table(("member", "what becomes of it", "instead"), rows)
    rows = [(f"`{path}`", "refused by name", instead) for path, instead in NOT_BUILT.items()]
    rows += [(f"`{path}`", "kept and shown, no effect here", "") for path in KEPT_OF_BUILDS]
    yield from _table(("member of CodeBuild's requests", "what becomes of it", "instead"), rows)


def _builds() -> Iterator[str]:
    def named(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in names)

    keys = [
        ("honoured", named(buildspec.HONOURED)),
        ("kept without effect", named(buildspec.WITHOUT_EFFECT)),
        ("refused by name", named(buildspec.NOT_HERE)),
    ]
    yield from _table(("buildspec of version 0.2", "keys"), keys)
    rows = [("honoured", named(dockerfile.HONOURED)), ("refused by name", named(dockerfile.REFUSED))]
    yield from _table(("Dockerfile", "instructions"), rows)
    yield from _table(("docker", "commands"), [("honoured", named(sorted({*COMMANDS})))])


def _steps() -> Iterator[str]:
    rows = [("honoured", ", ".join(sorted(STEP_TYPES))), ("refused by name", ", ".join(sorted(REFUSED_STEP_TYPES)))]
    return _table(("pipeline steps", "types"), rows)


def _hosting() -> Iterator[str]:
    return _table(("hosting", "what becomes of it"), _HOSTING)


def _limits() -> Iterator[str]:
    settings = PipelineSettings()
    limits = {
        "pipelines": settings.pipelines,
        "executions of pipelines at once": settings.concurrent_executions,
        "steps, and parameters, of a pipeline": f"{MOST_STEPS}, {MOST_PARAMETERS}",
        "bytes of a pipeline's definition": f"{MOST_DEFINITION:,}",
        "tags of a resource": MOST_TAGS,
        "seconds of a training or processing job": f"{LONGEST:,}; where nothing is said, {DEFAULT_LIMIT:,}",
        "MB of the requests of a transform at once": MOST_MEGABYTES,
        "seconds, and bytes, of an endpoint's answer": f"{INVOCATION_TIMEOUT:g}, {MOST_BYTES:,}",
        "files, and bytes, of a commit by CodeCommit's API": f"{commit_calls.MOST_FILES}, {commit_calls.MOST_BYTES:,}",
        "bytes of a file, and of a folder, in such a commit": f"{file_calls.LARGEST:,}",
        "references of a push": f"{receive.MOST_REFERENCES:,}",
    }
    return _table(("limit that is held", "value"), [(name, str(value)) for name, value in limits.items()])


if __name__ == "__main__":
    print(reference())  # noqa: T201  # this is what it is for
