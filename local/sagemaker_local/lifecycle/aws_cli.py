"""A small `aws` for lifecycle scripts on a machine that has none: four commands by boto3, all others refused."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# What the AWS Command Line Interface returns for a call that the service refused, and for a command it does not know.
_REFUSED, _UNKNOWN = 254, 252


class UnknownCommandError(Exception):
    """A command that is not here."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(
            f"aws: {' '.join(words)} is not here: this machine has no AWS command line, and the local cloud's stands "
            f"in for {', '.join(' '.join(name) for name in COMMANDS)} alone. Install the AWS command line."
        )


def _client(service: str) -> Any:
    import boto3  # noqa: PLC0415  # a refusal needs none

    return boto3.client(service)  # type: ignore[call-overload]  # the name is a variable here


def _get_object(words: Sequence[str]) -> Any:
    options = argparse.ArgumentParser(prog="aws s3api get-object")
    for name in ("bucket", "key"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--version-id")
    options.add_argument("--expected-bucket-owner")
    options.add_argument("outfile", type=Path)
    chosen = options.parse_args(words)
    optional = {"VersionId": chosen.version_id, "ExpectedBucketOwner": chosen.expected_bucket_owner}
    given = {name: value for name, value in optional.items() if value}
    answer = _client("s3").get_object(Bucket=chosen.bucket, Key=chosen.key, **given)
    with chosen.outfile.open("wb") as file:
        for chunk in answer.pop("Body").iter_chunks():
            file.write(chunk)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _copy(words: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="aws s3 cp")
    options.add_argument("source")
    options.add_argument("target")
    for name in ("--quiet", "--only-show-errors", "--no-progress"):
        options.add_argument(name, action="store_true")
    chosen = options.parse_args(words)
    source, target = urlsplit(chosen.source), urlsplit(chosen.target)
    if (source.scheme == "s3") == (target.scheme == "s3"):
        raise UnknownCommandError(["s3", "cp", "between two buckets or two files"])
    if source.scheme == "s3":
        key = source.path.lstrip("/")
        path = Path(chosen.target)
        _client("s3").download_file(source.netloc, key, str(path / Path(key).name if path.is_dir() else path))
    else:
        key = target.path.lstrip("/")
        named = f"{key}{Path(chosen.source).name}" if not key or key.endswith("/") else key
        _client("s3").upload_file(chosen.source, target.netloc, named)


def _list_tags(words: Sequence[str]) -> Any:
    options = argparse.ArgumentParser(prog="aws sagemaker list-tags")
    options.add_argument("--resource-arn", required=True)
    arn = options.parse_args(words).resource_arn
    pages = _client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=arn)
    return {"Tags": [tag for page in pages for tag in page["Tags"]]}


def _add_tags(words: Sequence[str]) -> Any:
    options = argparse.ArgumentParser(prog="aws sagemaker add-tags")
    options.add_argument("--resource-arn", required=True)
    options.add_argument("--tags", required=True, nargs="+", help="JSON, or Key=k,Value=v")
    chosen = options.parse_args(words)
    answer = _client("sagemaker").add_tags(ResourceArn=chosen.resource_arn, Tags=_tags(chosen.tags))
    return {"Tags": answer["Tags"]}


def _tags(words: Sequence[str]) -> Any:
    if words[0].lstrip().startswith(("[", "{")):
        given = [json.loads(word) for word in words]
        return given[0] if isinstance(given[0], list) else given
    return [dict(part.split("=", 1) for part in word.split(",", 1)) for word in words]


COMMANDS: dict[tuple[str, str], Callable[[Sequence[str]], Any]] = {
    ("s3api", "get-object"): _get_object,
    ("s3", "cp"): _copy,
    ("sagemaker", "list-tags"): _list_tags,
    ("sagemaker", "add-tags"): _add_tags,
}


def _command(words: Sequence[str]) -> Callable[[Sequence[str]], Any]:
    found = next((command for name, command in COMMANDS.items() if name == tuple(words[:2])), None)
    if found is None:
        raise UnknownCommandError(words[:2])
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words of a command line say, and print its answer as JSON; return the exit status."""
    words = sys.argv[1:] if words is None else words
    try:
        answer = _command(words)(words[2:])
    except UnknownCommandError as error:
        sys.stderr.write(f"{error}\n")
        return _UNKNOWN
    except Exception as error:  # noqa: BLE001  # whatever boto3 raises is told, as AWS's command line does
        sys.stderr.write(f"\n{error}\n")
        return _REFUSED
    if answer is not None:
        sys.stdout.write(f"{json.dumps(answer, indent=4, default=str)}\n")
    return 0
