"""The worker of notebook instances beside `aws s3 sync`, on one local cloud: time, requests, memory.

A snapshot keeps modes, times and links, and is verified, which a sync does not; both move the same bytes. Each tree is
saved twice: the second time little has changed.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from sagemaker_local.notebooks import leave_behind
from sagemaker_local.process import Options
from signalbox_local.project import ROOT, ProjectCloud, program_environment
from signalbox_operate.notebooks.worker_file import worker_file
from tests.bench.figures import BenchError

SMALL, LARGE, MANY = "20,000 small files", "1 GB in 8 files", "1,000,000 tiny files"
_BUCKET, _NAME = "bench-snapshots", "nb"
_CHANGED = 20  # files, between the first snapshot and the second
_ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sagemaker:ListTags", "sagemaker:AddTags"], "Resource": "*"}],
}
# At its end the worker says what it held at most.
_WORKER = """
import re, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    held = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
    sys.stderr.write("\\n%d" % held)
"""


@dataclass(frozen=True)
class Saved:
    """What one saving of a tree took: seconds, requests that IAM decided, and the most bytes held, 0 if not known."""

    seconds: float
    requests: int
    held: int = 0


@dataclass(frozen=True)
class SavedTree:
    """A tree, saved for the first and for the second time: by the worker, and by `aws s3 sync`, None if left out."""

    tree: str
    worker: tuple[Saved, Saved]
    sync: tuple[Saved, Saved] | None


def measure(folder: Path, say: Callable[[str], None]) -> list[SavedTree]:
    """Return a figure for each tree; the million is saved by the worker alone, for its memory.

    Raises:
        BenchError: a program failed.
    """
    folder.mkdir(parents=True)
    with ProjectCloud(Options(folder / "cloud", ROOT / "projects")) as cloud:
        desk = _Desk(cloud, folder)
        trees: list[tuple[str, Callable[[Path], None]]] = [(SMALL, _small), (LARGE, _large), (MANY, _many)]
        return [desk.saved(tree, make, say) for tree, make in trees]


class _Desk:
    def __init__(self, cloud: ProjectCloud, folder: Path) -> None:
        self._cloud, self._folder = cloud, folder
        self._session = boto3.session.Session(
            aws_access_key_id=cloud.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=cloud.environment["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        self._client("s3").create_bucket(Bucket=_BUCKET)
        role = f"arn:aws:iam::{self._client('sts').get_caller_identity()['Account']}:role/notebooks"
        request = {"NotebookInstanceName": _NAME, "InstanceType": "ml.t3.medium", "RoleArn": role}
        leave_behind(folder / "cloud", request)
        sagemaker = self._client("sagemaker")
        self._arn = sagemaker.describe_notebook_instance(NotebookInstanceName=_NAME)["NotebookInstanceArn"]
        self._tags: Callable[..., Any] = sagemaker.add_tags
        (folder / "worker.pyz").write_bytes(worker_file())
        (folder / "metadata.json").write_text(json.dumps({"ResourceArn": self._arn, "ResourceName": _NAME}))

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._cloud.environment["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]

    def saved(self, tree: str, make: Callable[[Path], None], say: Callable[[str], None]) -> SavedTree:
        say(f"{tree} are written")
        home = self._folder / str(len(tree))
        home.mkdir()
        make(home)
        place = f"bench/{len(tree)}"
        tags = {"ebs-backup-bucket": _BUCKET, "snapshot-prefix": place}
        self._tags(ResourceArn=self._arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        worker, sync = list[Saved](), list[Saved]()
        for turn in ("first", "second"):
            say(f"{tree}, {turn} snapshot")
            worker.append(self._run(self._worker(home), "worker"))
            if tree != MANY:
                say(f"{tree}, {turn} sync")
                sync.append(self._run(_sync(home, place), "sync"))
            _change(home)
        both = (sync[0], sync[1]) if sync else None
        return SavedTree(tree, (worker[0], worker[1]), both)

    def _worker(self, home: Path) -> Sequence[str]:
        places = ("--metadata", str(self._folder / "metadata.json"), "--home", str(home))
        program = str(self._folder / "worker.pyz")
        return (sys.executable, "-c", _WORKER, program, "backup", *places, "--work", str(self._folder / "work"))

    def _run(self, command: Sequence[str], who: str) -> Saved:
        """Run a program as a user of its own, by whom its requests are known."""
        keys, before = self._user(who), self._requests(who)
        environment = program_environment(self._cloud.environment) | keys | {"AWS_REGION": "us-east-1"}
        begun = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begun
        if done.returncode:
            raise BenchError(f"{who} ended with {done.returncode}: {done.stderr[-800:]}")
        held = done.stderr.rpartition("\n")[2]
        return Saved(seconds, self._requests(who) - before, int(held) if held.isdigit() else 0)

    def _user(self, name: str) -> dict[str, str]:
        iam = self._client("iam")
        if name not in {one["UserName"] for one in iam.list_users()["Users"]}:
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(_ALLOWED))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def _requests(self, name: str) -> int:
        return sum(call["principal"].endswith(f":user/{name}") for call in self._cloud.calls())


def _sync(home: Path, place: str) -> Sequence[str]:
    aws = shutil.which("aws")
    if aws is None:
        raise BenchError("there is no `aws` to compare with: `make bench` installs it")
    return (aws, "s3", "sync", "--only-show-errors", f"{home}/", f"s3://{_BUCKET}/synced/{place}/")


def _small(home: Path) -> None:
    chance = random.Random(7)  # noqa: S311  # contents that do not compress
    for folder in range(200):
        place = home / f"project-{folder % 20}" / f"part-{folder}"
        place.mkdir(parents=True)
        for number in range(100):
            (place / f"file-{number:03d}.py").write_bytes(chance.randbytes(chance.randrange(200, 4_000)))


def _large(home: Path) -> None:
    for number in range(8):
        (home / f"data-{number}.bin").write_bytes(os.urandom(125_000_000))


def _many(home: Path) -> None:
    for folder in range(1_000):
        place = home / f"part-{folder:03d}"
        place.mkdir()
        for number in range(1_000):
            (place / f"{number:03d}").write_text(f"{folder * 1_000 + number}\n")


def _change(home: Path) -> None:
    """Change some files, as a day of work does; of large ones, one."""
    files = sorted(path for path in home.rglob("*") if path.is_file())[: _CHANGED * 50 : 50]
    for path in files[: 1 if files[0].stat().st_size > 1_000_000 else _CHANGED]:
        path.write_bytes(os.urandom(300))
