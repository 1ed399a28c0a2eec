"""The parts of CodeCommit's git server: signatures as AWS makes them, and what a push asks for, however it comes."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.codecommit.attach import condition_keys
from sagemaker_local.codecommit.git import NOTHING, Bare, GitError
from sagemaker_local.codecommit.receive import MOST_REFERENCES, MalformedError, body, commands
from sagemaker_local.codecommit.repositories import Change
from sagemaker_local.codecommit.signature import password

NEW = "1" * 40


def test_a_password_is_what_awss_own_programs_make() -> None:
    when = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
    host, path = "git-codecommit.us-east-1.amazonaws.com", "/v1/repos/example"
    request = AWSRequest(method="GIT", url=f"https://{host}{path}")
    request.context["timestamp"] = "20261120T120005"
    signer = SigV4Auth(Credentials("key", "secret"), "codecommit", "us-east-1")
    text = signer.string_to_sign(request, f"GIT\n{path}\n\nhost:{host}\n\nhost\n")

    expected = f"20261120T120005Z{signer.signature(text, request)}"

    assert password("secret", "us-east-1", host, path, when) == expected


def line(text: str) -> bytes:
    return f"{len(text.encode()) + 4:04x}{text}".encode()


def push(*references: str) -> bytes:
    first, *rest = [f"{NOTHING} {NEW} {reference}" for reference in references]
    return b"".join([line(f"{first}\0 report-status side-band-64k\n"), *map(line, rest), b"0000PACKpack"])


async def pieces(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def read(parts: list[bytes]) -> tuple[list[Change], bytes]:
    async def both() -> tuple[list[Change], bytes]:
        chunks = pieces(parts)
        found, begin = await commands(chunks)
        return found, begin + b"".join([chunk async for chunk in chunks])

    return asyncio.run(both())


@given(cuts=st.lists(st.integers(0, 300)))
def test_the_references_of_a_push_are_read_however_it_is_cut_and_nothing_is_lost(cuts: list[int]) -> None:
    whole = line(f"shallow {NEW}") + push("refs/heads/main", "refs/heads/ü b", "refs/tags/v1")
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    parts = [whole[begin:end] for begin, end in pairwise(ends)]

    found, passed_on = read(parts)

    assert [change.reference for change in found] == ["refs/heads/main", "refs/heads/ü b", "refs/tags/v1"]
    assert {(change.old, change.new) for change in found} == {(NOTHING, NEW)}
    assert passed_on == whole


def test_git_asks_first_with_an_empty_list_whether_it_may() -> None:
    assert read([b"0000"]) == ([], b"0000")


@pytest.mark.parametrize("parts", [[], [b"00"], [b"zzzz"], [b"0002"], [b"0010"], [line("push-cert\0x")], [b"\xff" * 9]])
def test_what_is_no_list_of_references_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(MalformedError):
        read(parts)


def test_too_many_references_are_refused() -> None:
    with pytest.raises(MalformedError, match="at most 4,000 references"):
        read([push(*(f"refs/heads/{at}" for at in range(MOST_REFERENCES + 1)))])


@pytest.mark.parametrize("packed", [True, False])
def test_a_body_is_read_to_its_end_or_until_the_client_is_gone(packed: bool) -> None:
    text = bytes(range(256)) * 2_000
    sent = gzip.compress(text) if packed else text
    parts = [sent[at : at + 1000] for at in range(0, len(sent), 1000)]
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    def found(end: dict[str, Any]) -> bytes:
        coming = iter([*messages, end])

        async def receive() -> dict[str, Any]:
            return next(coming)

        async def whole() -> bytes:
            headers = {"content-encoding": "gzip"} if packed else {}
            return b"".join([chunk async for chunk in body(receive, headers)])

        return asyncio.run(whole())

    assert found({"type": "http.request"}) == text
    assert found({"type": "http.disconnect"}) == text


def test_what_is_no_gzip_is_refused() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"plain"}

    async def whole() -> None:
        [chunk async for chunk in body(receive, {"content-encoding": "gzip"})]

    with pytest.raises(MalformedError, match="no gzip"):
        asyncio.run(whole())


@pytest.mark.parametrize(
    ("action", "given_", "expected"),
    [
        ("codecommit:PutFile", b'{"branchName": "a/b"}', {"codecommit:References": "refs/heads/a/b"}),
        ("codecommit:PutFile", b"{}", {}),
        ("codecommit:GetBranch", b'{"branchName": "a"}', {}),
    ],
)
def test_iam_knows_the_branch_that_is_changed(action: str, given_: bytes, expected: dict[str, str]) -> None:
    assert condition_keys(action, given_) == expected


def test_git_reads_nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[init]\ntemplateDir = /nonexistent\ndefaultBranch = other\n[core]\nbare = x\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "broken")
    bare = Bare(tmp_path / "a.git")
    bare.create()

    assert bare.branches() == []
    assert (tmp_path / "a.git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    with pytest.raises(GitError):
        bare.set("refs/heads/main", NEW, NOTHING)
