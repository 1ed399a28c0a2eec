"""A role that reaches one prefix alone, to which S3 says 403 of keys that are not there, is enough for the worker."""

from collections.abc import Callable

from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described

type Make = Callable[[str], Instance]


def test_a_role_that_may_list_its_own_prefix_alone_saves_and_restores(state: State, instance: Make) -> None:
    state.bound_to = "people/ana/"
    state.tags |= {"snapshot-prefix": "people/ana", "snapshot-request": "backup-1"}
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "file").write_text("content")

    assert saved.run("backup").returncode == 0
    state.tags |= {"backup-snapshot": state.tags["snapshot-name"], "snapshot-request": "restore-1"}
    done = restored.run("restore")

    assert done.returncode == 0, done.stderr
    assert described(restored.home) == described(saved.home)


def test_a_snapshot_that_is_not_there_is_told_from_one_that_may_not_be_read(state: State, instance: Make) -> None:
    state.bound_to = "people/ana/"
    state.tags |= {"snapshot-prefix": "people/ana", "backup-snapshot": "nb_2026-01-01-00-00-00"}

    assert instance("restored").run("restore").returncode == 1
    assert "there is no snapshot nb_2026-01-01-00-00-00" in state.tags["snapshot-status"]
