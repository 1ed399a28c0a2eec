"""A small `aws`, so that tests run the documents' commands as they are written: one call of botocore for each.

    python -m tests.support.aws_cli sqs send-message --queue-url … --message-body file://event.json

Known are options with values, `file://` and `fileb://`, `--query`, and a file for the answer's payload.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath
from botocore import xform_name
from botocore.session import get_session


def main(service: str, operation: str, *words: str) -> None:
    """Make the call and print its answer, or what `--query` selects of it, as JSON."""
    members = _members(service, operation)
    given, query, file = {}, "@", None
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            file = Path(word)
            continue
        name, value = word.removeprefix("--"), next(rest)
        if name == "query":
            query = value
        else:
            member, kind = members[name]
            given[member] = _value(value, kind)
    answer = getattr(boto3.client(service), operation.replace("-", "_"))(**given)  # type: ignore[call-overload]
    answer.pop("ResponseMetadata")
    if file is not None:
        file.write_bytes(answer.pop("Payload").read())
    print(json.dumps(jmespath.search(query, answer), default=str))  # noqa: T201  # it is a program


def _members(service: str, operation: str) -> dict[str, tuple[str, str]]:
    """Return the members of an operation's input and their types, by their options."""
    model = get_session().get_service_model(service)
    wanted = next(name for name in model.operation_names if xform_name(name, "-") == operation)
    shape: Any = model.operation_model(wanted).input_shape
    return {xform_name(name, "-"): (name, member.type_name) for name, member in shape.members.items()}


def _value(text: str, kind: str) -> Any:
    if text.startswith("fileb://"):
        return Path(text.removeprefix("fileb://")).read_bytes()
    if text.startswith("file://"):
        return Path(text.removeprefix("file://")).read_text(encoding="utf-8")
    return int(text) if kind == "integer" else [text] if kind == "list" else text


if __name__ == "__main__":
    main(*sys.argv[1:])
