"""The worker's rules, one by one, and its one file."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support import documents
from tests.support.notebook_cloud import State, cloud
from tests.support.notebooks import Instance as NotebookInstance
from tests.support.notebooks import every_kind, special

from signalbox_operate.notebooks.worker_file import digest, worker_file
from signalbox_snapshot.entries import Entry, Piece, from_line, shown, to_line
from signalbox_snapshot.refusals import advice, refusal
from signalbox_snapshot.scanning import OVERLAP, secrets, secrets_of
from signalbox_snapshot.settings import Instance
from signalbox_snapshot.tagging import tag_text

_NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: not {b"/", b"\0"} & {name[i : i + 1] for i in range(len(name))}
)
_SECRETS = {
    "AWS access key": b"AKIA" + b"Q" * 16,
    "AWS secret key": b"aws_secret_access_key = " + b"a/+9" * 10,
    "private key": b"-----BEGIN OPENSSH PRIVATE KEY-----",
    "GitHub token": b"ghp_" + b"a" * 36,
    "GitLab token": b"glpat-" + b"a" * 20,
    "Slack token": b"xoxb-" + b"1" * 24,
    "Slack address": b"https://hooks.slack.com/services/T0/B0/" + b"a" * 24,
    "Google key": b"AIza" + b"a" * 35,
    "Hugging Face token": b"hf_" + b"a" * 34,
    "OpenAI or Anthropic key": b"sk-ant-" + b"a" * 40,
    "Stripe key": b"sk_live_" + b"a" * 24,
    "PyPI token": b"pypi-AgEIcHlwaS5vcmc" + b"a" * 50,
}


def entry(path: bytes, target: bytes = b"") -> Entry:
    return Entry(
        path,
        "link",
        0o777,
        0,
        0,
        "root",
        "root",
        1,
        -2,
        3,
        4,
        5,
        6,
        ((b"user.x", b"\xff"),),
        (Piece(0, 1, "d", "p", 2),),
        target,
    )


@example(name=b"new\nline", target=b"\xff\xed\xa0\x80\xe2\x98\x83")
@given(name=_NAMES.filter(lambda name: name not in {b".", b".."}), target=_NAMES)
def test_any_name_comes_back_from_a_line_of_plain_characters(name: bytes, target: bytes) -> None:
    line = to_line(entry(name, target))

    assert from_line(line) == entry(name, target)
    assert line.isascii()
    assert line.isprintable()


def test_names_are_shown_in_one_line_and_in_utf_8() -> None:
    assert shown(b"a b.txt") == "a b.txt"
    assert shown(b"two\nlines") == '"two\\nlines"'
    assert shown(b"\xff") == "\\xff"


@pytest.mark.parametrize("kind", _SECRETS)
def test_each_kind_of_secret_is_found_wherever_it_stands(kind: str) -> None:
    secret = _SECRETS[kind]

    assert secrets(b'"key": "' + secret + b'"') == (kind,)
    for cut in range(1, len(secret)):
        assert secrets_of([b"x" * 1000 + b" " + secret[:cut], secret[cut:] + b" y"]) == (kind,)
    assert len(secret) < OVERLAP


def test_of_a_file_that_is_no_text_the_first_block_alone_is_looked_at() -> None:
    secret = b" AKIA" + b"Q" * 16 + b" "
    assert secrets_of([b"\0" + secret, b"more"]) == ("AWS access key",)
    assert secrets_of([b"\0" * 20, b"a" * 999 + secret]) == ()
    assert secrets_of([b"a" * 9_000 + b"\0", secret]) == ("AWS access key",)


@pytest.mark.parametrize(
    "text",
    [
        b"AKIAIOSFODNN7EXAMPLE",
        b"XAKIA" + b"Q" * 16,
        b"ghp_short",
        b"task-" + b"a" * 50,
        b"sk-estimator-" + b"a-" * 30,
        b"PRIVATE KEY",
        os.urandom(1 << 16),
    ],
)
def test_what_only_resembles_a_secret_is_none(text: bytes) -> None:
    assert secrets(text) == ()


def test_a_tag_holds_only_what_a_tag_may() -> None:
    assert tag_text("failed: it's (1,000)\nü") == "failed: it s 1 000"
    assert len(tag_text("x" * 999)) == 250


@pytest.mark.parametrize(
    ("partition", "host"),
    [("aws", "eu-west-1.amazonaws.com"), ("aws-cn", "eu-west-1.amazonaws.com.cn"), ("aws-iso", "eu-west-1.c2s.ic.gov")],
)
def test_addresses_are_those_of_the_partition(partition: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    one = Instance("nb", "arn", partition, "eu-west-1", "1")

    assert one.endpoint("s3") == f"https://s3.{host}"
    assert one.endpoint("sagemaker") == f"https://api.sagemaker.{host}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1/")
    assert one.endpoint("s3") == "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2")
    assert one.endpoint("s3") == "http://127.0.0.1:2"


def test_refusals_of_both_services_are_read() -> None:
    error = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>No &amp; no</Message></Error>'
    assert refusal(error) == ("AccessDenied", "No & no")
    assert refusal(b'{"__type":"com.x#ValidationException","message":"m"}') == ("ValidationException", "m")
    assert refusal(b"") == ("", "")
    assert refusal(b"<html>busy") == ("", "<html>busy")
    assert "kms:Decrypt" in advice(400, "KMS.DisabledException", "it is disabled")


def test_the_worker_is_the_same_file_whatever_the_times_of_its_sources(tmp_path: Path) -> None:
    first = worker_file()
    program = "from signalbox_operate.notebooks import worker_file as w; print(w.digest(w.worker_file()))"
    again = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "TZ": "Asia/Tokyo"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert again.stdout.strip() == digest(first)
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())
        assert not any("pycache" in name for name in archive.namelist())


def test_the_worker_imports_the_standard_library_alone() -> None:
    with zipfile.ZipFile(io.BytesIO(worker_file())) as archive:
        lines = [line for name in archive.namelist() for line in archive.read(name).decode().splitlines()]
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}

    assert imported - set(sys.stdlib_module_names) == {"signalbox_snapshot"}


def test_the_page_about_the_worker_names_every_object_and_tag(tmp_path: Path) -> None:
    page = documents.read("notebooks/worker/README.md")
    state = State(buckets={"backups": {}}, tags={"ebs-backup-bucket": "backups", "snapshot-request": "r1"})
    with cloud(state) as url:
        saved = NotebookInstance(tmp_path / "saved", url, state)
        every_kind(saved.home)
        special(saved.home)
        saved.run("backup")
        state.tags["backup-snapshot"] = state.tags["snapshot-name"]
        saved.run("restore")
    patterns = [re.sub(r"<\w+>", "[^/]+", row[0].strip("`")) for row in documents.tables(page, "key", "what")]
    told = " ".join(row[0] for row in documents.tables(page, "tag", "meaning"))
    source = (documents.ROOT / "notebooks/worker/signalbox_snapshot/settings.py").read_text()

    left = [key for key in state.objects() if not any(re.fullmatch(pattern, key) for pattern in patterns)]
    assert left == []
    unused = [one for one in patterns if not any(re.fullmatch(one, key) for key in state.objects())]
    assert unused == ["snapshots/[^/]+/partial.json"]
    assert set(re.findall(r"[a-z]+-[a-z-]+", told)) == {
        *re.findall(r'"((?:snapshot|backup)-[a-z]+|ebs-backup-bucket)"', source),
        "snapshot-status",
        "snapshot-name",
    }
