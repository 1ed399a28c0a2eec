"""The upload journey: what is kept about a run beside its manifest."""

from typing import TypedDict


class RunUploaders(TypedDict):
    """Who uploaded the files of a run: the first of `count` names, and how many files nobody is known to have uploaded.

    Kept as JSON under the manifest's name with `.uploaders.json` for `.json`; absent where nobody is known.
    """

    names: list[str]
    count: int
    unknown: int
