"""A service of multi-model-server: multiplies by the number that the model's file holds."""

import pathlib
from typing import Any

_FACTOR = 0.0


def handle(data: list[dict[str, Any]] | None, context: Any) -> list[str] | None:
    """Load the model at the first call, then answer each request."""
    global _FACTOR  # noqa: PLW0603  # how the server's examples keep a model
    if not _FACTOR:
        folder = pathlib.Path(context.system_properties["model_dir"])
        _FACTOR = float((folder / "factor.txt").read_text())
    if data is None:
        return None
    return [str(_FACTOR * float(bytes(one["body"]).decode())) for one in data]
