"""The store of all resources: nobody shares a record, names are taken once, changes happen alone or not at all."""

import threading
from typing import Any

import pytest

from sagemaker_local.core.store import NameTakenError, NoRecordError, Store


@pytest.fixture
def store() -> Store:
    """A store with one record."""
    made = Store()
    made.create("Model", "m", {"Tags": ["a"], "Count": 0})
    return made


def test_what_comes_out_is_a_copy_and_so_is_what_goes_in(store: Store) -> None:
    mine: dict[str, Any] = {"Tags": []}
    store.create("Model", "other", mine)
    mine["Tags"].append("later")
    store.get("Model", "m")["Tags"].append("mine")
    store.all("Model")[0]["Tags"].append("mine")
    store.update("Model", "m", Count=1)["Tags"].append("mine")

    assert store.get("Model", "other") == {"Tags": []}
    assert store.get("Model", "m") == {"Tags": ["a"], "Count": 1}


def test_a_name_is_taken_once_in_its_kind(store: Store) -> None:
    with pytest.raises(NameTakenError, match="Model 'm' exists"):
        store.create("Model", "m", {})
    store.create("Endpoint", "m", {})


@pytest.mark.parametrize("kind", ["Model", "Nothing"])
def test_a_record_that_is_not_there_is_told_by_its_name(store: Store, kind: str) -> None:
    for call in (store.get, store.delete, lambda k, n: store.update(k, n, A=1)):
        with pytest.raises(NoRecordError, match=f"{kind} 'x' does not exist"):
            call(kind, "x")


def test_a_change_that_fails_leaves_the_record_as_it_was(store: Store) -> None:
    def half(record: dict[str, Any]) -> None:
        record["Tags"].append("b")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.change("Model", "m", half)

    assert store.get("Model", "m")["Tags"] == ["a"]


def test_changes_of_many_threads_are_all_kept(store: Store) -> None:
    def count(record: dict[str, Any]) -> None:
        record["Count"] += 1

    def work() -> None:
        for _ in range(50):
            store.change("Model", "m", count)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.get("Model", "m")["Count"] == 200


def test_a_description_taken_while_a_thread_changes_the_record_is_never_half_of_a_change(store: Store) -> None:
    stop = threading.Event()

    def both(record: dict[str, Any]) -> None:
        record["Tags"] = [*record["Tags"][:1], str(record["Count"] + 1)]
        record["Count"] += 1

    def work() -> None:
        while not stop.is_set():
            store.change("Model", "m", both)

    thread = threading.Thread(target=work)
    thread.start()
    seen = [store.get("Model", "m") for _ in range(300)]
    stop.set()
    thread.join()

    assert all(record["Tags"][1:] in ([], [str(record["Count"])]) for record in seen)


def test_a_deleted_record_is_returned_and_gone_and_its_name_is_free(store: Store) -> None:
    assert store.delete("Model", "m")["Tags"] == ["a"]
    assert store.all("Model") == []
    store.create("Model", "m", {})


def test_names_that_differ_in_case_only_are_one(store: Store) -> None:
    store.create("Model", "Trained-M", {"ModelName": "Trained-M"})
    with pytest.raises(NameTakenError):
        store.create("Model", "trained-m", {})
    assert store.get("Model", "trained-m")["ModelName"] == "Trained-M"
    assert store.delete("Model", "TRAINED-M")["ModelName"] == "Trained-M"
