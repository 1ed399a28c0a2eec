"""What a request's body holds, read strictly: Python's JSON takes more than JSON is."""

import json
from typing import Any, NoReturn

from sagemaker_local.core.errors import ApiError

REST_MODELS = ["sagemaker-runtime", "sagemaker-featurestore-runtime"]
"""botocore's models of the APIs that are asked by path; the third, SageMaker's own, is asked by JSON."""


def parsed(body: bytes) -> Any:
    """Return the JSON document of a body; an empty one is a request without members.

    Raises:
        ApiError: SerializationException: it is no JSON, is nested too deep, or holds half a character.
    """
    try:
        document = json.loads(body or b"{}", parse_constant=_no_number)
        if b"\\u" in body:
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ApiError("SerializationException", "The request is nested too deep.") from error
    except ValueError as error:
        raise ApiError("SerializationException", f"The request is not JSON: {error}.") from error
    return document


def members(body: bytes) -> dict[str, Any]:
    """Return the members of a body; none where it is no JSON object: whoever answers it says so."""
    try:
        document = parsed(body)
    except ApiError:
        return {}
    return document if isinstance(document, dict) else {}


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
