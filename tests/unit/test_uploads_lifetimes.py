"""What no run needs any more expires; what waits, is open, or would be run again by a push does not."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.gates.cfn_yaml import parse
from tests.support.documents import read, table
from tests.support.dynamodb import created_table
from tests.support.mortal import DeathError
from tests.support.starting import REQUEST, World, a_world
from tests.support.uploads import BUCKET, PIPELINE

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.releases.adapters import ReleasesTable
from signalbox.uploads import items as keys
from signalbox.uploads import remaining
from signalbox.uploads.lifetimes import ItemLifetimes
from signalbox.uploads.mails import NotificationTable
from signalbox.uploads.model import Run, RunPostponedError, Upload
from signalbox.uploads.table import UploadsTable
from signalbox_operate import rerunning

DAY = timedelta(days=1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """What starting works on, with the real table."""
    for name, value in (("REGION", "us-east-1"), ("SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(f"AWS_{'DEFAULT_' if name == 'REGION' else ''}{name}", value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    with mock_aws():
        stored = Table("uploads", created_table("uploads"))
        made = a_world()
        made.ports = made.ports._replace(store_of=partial(UploadsTable, stored), lifetimes=ItemLifetimes(stored))
        made.tables = partial(UploadsTable, stored)  # type: ignore[assignment]  # the same methods
        yield made


def items() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto3.resource("dynamodb").Table("uploads").scan()["Items"]
    return found


def lasting() -> set[str]:
    """Return the first words of the keys of what never expires, but for the list of pipelines."""
    return {f"{one['pk']} {one['sk']}" for one in items() if "expires" not in one and one["pk"] != "pipelines"}


def waits(upload: Upload) -> str:
    """Return the partition key under which an upload waits."""
    return str(keys.waiting_key(upload, PIPELINE)["pk"])


def ran(world: World, status: str, *keys: str) -> Run:
    """Let uploads be run, and the run end."""
    world.upload(*keys)
    world.deliver(REQUEST)
    run = world.run
    world.deliver(world.over(status))
    return run


def test_a_run_that_failed_expires_with_its_uploads_400_days_after_its_end(world: World) -> None:
    ran(world, "Failed", "a.csv", "b.csv")
    assert lasting() == set()
    expected = int((world.clock() + 400 * DAY).timestamp())
    assert {int(one["expires"]) for one in items() if one["pk"] != "pipelines"} == {expected}


def test_what_waits_and_what_an_open_run_has_does_not_expire(world: World) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    world.upload("b.csv")
    assert all("expires" not in one for one in items())


def test_the_last_good_run_stays_until_a_later_one_is_good(world: World) -> None:
    first = ran(world, "Succeeded", "a.csv")
    ran(world, "Failed", "b.csv")
    assert {key.split()[0] for key in lasting()} == {
        f"upload#{BUCKET}/incoming/a.csv",
        f"run#{first.id}",
        f"pipeline#{PIPELINE}",
    }
    last = ran(world, "Succeeded", "c.csv")
    assert {key.split()[0] for key in lasting()} == {
        f"upload#{BUCKET}/incoming/c.csv",
        f"run#{last.id}",
        f"pipeline#{PIPELINE}",
    }
    found = world.table.last_with_uploads()
    assert found is not None
    assert found.id == last.id


def test_an_upload_that_waits_again_or_is_in_a_later_run_does_not_expire_with_its_first(world: World) -> None:
    stored = Table("uploads", boto3.client("dynamodb"))
    first = ran(world, "Failed", *(f"{number}.csv" for number in range(60)))
    (again,) = [one for one in world.table.taken(first) if one.key.endswith("/7.csv")]
    rerunning.give_back(first, [again], stored, world.clock())
    assert {key.split()[0] for key in lasting()} == {f"upload#{BUCKET}/incoming/7.csv", waits(again)}
    world.deliver(REQUEST)
    ItemLifetimes(stored).expire(first, world.clock() + DAY, lambda: remaining.ENOUGH)
    assert f"upload#{BUCKET}/incoming/7.csv v1" in lasting()


def test_a_run_of_which_one_upload_is_another_runs_expires_without_that(world: World) -> None:
    stored = Table("uploads", boto3.client("dynamodb"))
    world.upload("a.csv", "b.csv")
    world.deliver(REQUEST)
    (stolen,) = [one for one in world.table.taken(world.run) if one.key.endswith("a.csv")]
    rerunning.give_back(world.run, [stolen], stored, world.clock())
    ItemLifetimes(stored).expire(world.run, world.clock(), lambda: remaining.ENOUGH)
    assert {key.split()[0] for key in lasting()} == {f"upload#{BUCKET}/incoming/a.csv", waits(stolen)}


def test_what_is_marked_stops_where_the_function_has_no_time_and_goes_on(world: World) -> None:
    world.upload(*(f"{number}.csv" for number in range(120)))
    world.deliver(REQUEST)
    left = iter([remaining.ENOUGH, remaining.ENOUGH, 0])
    mark = ItemLifetimes(Table("uploads", boto3.client("dynamodb")))
    with pytest.raises(RunPostponedError):
        mark.expire(world.run, world.clock(), lambda: next(left))
    marked = {one["pk"]: one["expires"] for one in items() if "expires" in one}
    assert len(lasting()) == 2 * 120 + 1 - 2 * 98
    mark.expire(world.run, world.clock() + DAY, lambda: remaining.ENOUGH)
    assert lasting() == set()
    assert {one["pk"]: one["expires"] for one in items() if one["pk"] in marked and "upload#" in one["pk"]} == {
        key: value for key, value in marked.items() if "upload#" in key
    }


def _dies(*_: object, **__: object) -> None:
    raise DeathError


def test_a_run_is_marked_before_it_is_closed_so_that_whoever_comes_after_a_death_does_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upload("a.csv")
    world.deliver(REQUEST)
    over = world.over("Failed")
    with monkeypatch.context() as dying:
        dying.setattr(UploadsTable, "move", _dies)
        assert world.deliver(over) != []
    assert lasting() == set()
    assert world.run.status == "Started"
    world.deliver(over)
    assert world.run.status == "Failed"


def test_what_was_deleted_and_its_empty_run_expire(world: World) -> None:
    world.upload("a.csv")
    world.objects.delete("incoming/a.csv")
    world.deliver(REQUEST)
    assert world.run.status == "Empty"
    assert lasting() == set()


def test_a_change_that_a_push_asked_for_expires_once_a_later_one_takes_its_place(world: World) -> None:
    for commit, number in (("c1", 1), ("c2", 2), ("c1", 3)):
        assert world.table.ask_again(commit, world.clock(), number)
        assert not world.table.ask_again(commit, world.clock(), number)
    expiring = {one["sk"] for one in items() if "expires" in one}
    assert expiring == {"commit#c1#1", "commit#c2#2"}


def test_notes_of_mails_and_of_actions_expire(world: World) -> None:
    log = NotificationTable(Table("uploads", boto3.client("dynamodb")))
    log.claim("e1", world.clock(), timedelta(seconds=45))
    log.close("e2", world.clock())
    ReleasesTable("uploads", boto3.client("dynamodb"), world.clock).note("abalone", "action#1", {"action": "wait"})
    assert lasting() == set()
    assert len(items()) == 3


def test_copies_that_the_buckets_rule_may_have_deleted_are_made_anew(world: World) -> None:
    from signalbox.uploads import repeating  # noqa: PLC0415  # a rule of that module alone

    pipeline = world.ports.projects.read_after(world.clock())[0].pipelines["abalone"]
    source = Run(PIPELINE, 1, world.clock(), copied=7)
    for age, copied in ((1, 7), (369, 7), (371, 0)):
        later = Run(PIPELINE, 2, world.clock() + age * DAY)
        assert repeating._again(later, source, pipeline).copied == copied


def test_the_tables_and_the_bucket_forget_as_the_code_says() -> None:
    resources = parse(read("template.yaml"))["Resources"]
    expiry = {"AttributeName": "expires", "Enabled": True}
    for name in ("UploadsTable", "ReleasesTable", "PushesTable"):
        assert resources[name]["Properties"]["TimeToLiveSpecification"] == expiry
    rules = resources["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert days == {
        "transforms/": 90,
        "queries/": 7,
        **dict.fromkeys(("manifests/", "inputs/", "pipelines/", "training/"), moments.KEPT.days),
    }
    kept = ("packages/", "evaluations/", "answers/", "code/", "command-line/", "first-commits/", "promotions/")
    assert not any(place.startswith(prefix) or prefix.startswith(place) for place in kept for prefix in days)


def test_every_folder_of_the_artifacts_bucket_says_how_long_it_is_kept() -> None:
    resources = parse(read("template.yaml"))["Resources"]
    rules = resources["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: str(rule["ExpirationInDays"]) for rule in rules if "ExpirationInDays" in rule}
    told = re.findall(r"^\| `([a-z-]+/)` \| ([^|]+) \|", read("docs/costs.md"), re.MULTILINE)
    assert {place: said.removesuffix(" days") for place, said in told if said != "stays"} == days
    documented = set(re.findall(r"^\| `([a-z-]+/)<", read("docs/events.md"), re.MULTILINE))
    assert documented <= {place for place, _ in told}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each write adds what DynamoDB bills for it: an item of a transaction twice."""
    units: list[int] = []

    def count(name: str, each: Callable[[tuple[Any, ...]], int]) -> None:
        real = getattr(Table, name)

        def write(stored: Table, *given: Any) -> Any:
            units.append(each(given))
            return real(stored, *given)

        monkeypatch.setattr(Table, name, write)

    count("transact", lambda writes: 2 * len(writes))
    for name in ("put", "update"):
        count(name, lambda _: 1)
    return units


