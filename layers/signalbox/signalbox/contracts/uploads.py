"""The upload journey: what is kept about a run beside its manifest."""

from typing import NotRequired, TypedDict


class RunUploaders(TypedDict):
    """Who uploaded the files of a run: the first of `count` names, and how many files nobody is known to have uploaded.

    Kept as JSON under the manifest's name with `.uploaders.json` for `.json`; absent where nobody is known.
    """

    names: list[str]
    count: int
    unknown: int


class RunFile(TypedDict):
    """A file of a run: its place under the manifest's prefix, its key, its version, and since when S3 has that."""

    file: str
    name: str
    version: str
    uploaded: str


class RunVersions(TypedDict):
    """The files of a run, as the job that makes features reads them: kept beside its manifest (`uploads.versions`)."""

    files: list[RunFile]


class FileFault(TypedDict):
    """What is wrong with a file: a sentence's end, and the line, counted from 1, where it is of one."""

    line: NotRequired[int]
    reason: str


class QuarantinedFile(TypedDict):
    """A file of a run that is not used: its key, `bad`, `empty`, `ignored`, `missing` or `rows`, and its first faults.

    `more` counts the lines with faults that are not listed.
    """

    file: str
    kind: str
    faults: list[FileFault]
    more: int


class Quarantine(TypedDict):
    """The files of a run that are not used; `more` counts those that are not listed.

    `features` says for people what became of the run's features; a run without has none.
    """

    files: list[QuarantinedFile]
    more: int
    features: NotRequired[str]
