"""The servers of one endpoint configuration: weights, target variants, all or none, and draining."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, container, server_context, until

from sagemaker_local.images import UnknownImageError
from sagemaker_local.serving import (
    Fleet,
    FleetClosedError,
    ServerStartError,
    UnknownVariantError,
    Variant,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARE = random.Random(7)  # noqa: S311 (it shares traffic, it guards nothing)
SERVE = """
    import time
    def get(path):
        if os.environ["NAME"] == "broken":
            os._exit(1)
        print("up", flush=True)
        return 200, b""
    def post(body, headers):
        print("asked", flush=True)
        time.sleep(float(body or b"0"))
        return 200, os.environ["NAME"].encode()
"""


def variant(folder: Path, name: str, weight: float = 1, image: str = OWN) -> Variant:
    container(folder / "containers", serve=SERVE)
    context = replace(server_context(folder, FakeS3(), timeout=5), folder=folder / name)
    return Variant(name, weight, {"Image": image, "Environment": {"NAME": name}}, context)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two variants, one with three times the weight of the other."""
    folder = tmp_path_factory.mktemp("fleet")
    running = Fleet.start([variant(folder, "old", 3), variant(folder, "new", 1)], SHARE)
    yield running
    running.close(0)


def test_traffic_is_shared_by_weight(fleet: Fleet) -> None:
    counts = Counter(fleet.invoke(b"").variant for _ in range(80))

    assert 45 <= counts["old"] <= 75
    assert counts["old"] + counts["new"] == 80


def test_a_target_variant_gets_the_request_whatever_its_weight(fleet: Fleet) -> None:
    answers = [fleet.invoke(b"", target_variant="new") for _ in range(5)]

    assert {(answer.variant, answer.status, answer.body) for answer in answers} == {("new", 200, b"new")}


def test_a_variant_of_weight_0_gets_nothing_until_its_weight_changes(tmp_path: Path) -> None:
    fleet = Fleet.start([variant(tmp_path, "a", 1), variant(tmp_path, "b", 0)], SHARE)
    try:
        assert {fleet.invoke(b"").variant for _ in range(10)} == {"a"}
        fleet.set_weights({"a": 0, "b": 1})
        assert {fleet.invoke(b"").variant for _ in range(10)} == {"b"}
        fleet.set_weights({"b": 0})
        assert {fleet.invoke(b"").variant for _ in range(20)} == {"a", "b"}
        assert fleet.healthy()
        assert set(fleet.logs) == set(fleet.variants) == {"a", "b"}
    finally:
        fleet.close(0)


def test_an_unknown_variant_is_named(fleet: Fleet) -> None:
    with pytest.raises(UnknownVariantError, match="Variant other not found"):
        fleet.invoke(b"", target_variant="other")
    with pytest.raises(UnknownVariantError, match="Variant other not found"):
        fleet.set_weights({"other": 1})


def test_if_one_variant_does_not_come_up_none_is_left_running(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="production variant broken did not pass the ping health check"):
        Fleet.start([variant(tmp_path, "good"), variant(tmp_path, "broken")], SHARE)

    assert "up" in (tmp_path / "good" / "log").read_text()  # it had come up
    assert not (tmp_path / "good" / "ml").exists()  # and was closed


def test_a_variant_that_cannot_be_executed_is_refused_in_sagemakers_words(tmp_path: Path) -> None:
    broken = variant(tmp_path, "main")
    (tmp_path / "containers" / "own" / "serve").write_text("no first line\n")

    with pytest.raises(
        ServerStartError, match=r"^CannotStartContainerError\. Please ensure the model container for var"
    ):
        Fleet.start([broken], SHARE)


def test_an_unknown_image_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(UnknownImageError):
        Fleet.start([variant(tmp_path, "a", image="lost")], SHARE)


def test_a_closed_fleet_answered_what_was_in_flight_and_sends_others_away(tmp_path: Path) -> None:
    fleet = Fleet.start([variant(tmp_path, "a")], SHARE)
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(fleet.invoke(b"0.4").body))
    asking.start()
    until(lambda: "asked" in (tmp_path / "a" / "log").read_text())

    fleet.close(10)

    asking.join()
    assert answers == [b"a"]
    with pytest.raises(FleetClosedError):
        fleet.invoke(b"")