def test_a_year_of_a_hundred_runs_a_day_costs_what_the_page_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    units = counted(monkeypatch)
    ran(world, "Failed", *(f"2026/11/20/part-{number:04d}-of-0010.csv" for number in range(10)))
    # 100 bytes of each item are DynamoDB's own (its Developer Guide, "Item sizes and formats", from memory).
    size = sum(100 + sum(len(name) + len(str(value)) for name, value in one.items()) for one in items())
    runs, uploads = 365 * 100, 365 * 100 * 10
    rows = table(read("docs/costs.md"), "a year of 100 runs a day, over 10 uploads each", "number", "price", "a year")
    numbers = {row[0]: float(row[1].split()[0].replace(",", "")) for row in rows}
    assert numbers == {
        "data events of CloudTrail": uploads,
        "questions to S3 (HEAD), when an upload is recorded and when it is run": 2 * uploads,
        "objects written: manifests, their versions, and who uploaded": 3 * runs,
        "writes to UploadsTable": pytest.approx(runs * sum(units), rel=0.1),
        "UploadsTable after a year": pytest.approx(runs * size / 1e6, rel=0.1),
    }
    prices = {row[0]: (float(row[2].split("$")[1].split()[0]), float(row[3].strip("$"))) for row in rows}
    per = dict(zip(numbers, (100_000, 1_000, 1_000, 1_000_000, 1_000 / 12), strict=True))  # of MB, for twelve months
    for name, (price, year) in prices.items():
        assert year == pytest.approx(numbers[name] / per[name] * price, abs=0.01)
    told = float(re.findall(r"together about \$([0-9.]+) a year", read("docs/costs.md"))[0])
    assert told == pytest.approx(sum(year for _, year in prices.values()), abs=0.1)
    assert f"{runs / 1e3:.1f} GB" in read("docs/costs.md")
