"""Grants: what people let the builds of a project claim for it, held against what its documents claim.

    {"prefixes": ["incoming/wine/"], "models": ["wine"]}

It is the SSM parameter that `names.grant_parameter` names. `signalbox projects create` writes it, and no build may. A
build may write the document of its project and those of the models in the grant, and no others (`cicd/project.yaml`).
So a document without a grant was written by a person, and is believed; one with a grant claims what is in the grant,
and nothing else.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from signalbox.model_documents import ModelDocument, ProjectDocumentError
from signalbox.names import bucket_and_key
from signalbox.project_documents import Project
from signalbox.reading import Fields

# A stack whose template is as before does not write again what somebody wrote over.
_MENDED = (
    "put the version of the parameter before it back, `aws ssm get-parameter-history` shows them and who wrote them"
)


class Grant(NamedTuple):
    """The upload prefixes that a project's document may claim, and the models whose documents are the project's."""

    prefixes: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()


def parse(found: Iterable[tuple[str, str]]) -> dict[str, Grant]:
    """Return the grants of a stack by their projects, from the texts of their parameters.

    One that cannot be read stops all: to go on without it would be to believe what builds write. Fields of later
    versions are left alone.

    Raises:
        ProjectDocumentError: one is not JSON, or one of its lists is none of texts.
    """
    return {project: _parse(project, text) for project, text in found}


def refused(project: Project, grants: Mapping[str, Grant]) -> tuple[str, ...]:
    """Return the prefixes that a project claims and has no grant for; none where it has no grant at all."""
    grant = grants.get(project.project)
    return tuple(each.prefix for each in project.uploads if grant and each.prefix not in grant.prefixes)


def within(project: Project, grants: Mapping[str, Grant]) -> Project:
    """Return a project without the uploads that it has no grant for."""
    lost = refused(project, grants)
    return project._replace(uploads=tuple(each for each in project.uploads if each.prefix not in lost))


def holder(model: str, grants: Mapping[str, Grant]) -> str | None:
    """Return the project that has a model in its grant, the first by name; None where none has."""
    return next((project for project, grant in sorted(grants.items()) if model in grant.models), None)


def check_model(prefix: str, document: ModelDocument, grants: Mapping[str, Grant]) -> None:
    """Refuse a model's document that builds may write and that names another project, its roles or its places.

    Raises:
        ProjectDocumentError: the message names the field, whose the model is, and what to do.
    """
    owner = holder(document.model, grants)
    if owner is None:
        return
    if document.project != owner:
        raise _foreign("project", document.project, document.model, owner)
    for kind, role in document.roles._asdict().items():
        if not re.match(rf"arn:[^:]+:iam::\d+:role/{re.escape(f'{prefix}/projects/{owner}/')}", role):
            raise _foreign(f"roles.{kind}", role, document.model, owner)
    for field, uri in _read(document):
        if not bucket_and_key(uri)[1].startswith((f"code/{owner}/", f"models/{document.model}/")):
            raise _foreign(field, uri, document.model, owner)


def _read(document: ModelDocument) -> Iterator[tuple[str, str]]:
    """Yield the places that functions read by their own rights, because a model's document names them."""
    if document.test.golden:
        yield "test.golden", document.test.golden
    if document.training:
        yield from ((f"training.channels.{name}", uri) for name, uri in document.training.channels.items())


def _foreign(field: str, value: str, model: str, owner: str) -> ProjectDocumentError:
    return ProjectDocumentError(
        f"{field} of the model {model} is {value!r}, but the model is granted to the project {owner!r}, whose that is "
        f"not: {_MENDED}"
    )


def _parse(project: str, text: str) -> Grant:
    def refuse(problem: str) -> ProjectDocumentError:
        return ProjectDocumentError(f"grant of the project {project}: {problem}: {_MENDED}")

    try:
        value = json.loads(text)
    except ValueError as error:
        raise refuse(f"the text is not JSON ({error})") from None
    fields = Fields(value, refuse)
    return Grant(frozenset(fields.texts("prefixes")), frozenset(fields.texts("models")))
