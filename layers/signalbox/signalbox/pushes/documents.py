"""The documents of the journey of a push, each an SSM parameter.

How a project is built, which its automation's stack writes (`names.automation_parameter`):

    {"project": "wine", "repository": {"provider": "codecommit", "name": "signalbox-wine"}, "main": "main",
     "build": "signalbox-wine", "branches": "signalbox-wine--branches"}

The repository of another provider has the name that the provider knows it by: {"provider": "github", "name":
"acme/wine"}.

What its main branch has published, which `signalbox deploy --commit` writes last (`names.published_parameter`): for
each pipeline the commit that changed its definition last, and for each model that a container trains its image.

    {"commit": "3e5983…", "by": "arn:aws:sts::…",
     "pipelines": {"train": {"commit": "3e5983…", "digest": "0f3a…", "number": 7}},
     "images": {"bottles": {"image": "…/signalbox/wine:bottles-…", "commit": "3e5983…"}}}

What another branch has made, which its build writes down before (`names.experiment_parameter`):

    {"branch": "feature/more-trees", "commit": "3e5983…", "pipelines": {"train": "signalbox-wine--train--…"},
     "groups": {"wine": "signalbox-wine--…"}}
"""

import json
from collections.abc import Iterable

from signalbox.observability import count, logger
from signalbox.pushes.model import (
    BITBUCKET,
    CODECOMMIT,
    GITHUB,
    GITLAB,
    Automation,
    BranchNote,
    Changed,
    Published,
    TrainedImage,
)
from signalbox.reading import Fields

PROVIDERS = (CODECOMMIT, GITHUB, GITLAB, BITBUCKET, "none")


class PushDocumentError(Exception):
    """A document of this journey cannot be used; the message names the field."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}: run `signalbox projects create`, or `signalbox deploy`, which write it anew")


def parse_automation(text: str) -> Automation:
    """Return how a project is built.

    Raises:
        PushDocumentError: the text is not JSON, or a field is missing, unknown or wrong.
    """
    fields = _fields(text, ("project", "repository", "main", "build", "branches"))
    repository = fields.object("repository", ("provider", "name"))
    return Automation(
        project=fields.text("project"),
        provider=repository.choice("provider", PROVIDERS),
        repository=repository.text("name"),
        main=fields.text("main"),
        build=fields.text("build"),
        branches=fields.optional("branches"),
    )


def parse_published(text: str) -> Published:
    """Return what a project's main branch has published.

    Raises:
        PushDocumentError: the text is not JSON, or a field is missing, unknown or wrong.
    """
    fields = _fields(text, ("commit", "by", "pipelines", "images"))
    images = (
        TrainedImage(model, one.text("image"), one.text("commit"))
        for model, one in fields.members("images", ("image", "commit"))
    )
    return Published(
        commit=fields.text("commit"),
        by=fields.text("by"),
        pipelines={
            key: Changed(one.text("commit"), one.text("digest"), one.whole("number"))
            for key, one in fields.members("pipelines", ("commit", "digest", "number"))
        },
        images=tuple(images),
    )


def to_json(published: Published) -> str:
    """Return the text that `parse_published` reads back."""
    images = {one.model: {"image": one.image, "commit": one.commit} for one in published.images}
    pipelines = {key: one._asdict() for key, one in published.pipelines.items()}
    return json.dumps({"commit": published.commit, "by": published.by, "pipelines": pipelines, "images": images})


def parse_note(text: str) -> BranchNote:
    """Return what a branch has made.

    Raises:
        PushDocumentError: the text is not JSON, or a field is missing, unknown or wrong.
    """
    fields = _fields(text, ("branch", "commit", "pipelines", "groups"))
    pipelines, groups = fields.pairs("pipelines"), fields.pairs("groups")
    return BranchNote(fields.text("branch"), fields.text("commit"), pipelines, groups)


def readable(found: Iterable[tuple[str, str]]) -> list[Automation]:
    """Return the automations in documents that were found by their projects, without those that cannot be used."""
    known = []
    for project, text in found:
        try:
            automation = parse_automation(text)
        except PushDocumentError as error:
            logger.error("automation not understood", extra={"project": project, "reason": str(error)})
            count("AutomationNotUnderstood")
            continue
        if automation.project == project:  # no document speaks for another project
            known.append(automation)
    return known


def _fields(text: str, known: tuple[str, ...]) -> Fields:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise PushDocumentError(f"the document is not JSON ({error})") from None
    return Fields(value, PushDocumentError, known=known)
