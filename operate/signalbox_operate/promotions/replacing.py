"""What the source's stack calls its own is called as the target's does; every other byte of a definition stays.

What differs is known: the places and names that a definition is told when it is made (`projects.target.words`), the
tags of the project, and the registry of AWS's images. What is left of the source after that is refused by its place.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signalbox_operate.pipelines import images
from signalbox_operate.pipelines.form import Json
from signalbox_operate.projects.model import ProjectError, dotted
from signalbox_operate.promotions import defaults
from signalbox_operate.promotions.model import Deployed, Difference, Replacement

_STEPS = {"Steps", "IfSteps", "ElseSteps"}
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[\w./:@-]+")
_REPLACED = "\0"  # stands for what is the target's by now: no text of a definition has it

type _Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Replaced:
    """A definition for the target, what was put in the place of what, and what is worth knowing."""

    definition: Json
    replacements: tuple[Replacement, ...]
    notes: tuple[str, ...]


def differences(source: Deployed, target: Deployed) -> list[Difference]:
    """Return what the two stacks call differently, the longest first."""
    one, other = source.target, target.target
    found = [
        Difference("job role", one.job_role_arn, other.job_role_arn),
        Difference("key", one.key_arn, other.key_arn),
        Difference("data bucket", one.data_bucket, other.data_bucket),
        Difference("artifacts bucket", one.artifacts_bucket, other.artifacts_bucket),
        Difference("project's id", source.document.id, target.document.id),
        Difference("registry of AWS's images", _registry(one.region), _registry(other.region)),
        Difference("region", one.region, other.region),
    ]
    for key, pipeline in source.document.pipelines.items():
        if key in target.document.pipelines:
            found.append(Difference(f"pipeline {key}", pipeline.name, target.document.pipelines[key].name))
    found += [Difference(f"package group of {name}", one.group(name), other.group(name)) for name in _models(source)]
    differing = [each for each in found if each.before and each.after and each.before != each.after]
    return sorted(differing, key=lambda each: len(each.before), reverse=True)


def _models(deployed: Deployed) -> Iterator[str]:
    return (model for pipeline in deployed.document.pipelines.values() for model in pipeline.models)


def _registry(region: str) -> str:
    """Return where AWS keeps its images for a region; "" where that is not known."""
    try:
        return images.uri(images.XGBOOST, region).partition("/")[0]
    except images.UnknownRegionError:
        return ""


def replace(definition: Json, values: Mapping[str, str], source: Deployed, target: Deployed) -> Replaced:
    """Return a definition as the target has it, with other defaults for its parameters where `values` has some.

    Raises:
        ProjectError: a parameter of `values` is not there, or something of the source is left; a line for each.
    """
    known = differences(source, target)
    walk = _Walk(known, _foreign(source, target), _tags(source, target), _accounts(target), values)
    made = walk.changed(defaults.put(definition, values))
    if walk.left:
        raise ProjectError(walk.left)
    replacements = (Replacement(each.what, each.before, each.after, count) for each, count in walk.found.items())
    return Replaced(made, tuple(replacements), tuple(dict.fromkeys(walk.notes)))


def _foreign(source: Deployed, target: Deployed) -> dict[str, re.Pattern[str]]:
    """Return what nothing of the target may name, where it is not the target's too."""
    one, other = source.side, target.side
    key = source.target.key_arn.rpartition("/")[2]
    found = {f"the key {key}": re.compile(re.escape(key))} if source.target.key_arn != target.target.key_arn else {}
    if one.account != other.account:
        found[f"the account {one.account}"] = re.compile(rf"(?<!\d){one.account}(?!\d)")
    if one.place.prefix != other.place.prefix:
        prefix = one.place.prefix
        found[f"a name of {prefix}"] = re.compile(rf"(?<![A-Za-z0-9_-]){re.escape(prefix)}(?=[-/])")
    return found


