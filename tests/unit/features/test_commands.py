"""`signalbox features …` on files of this machine: each command does its one thing, and says what it cannot do."""

import json
from pathlib import Path

import pytest
from tests.support.features import ABALONE, records
from typer.testing import CliRunner, Result

from signalbox_features import definition as definitions
from signalbox_operate import cli

SAMPLE = ABALONE / "sample.csv"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["features", *map(str, words)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The features of abalone in a folder of their own, fitted on its sample."""
    (tmp_path / "features.yaml").write_bytes((ABALONE / "features.yaml").read_bytes())
    done = run("fit", SAMPLE, "--folder", tmp_path)
    assert done.exit_code == 0, done.output
    return tmp_path


def test_abalone_is_fitted_and_applied_by_two_commands(project: Path) -> None:
    done = run("apply", SAMPLE, "--folder", project, "--output", project / "out")

    assert done.exit_code == 0, done.output
    assert "1 files, 800 rows: 800 records, 0 rows and 0 files in quarantine; see" in done.output
    assert len(records(project)) == 800
    assert (project / "out" / "report.html").is_file()


def test_a_definition_is_checked_and_printed_as_the_job_reads_it(project: Path) -> None:
    assert "features of group abalone: 9 columns, 9 features" in run("check", project).output

    (project / "compiled.json").write_text(run("check", project, "--json").stdout)
    assert definitions.read(project / "compiled.json").group == "abalone"


def test_what_is_wrong_is_said_line_by_line_with_exit_code_1(project: Path) -> None:
    broken = (
        (project / "features.yaml").read_text().replace("{name: rings}", "{name: ring}").replace("max: 60", "max: 0")
    )
    (project / "features.yaml").write_text(broken)
    done = run("check", project)

    assert done.exit_code == 1
    first, second = done.stderr.splitlines()
    assert first == "error: features.yaml, line 17, features[0].name: there is no column ring: did you mean rings?"
    assert second == "error: features.yaml, line 35, quality[8].min: is 1, more than max, which is 0"


def test_features_that_were_not_fitted_are_not_applied(project: Path) -> None:
    (project / "features.fitted.json").unlink()
    done = run("apply", SAMPLE, "--folder", project, "--output", project / "out")
    assert done.exit_code == 1
    assert "fit the features first, with `signalbox features fit`" in done.stderr


def test_a_run_that_fails_says_why_and_leaves_its_report(project: Path) -> None:
    (project / "bad.csv").write_text("X,1,1,1,1,1,1,1,1\n")
    done = run("apply", project / "bad.csv", "--folder", project, "--output", project / "out")
    assert done.exit_code == 1
    assert "sex is 'X', wants one of F, I, M" in done.stderr
    assert (project / "out" / "report.json").is_file()


def test_a_mended_quarantine_is_applied_as_a_file(project: Path) -> None:
    (project / "bad.csv").write_text("X,1,1,1,1,1,1,1,1\n")
    run("apply", project / "bad.csv", "--folder", project, "--output", project / "out")
    kept = project / "mended-quarantine.jsonl"
    kept.write_text((project / "out" / "quarantine.jsonl").read_text().replace('["X"', '["M"'))
    done = run("apply", kept, "--folder", project, "--output", project / "out")

    assert done.exit_code == 0, done.output
    (record,) = records(project)
    assert (record["file"], record["sex_M"]) == ("bad.csv", "1.0")


def test_a_flow_is_imported_with_what_is_to_be_known_of_it(tmp_path: Path) -> None:
    types = {"schema": {"id": "string", "length": "float"}}
    place = {"dataset_definition": {"s3ExecutionContext": {"s3HasHeader": True, "s3ContentType": "csv"}}}
    nodes = [
        {"node_id": "s", "type": "SOURCE", "operator": "sagemaker.s3_source_0.1", "parameters": place, "inputs": []},
        {
            "node_id": "t",
            "type": "TRANSFORM",
            "operator": "sagemaker.spark.infer_and_cast_type_0.1",
            "trained_parameters": types,
            "inputs": [{"node_id": "s"}],
        },
    ]
    (tmp_path / "dw.flow").write_text(json.dumps({"nodes": nodes}))
    done = run("import", tmp_path / "dw.flow", "--folder", tmp_path / "p", "--identifier", "id", "--group", "shells")
    assert done.exit_code == 0, done.output
    assert "features.yaml: 1 features" in done.output
    assert "features of group shells: 2 columns, 1 features" in run("check", tmp_path / "p").output

    noted = run("import", tmp_path / "dw.flow", "--folder", tmp_path / "q")
    assert "note: identifiers are made of the upload and the line" in noted.stderr


def test_a_training_set_is_made_of_labels_and_the_records_of_a_run(project: Path) -> None:
    run("apply", SAMPLE, "--folder", project, "--output", project / "out")
    first = records(project)[0]
    moment = float(first["record_time"])
    labels = f"record_id,time,age\n{first['record_id']},{moment},9\n{first['record_id']},{moment - 1},8\n"
    (project / "labels.csv").write_text(labels)
    words = ("--records", project / "out" / "records.csv", "--feature", "length", "--output", project / "training.csv")
    done = run("training-set", project / "labels.csv", "--folder", project, *words)

    assert done.exit_code == 0, done.output
    _, after, before = (project / "training.csv").read_text().splitlines()
    assert after.endswith(f",9,{first['length']}")
    assert before.endswith(",8,")


def test_a_training_set_is_printed_as_a_query(project: Path) -> None:
    done = run("training-set", "ages", "--sql", "abalone_1", "--feature", "length", "--time", "at", "--folder", project)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith('WITH numbered AS (\n    SELECT *, row_number() OVER () AS label_number FROM "ages"')
    assert 'LEFT JOIN "abalone_1" f ON f."record_id" = n."record_id"' in done.stdout


def test_features_alone_says_what_can_be_done() -> None:
    done = run()
    assert done.exit_code == 1
    assert "signalbox features check --help" in done.stderr
