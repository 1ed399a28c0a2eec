"""Files that are there as a whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def written(file: Path) -> Iterator[TextIO]:
    """Give a file to write CSV into, which takes the place of `file` in the end; what fails leaves that as it was.

    Raises:
        OSError: it cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as content:
            yield content
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