def _tags(source: Deployed, target: Deployed) -> list[Difference]:
    """Return the project's own tags that have other values in the target; `before` is the source's value of `what`."""
    there = target.document.tags
    return [
        Difference(key, value, there[key])
        for key, value in source.document.tags.items()
        if there.get(key, value) != value
    ]


def _accounts(target: Deployed) -> set[str]:
    """Return the accounts whose images the target's stack lets its projects use."""
    named = target.side.place.stack.parameters.get("ImageAccounts", "").split(",")
    return {target.side.account, *filter(None, named)}


class _Walk:
    """Goes through a definition: `found` counts what was replaced, `left` says what is the source's still."""

    def __init__(
        self,
        known: list[Difference],
        foreign: Mapping[str, re.Pattern[str]],
        tags: list[Difference],
        accounts: set[str],
        given: Iterable[str],
    ) -> None:
        self._known = {each.before: each for each in known}
        self._tags = {(each.what, each.before): each for each in tags}
        self._foreign, self._accounts = foreign, accounts
        self._given = {f"parameter {name}" for name in given}
        # Not a part of a longer name: `signalbox-data` is not in `signalbox-data-raw`.
        either = "|".join(re.escape(each.before) for each in known)
        self._pattern = re.compile(rf"(?<![A-Za-z0-9_-])(?:{either})(?![A-Za-z0-9_-])") if known else None
        self.found: Counter[Difference] = Counter()
        self.left: list[str] = []
        self.notes: list[str] = []

    def changed(self, value: Any, owner: str = "the definition", path: _Path = ()) -> Any:
        """Return a value with every text in it as the target has it; names of fields stay."""
        if isinstance(value, str):
            return value if owner in self._given and path == ("DefaultValue",) else self._text(value, owner, path)
        if isinstance(value, dict) and path[-2:-1] == ("Tags",) and (tag := self._tag(value)):
            return tag
        if isinstance(value, dict):
            return {key: self.changed(item, owner, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.changed(item, *_owner(item, number, owner, path)) for number, item in enumerate(value)]
        return value

    def _tag(self, value: Json) -> Json | None:
        """Return a tag of the project's own as the target has it; None for any other."""
        known = self._tags.get((str(value.get("Key")), str(value.get("Value"))))
        if known is None:
            return None
        self.found[Difference(f"tag {known.what}", known.before, known.after)] += 1
        return {**value, "Value": known.after}

    def _text(self, text: str, owner: str, path: _Path) -> str:
        for image in _IMAGE.finditer(text):
            if image[1] in self._accounts and any(one.search(image[0]) for one in self._foreign.values()):
                there = self._replaced(image[0], lambda match: self._known[match[0]].after)
                self.notes.append(f"{owner} runs the image {there}, which is not copied and has to be there")
        bare = _IMAGE.sub(lambda image: "" if image[1] in self._accounts else image[0], text)
        bare = self._replaced(bare, lambda _: _REPLACED)
        for what, pattern in self._foreign.items():
            if pattern.search(bare):
                self.left.append(f"{owner}, {dotted(path)}: {text!r} has {what}, which the target has not: {_WAY_OUT}")
                break
        return self._replaced(text, self._counted)

    def _replaced(self, text: str, put: Callable[[re.Match[str]], str]) -> str:
        return self._pattern.sub(put, text) if self._pattern else text

    def _counted(self, match: re.Match[str]) -> str:
        known = self._known[match[0]]
        self.found[known] += 1
        return known.after


_WAY_OUT = (
    "let the definition take it from what it is told (SIGNALBOX_…, or a word such as {data}), or make it a parameter "
    "and give that with --set; an image's account may be named in the target's ImageAccounts"
)


def _owner(item: Any, number: int, owner: str, path: _Path) -> tuple[str, _Path]:
    """Return whose an item of a list is: a step or parameter has a name of its own."""
    name = item.get("Name") if isinstance(item, dict) else None
    if name and path and path[-1] in _STEPS:
        return f"step {name}", ()
    if name and path == ("Parameters",):
        return f"parameter {name}", ()
    return owner, (*path, number)
