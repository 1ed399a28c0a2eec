"""A snapshot is verified from another machine, with the keys of whoever asks: what is damaged is found and named."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tests.support.notebook_cloud import ACCOUNT, Kept, State
from tests.support.notebooks import ARN, Instance

from signalbox_operate.notebooks import verifying
from signalbox_operate.notebooks.model import Instance as Known
from signalbox_operate.notebooks.model import NotebookError
from signalbox_operate.notebooks.snapshots import Shelf

type Make = Callable[[str], Instance]
ANA = Known("nb", ARN, "Stopped", "notebook-al2023-v1", "ml.t3.medium", 5, "", {})


class Session:
    """A session of boto3 with one person's keys."""

    def get_credentials(self) -> SimpleNamespace:
        """Return the keys."""
        keys = SimpleNamespace(access_key="testing", secret_key="testing", token=None)
        return SimpleNamespace(get_frozen_credentials=lambda: keys)


@pytest.fixture
def saved(state: State, instance: Make) -> Instance:
    """An instance whose two files are saved below a prefix, one small and one large."""
    state.tags["snapshot-prefix"] = "people/ana"
    one = instance("saved")
    (one.home / "small").write_text("content")
    (one.home / "large").write_bytes(bytes(range(256)) * 4096)
    assert one.run("backup").returncode == 0
    return one


def shelf(one: Instance) -> Shelf:
    """Return where the snapshots are, as a client of S3 knows it."""
    return Shelf(SimpleNamespace(meta=SimpleNamespace(endpoint_url=one.url)), "backups", ACCOUNT, "people/ana")


def test_a_snapshot_that_is_whole_is_found_equal(state: State, saved: Instance) -> None:
    found = verifying.check(ANA, state.tags["snapshot-name"], shelf(saved), Session())

    assert (found.equal, found.entries, found.damaged, found.named) == (True, 2, 0, [])


@pytest.mark.parametrize(("place", "name"), [("packs/", "small"), ("content/", "large")])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_file_whose_contents_are_damaged_or_gone_is_named(
    state: State, saved: Instance, place: str, name: str, how: str
) -> None:
    bucket = state.buckets["backups"]
    (key, *_) = [one for one in bucket if one.startswith(f"people/ana/{place}")]
    body = bucket.pop(key).body
    if how == "changed":
        bucket[key] = Kept(body[:-1] + bytes([body[-1] ^ 1]), "2026-01-01T00:00:00.000Z")

    found = verifying.check(ANA, state.tags["snapshot-name"], shelf(saved), Session())

    assert (found.equal, found.damaged) == (False, 1)
    assert [one["path"] for one in found.named] == [name]


def test_a_snapshot_that_is_not_there_is_refused_with_those_that_are(state: State, saved: Instance) -> None:
    name = state.tags["snapshot-name"]

    with pytest.raises(NotebookError, match=f"^nb: there is no snapshot {name[:-1]} in .*{name}"):
        verifying.check(ANA, name[:-1], shelf(saved), Session())
