"""The offline store is asked in SQL: a query is waited for, its result keeps its types, its failure is one sentence."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.athena import FILE, FakeAthena, FakeCloud
from tests.support.features import ABALONE
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli
from signalbox_operate.features import queries
from signalbox_operate.features.queries import QueryDesk
from signalbox_operate.stack import OperateError

ROOT = Path(__file__).parents[3]


def asked(athena: FakeAthena, **more: Any) -> QueryDesk:
    return QueryDesk(athena, athena, "s3://b/queries/", pause=lambda _: None, **more)


@pytest.fixture
def athena(monkeypatch: pytest.MonkeyPatch) -> FakeAthena:
    """The Athena that commands ask."""
    made = FakeAthena()
    monkeypatch.setattr(account, "_made", lambda *_: FakeCloud(made))
    monkeypatch.setattr(queries, "_PAUSES", (0.0,))
    return made


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["features", *map(str, words)])


def test_a_query_is_shown_row_by_row_with_its_progress_apart(athena: FakeAthena) -> None:
    done = run("query", "SELECT * FROM {table}", "--group", "shells")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        'a, "b"\t7\t1.5\ttrue\t2026-11-27 12:00:00.250',
        "\t\t\t\t",
        "c\t8\tInfinity\tfalse\t2026-11-27 12:00:01.000",
    ]
    assert done.stderr.splitlines() == ["query q-1: queued", "query q-1: running", "query q-1: succeeded"]
    assert athena.started == [
        {
            "QueryString": 'SELECT * FROM "shells_1"',
            "WorkGroup": "primary",
            "ResultConfiguration": {"OutputLocation": "s3://signalbox-artifacts/queries/"},
            "QueryExecutionContext": {"Database": "store"},
        }
    ]
    assert athena.read == [("results", "queries/q-1.csv")]  # where the query says, as a work group may decide it


def test_json_has_numbers_and_null_as_such_and_csv_tells_null_from_an_empty_text(
    athena: FakeAthena, tmp_path: Path
) -> None:
    first, second, third = json.loads(run("query", "SELECT 1", "--json").stdout)
    written = {"written": "2026-11-27 12:00:00.250"}
    assert first == {"id": 'a, "b"', "rings": 7, "weight": 1.5, "whole": True, **written}
    assert second == {"id": "", "rings": None, "weight": None, "whole": None, "written": None}
    assert third["weight"] == "Infinity"

    done = run("query", "SELECT 1", "--csv", tmp_path / "all.csv", "--work-group", "team")
    assert "3 rows in" in done.output
    assert (tmp_path / "all.csv").read_text() == FILE
    assert athena.started[-1]["WorkGroup"] == "team"
    assert "QueryExecutionContext" not in athena.started[-1]


def test_a_long_result_is_cut_and_says_where_the_rest_is(athena: FakeAthena) -> None:
    athena.types, athena.content = {"n": "bigint"}, '"n"\n' + "".join(f'"{number}"\n' for number in range(103))
    lines = run("query", "SELECT 1").stdout.splitlines()
    assert lines[-2:] == ["99", "3 rows more: --csv FILE has all"]


def test_a_row_of_one_null_is_a_row(athena: FakeAthena) -> None:
    athena.types, athena.content = {"n": "bigint"}, '"n"\n\n"1"\n'
    assert json.loads(run("query", "SELECT 1", "--json").stdout) == [{"n": None}, {"n": 1}]


def test_a_query_that_fails_says_why_in_one_sentence(athena: FakeAthena) -> None:
    athena.states, athena.reason = ["RUNNING", "FAILED"], "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"
    done = run("query", "SELECT x FROM {table}", "--group", "shells")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == f"error: query q-1 failed: {athena.reason}"


def test_a_table_without_a_group_is_asked_for_and_nothing_is_started(athena: FakeAthena) -> None:
    done = run("query", "SELECT * FROM {table}")
    assert "say with --group which feature group's table is meant" in done.stderr
    assert athena.started == []


def test_a_group_without_a_table_is_said_to_have_none() -> None:
    with pytest.raises(OperateError, match="feature group shells has no table to query"):
        queries.resolved("SELECT 1", "shells", FakeCloud(FakeAthena(), table=False))


def test_a_query_that_takes_too_long_is_stopped() -> None:
    athena, paused = FakeAthena(["RUNNING"]), list[float]()
    desk = QueryDesk(athena, athena, "s3://b/", longest=60, pause=paused.append)

    with pytest.raises(OperateError, match="query q-1 was stopped after 1 minutes: ask for less"):
        desk.ask("SELECT 1")

    assert athena.stopped == ["q-1"]
    assert 60 <= sum(paused) < 63


def test_a_notebook_gets_a_frame_with_types() -> None:
    cells = queries.query("SELECT * FROM {table}", "shells", session=FakeCloud(FakeAthena(["SUCCEEDED"])))

    assert {name: str(kind) for name, kind in cells.dtypes.items()} == {
        "id": "string",
        "rings": "Int64",
        "weight": "float64",
        "whole": "boolean",
        "written": str(cells["written"].dtype),
    }
    assert str(cells["written"].dtype).startswith("datetime64")
    assert cells["rings"].isna().tolist() == [False, True, False]
    assert cells["id"].tolist() == ['a, "b"', "", "c"]
    assert cells["whole"].tolist()[0] is True


def test_a_frame_of_no_rows_and_of_two_columns_of_one_name_is_one() -> None:
    athena = FakeAthena(["SUCCEEDED"])
    athena.content = FILE.splitlines()[0] + "\n"
    assert len(queries.frame(asked(athena).ask("SELECT 1"))) == 0
    rows = iter(list[list[str | None]]([["1", "2.5"]]))
    twice = queries.frame(queries.Answer(("n", "n"), ("bigint", "double"), rows))
    assert [list(row) for row in twice.to_numpy()] == [[1, 2.5]]


def test_the_artifacts_bucket_forgets_results_after_a_week() -> None:
    class Loader(yaml.SafeLoader):
        """Reads what CloudFormation writes with tags of its own."""

    Loader.add_multi_constructor("!", lambda *_: None)
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader)  # noqa: S506  # a SafeLoader
    rules = template["Resources"]["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == f"{queries.FOLDER}/"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 7)


def test_a_training_set_asks_for_a_thousand_labels_at_a_time(athena: FakeAthena, tmp_path: Path) -> None:
    rows = [f"it's {number},{number}.5,{number}" for number in range(1001)]
    (tmp_path / "labels.csv").write_text("record_id,time,rings\n" + "\n".join(rows) + "\n")
    (tmp_path / "features.yaml").write_bytes((ABALONE / "features.yaml").read_bytes())
    files = iter([range(1000), range(1)])
    columns = '"label_number","length"\n'

    def result(**_: Any) -> dict[str, io.BytesIO]:
        return {"Body": io.BytesIO((columns + "".join(f'"{one}","0.{one}"\n' for one in next(files))).encode())}

    athena.get_object = result  # type: ignore[method-assign]
    athena.types = {"label_number": "bigint", "length": "double"}
    where = ("--folder", tmp_path, "--output", tmp_path / "set.csv")
    done = run("training-set", tmp_path / "labels.csv", "--query", "--feature", "length", *where)

    assert done.exit_code == 0, done.output
    kept = (tmp_path / "set.csv").read_text().splitlines()
    assert (kept[0], kept[1], kept[-1]) == (
        "record_id,time,rings,length",
        "it's 0,0.5,0,0.0",
        "it's 1000,1000.5,1000,0.0",
    )
    first, second = (one["QueryString"] for one in athena.started)
    assert "(0, 'it''s 0', CAST('0.5' AS DOUBLE))" in first
    assert "(0, 'it''s 1000', CAST('1000.5' AS DOUBLE))" in second


def test_labels_that_make_too_long_a_query_are_not_asked_for(athena: FakeAthena, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("record_id,time\n" + "".join(f"{'x' * 400},{one}\n" for one in range(1000)))
    (tmp_path / "features.yaml").write_bytes((ABALONE / "features.yaml").read_bytes())
    output = tmp_path / "set.csv"
    output.write_text("of before")
    done = run("training-set", tmp_path / "labels.csv", "--query", "--folder", tmp_path, "--output", output)
    assert output.read_text() == "of before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.yaml", "labels.csv", "set.csv"]
    assert "1,000 labels make a query of more than 262,144 bytes" in done.stderr
    assert athena.started == []


def test_a_feature_that_the_labels_have_too_is_named(athena: FakeAthena, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("record_id,time,length\na,1,2\n")
    (tmp_path / "features.yaml").write_bytes((ABALONE / "features.yaml").read_bytes())
    output = tmp_path / "set.csv"
    done = run("training-set", tmp_path / "labels.csv", "--query", "--folder", tmp_path, "--output", output)
    assert not output.exists()
    assert "length is a column of the labels and a feature: leave the feature out" in done.stderr
    assert athena.started == []
