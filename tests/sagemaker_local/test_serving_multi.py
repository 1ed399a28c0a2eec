"""Several models in one container: fetched and loaded when they are asked for, and put away when memory is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, container, server_context, tar_gz, transform
from tests.sagemaker_local.support.service import ROLE, SageMaker, refusal, variant

from sagemaker_local.serving import ModelServer, TargetModelError
from sagemaker_local.serving.multi import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A container that holds two models at most, and tells what is in their files.
SERVE = """
    loaded = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _, _, *rest = self.path.split("/")
        if self.path == "/models":
            asked = json.loads(body)
            if len(loaded) == 2:
                return self.answer(507, b"full")
            text = open(asked["url"] + "/name").read()
            if text == "bad":
                return self.answer(500, b"cannot load it")
            loaded[asked["model_name"]] = text
            return self.answer(200, b"{}")
        text = os.environ["SAGEMAKER_MULTI_MODEL"] + " " + loaded[rest[0]] + " " + body.decode()
        return self.answer(200, text.encode())

    def do_DELETE(self):
        print("put away", loaded.pop(self.path.rsplit("/", 1)[-1]), flush=True)
        self.answer(200, b"")

    Handler.do_POST, Handler.do_DELETE = do_POST, do_DELETE
"""
MULTI = {"Image": OWN, "Mode": "MultiModel", "ModelDataUrl": "s3://models"}


def archives() -> dict[str, bytes | str]:
    return {f"s3://models/{name}.tar.gz": tar_gz({"name": name}) for name in ("a", "b", "c", "bad")}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A server whose models are the archives of a whole bucket."""
    container(tmp_path / "containers", serve=SERVE)
    running = ModelServer(MULTI, server_context(tmp_path, FakeS3(archives())))
    yield running
    running.close(0)


def ask(server: ModelServer, target: str) -> str:
    return server.invoke(b"1", headers={TARGET: f"{target}.tar.gz"})[2].decode()


def test_each_target_model_is_loaded_when_it_is_asked_for(server: ModelServer) -> None:
    assert [ask(server, name) for name in ("a", "b", "a")] == ["true a 1", "true b 1", "true a 1"]


def test_the_model_that_was_asked_for_longest_ago_gives_way_where_memory_is_full(server: ModelServer) -> None:
    for name in ("a", "b", "a", "c", "b"):
        assert ask(server, name) == f"true {name} 1"
    assert [line for line in server.log.read_text().splitlines() if "put away" in line] == ["put away b", "put away a"]


def test_a_model_that_the_container_does_not_load_answers_with_its_words(server: ModelServer) -> None:
    status, _, body = server.invoke(b"1", headers={TARGET: "bad.tar.gz"})
    assert (status, body) == (500, b"cannot load it")


def test_a_target_model_that_is_not_there_or_not_named_is_refused(server: ModelServer) -> None:
    with pytest.raises(TargetModelError, match=r"Failed to download model data from s3://models/none\.tar\.gz"):
        ask(server, "none")
    with pytest.raises(TargetModelError, match="TargetModel is required"):
        server.invoke(b"1")
    with pytest.raises(TargetModelError, match="Failed to download"):
        server.invoke(b"1", headers={TARGET: "../../a.tar.gz"})


def test_an_endpoint_of_several_models_is_made_of_a_bucket_and_asked_by_target_model(tmp_path: Path) -> None:
    sagemaker = SageMaker(tmp_path, real=True)
    container(sagemaker.containers, serve=SERVE)
    for uri, body in archives().items():
        sagemaker.access.s3.put(uri, body)
    sagemaker.call("CreateModel", ModelName="m", PrimaryContainer=MULTI, ExecutionRoleArn=ROLE)
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="one", ProductionVariants=[variant("a")])
    try:
        sagemaker.endpoint()
        assert sagemaker.invoke(b"1", **{TARGET: "a.tar.gz"}) == "true a 1"
        assert refusal(lambda: sagemaker.invoke(b"1")).startswith("ValidationError: TargetModel is required")
        refused = refusal(lambda: sagemaker.invoke(b"1", **{TARGET: "bad.tar.gz"}))
        assert 'Received server error (500) from primary with message "cannot load it"' in refused
    finally:
        sagemaker.endpoints.close()
    instances = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    assert "of several models" in sagemaker.refused("CreateTransformJob", **transform(), TransformResources=instances)


def test_a_container_of_several_models_needs_their_prefix_and_others_take_no_target(tmp_path: Path) -> None:
    sagemaker = SageMaker(tmp_path, real=True)
    alone = {"Image": OWN, "Mode": "MultiModel"}
    refused = sagemaker.refused("CreateModel", ModelName="n", PrimaryContainer=alone, ExecutionRoleArn=ROLE)
    assert "needs a ModelDataUrl" in refused
    sagemaker.access.s3.put("s3://models/m.tar.gz", tar_gz({"m": "model"}))
    sagemaker.config("one")
    try:
        sagemaker.endpoint()
        refused = refusal(lambda: sagemaker.invoke(b"1", **{TARGET: "a.tar.gz"}))
        assert refused.startswith("ValidationError: TargetModel is for endpoints whose container")
    finally:
        sagemaker.endpoints.close()
