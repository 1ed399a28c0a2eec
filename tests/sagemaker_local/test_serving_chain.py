"""An inference pipeline: its containers answer one after the other, and it is one model for whoever asks."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, container, server_context

from sagemaker_local.serving import ServerStartError, TargetModelError
from sagemaker_local.serving.chain import start_server
from sagemaker_local.serving.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sagemaker_local.serving.chain import ModelChain

SERVE = """
    def get(path):
        if os.environ["NAME"] == "broken":
            os._exit(1)
        return 200, b""
    def post(body, headers):
        if body == b"bad" and os.environ["NAME"] == "first":
            return 415, b"not mine"
        said = (headers.get("Content-Type", "-") + " " + headers.get("Accept", "-")).encode()
        return 200, os.environ["NAME"].encode() + b"(" + body + b" " + said + b")"
"""


def part(name: str) -> dict[str, Any]:
    return {"Image": OWN, "Environment": {"NAME": name}}


def chain(folder: Path, *names: str) -> Any:
    container(folder / "containers", serve=SERVE)
    context = replace(server_context(folder, FakeS3(), timeout=5), folder=folder / "chain")
    return start_server({"Containers": [part(name) for name in names]}, context)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelChain]:
    """A chain of two containers."""
    started = chain(tmp_path_factory.mktemp("chain"), "first", "second")
    yield started
    started.close(0)


def test_each_container_is_asked_with_the_answer_of_the_one_before_and_the_last_knows_what_is_accepted(
    running: ModelChain,
) -> None:
    status, _, body = running.invoke(b"x", "application/json", "text/csv")

    assert status == 200
    assert body.startswith(b"second(first(x application/json ")
    assert body.endswith(b"text/csv)")
    assert b"text/csv" not in body.partition(b")")[0]


def test_a_container_that_refuses_ends_the_chain_with_its_own_words(running: ModelChain) -> None:
    assert running.invoke(b"bad", "text/csv")[::2] == (415, b"not mine")


def test_a_chain_is_healthy_while_all_of_it_is_and_has_no_target_models(running: ModelChain) -> None:
    assert running.healthy()
    assert running.get("/execution-parameters")[0] == 200
    with pytest.raises(TargetModelError):
        running.invoke(b"x", headers={"X-Amzn-SageMaker-Target-Model": "a.tar.gz"})


def test_a_chain_whose_last_container_does_not_start_leaves_none_running(tmp_path: Path) -> None:
    before = threading.active_count()

    with pytest.raises(ServerStartError):
        chain(tmp_path, "first", "broken")

    assert threading.active_count() == before
    assert not (tmp_path / "chain" / "container-1" / "ml").exists()


def test_one_container_is_no_chain(tmp_path: Path) -> None:
    container(tmp_path / "containers", serve=SERVE)
    server = start_server(part("alone"), server_context(tmp_path, FakeS3(), timeout=5))
    try:
        assert isinstance(server, ModelServer)
    finally:
        server.close(0)
