"""Small jobs for the tests of the local cloud: requests, contexts and containers made of a few lines."""

from __future__ import annotations

import io
import tarfile
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

from sagemaker_local.jobs.context import JobContext
from sagemaker_local.serving.server import ServerContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.sagemaker_local.support.fake_s3 import FakeS3

ROLE = "arn:aws:iam::000000000000:role/jobs"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
OWN = "000000000000.dkr.ecr.us-east-1.amazonaws.com/own:latest"
ENVIRONMENT = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "job", "AWS_SECRET_ACCESS_KEY": "job"}
ECHO = """
    import json, os, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, body, kind="text/csv"):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def do_GET(self):
            self.answer(*get(self.path))
        def do_POST(self):
            self.answer(*post(self.rfile.read(int(self.headers["Content-Length"])), self.headers))
        def log_message(self, *args):
            pass

    def get(path):
        return (200, b"") if path == "/ping" else (404, b"")

    def post(body, headers):
        return 200, body
"""
"""A server that gives back what it gets; lines added behind it may define `get` and `post` anew."""
_RUN = """
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def container(containers: Path, *, train: str = "", serve: str | None = None, name: str = "own") -> Path:
    """Write an image folder: the text of `train`, and an echo server with `serve` behind it. Returns `containers`."""
    folder = containers / name
    folder.mkdir(parents=True, exist_ok=True)
    executable(folder / "train", textwrap.dedent(train))
    if serve is not None:
        parts = (ECHO, serve, _RUN)
        executable(folder / "serve", "".join(textwrap.dedent(part) for part in parts))
    return containers


def program(containers: Path, text: str, *, kind: str = "serve") -> Path:
    """Write an image folder whose one program is `text`. Returns `containers`."""
    folder = containers / "own"
    folder.mkdir(parents=True, exist_ok=True)
    executable(folder / kind, textwrap.dedent(text))
    return containers


def executable(path: Path, text: str) -> None:
    """Write a Python program that can be executed."""
    path.write_text(f"#!/usr/bin/env python3\n{text}")
    path.chmod(0o755)


def job_context(
    folder: Path, s3: FakeS3, *, grace: float = 5.0, on_line: Callable[[str], None] | None = None
) -> JobContext:
    """Return the context of a job whose containers lie in `containers/` beside it."""
    return JobContext(folder / "job", s3.client, ENVIRONMENT, folder / "containers", grace, on_line)


def server_context(folder: Path, s3: FakeS3, *, timeout: float = 10.0, grace: float = 5.0) -> ServerContext:
    """Return the context of a model server whose containers lie in `containers/` beside it."""
    return ServerContext(folder / "server", s3.client, ENVIRONMENT, folder / "containers", ROLE, timeout, grace)


def training(**changes: Any) -> dict[str, Any]:
    """Return a CreateTrainingJob request of the own image, with `changes` on its top level."""
    return {
        "TrainingJobName": "job",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/job",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": OWN, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://out/jobs/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def transform(**changes: Any) -> dict[str, Any]:
    """Return a CreateTransformJob request of CSV lines; changes of its input and output are merged in."""
    given = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/test/"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    }
    wanted = {"S3OutputPath": "s3://out/run/", "Accept": "text/csv", "AssembleWith": "Line"}
    return {
        "TransformJobName": "job",
        "ModelName": "m",
        "TransformInput": {**given, **changes.pop("TransformInput", {})},
        "TransformOutput": {**wanted, **changes.pop("TransformOutput", {})},
        **changes,
    }


def channel(name: str, uri: str, content_type: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return one element of InputDataConfig."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    kind = {} if content_type is None else {"ContentType": content_type}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **kind, **changes}


def tar_gz(files: Mapping[str, bytes | str]) -> bytes:
    """Return a tar.gz of `files` by their names."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as tar:
        for name, content in files.items():
            body = content if isinstance(content, bytes) else textwrap.dedent(content).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return output.getvalue()


def untar(body: bytes) -> dict[str, bytes]:
    """Return the files in a tar.gz by their names."""
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        return {entry.name: stream.read() for entry in tar if (stream := tar.extractfile(entry)) is not None}


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `condition` holds; fail the test if it does not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.01)
