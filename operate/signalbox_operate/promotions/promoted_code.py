"""The code that a definition names: read from the source by its digest, and verified before anything is written."""

import re
from collections.abc import Mapping

from signalbox_operate.pipelines.form import Json
from signalbox_operate.projects import code, definitions
from signalbox_operate.projects.place import Place
from signalbox_operate.stack import OperateError

type Files = Mapping[str, bytes]


def read(definition: Json, project: str, place: Place) -> dict[str, Files]:
    """Return the files of a project's code that a definition names, by their digests.

    Raises:
        OperateError: they are not there, or not what their digest says.
    """
    named = re.compile(rf"(?<![A-Za-z0-9_-])code/{re.escape(project)}/([0-9a-f]{{16}})(?![0-9a-z])")
    digests = {digest for text in definitions.texts(definition) for digest in named.findall(text)}
    return {digest: _files(f"code/{project}/{digest}/code/", digest, place) for digest in sorted(digests)}


def _files(prefix: str, digest: str, place: Place) -> Files:
    bucket, s3 = place.stack.output("ArtifactsBucket"), place.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    files = {
        key.removeprefix(prefix): bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        for key in keys
        if not key.endswith("/")
    }
    if code.digest(files) != digest:
        raise OperateError(
            f"the code in s3://{bucket}/{prefix} is not what ran: its digest is {code.digest(files)}; deploy "
            "the project again at that commit, and it is written anew"
        )
    return files
