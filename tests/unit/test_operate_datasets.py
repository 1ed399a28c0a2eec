"""Data of a container are put where it finds them, and what would end its training, or flatter its test, is said."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.project_cloud import ProjectCloud
from typer.testing import CliRunner, Result

from signalbox.projects import ModelDocument, ModelRoles, ModelTest, ModelTraining, to_json
from signalbox_operate import account, cli

ROLE = "arn:aws:iam::123456789012:role/x"
TRAIN = "".join(f"{number % 3},{number},{number * 0.5}\n" for number in range(30))
TEST = "".join(f"{number % 3},{number},{number * 0.5}\n" for number in range(100, 130))


class World:
    """A stack whose models have documents, a bucket that remembers, and a folder for files."""

    def __init__(self, folder: Path) -> None:
        self.cloud, self.folder = ProjectCloud(), folder
        self.uploaded: dict[str, bytes] = {}
        vars(self.cloud.s3)["upload_file"] = self._upload_file  # boto3's own addition to the API
        self.cloud.s3.answers |= {"list_objects_v2": self._listed, "delete_objects": self._deleted}

    def model(self, name: str, problem: Any = "multiclass", content_type: str = "text/csv") -> None:
        """Let a project have a model: one that a pipeline trains where there is no problem."""
        document = ModelDocument(
            name,
            "flowers",
            "flowers-0",
            ModelRoles(ROLE, ROLE, ROLE),
            training=ModelTraining(problem) if problem else None,
            test=ModelTest(content_type),
        )
        self.cloud.ssm.found[f"/signalbox/models/{name}"] = to_json(document)

    def write(self, **files: str | bytes) -> None:
        """Write files into the folder: `__` is the dot of a name."""
        for name, content in files.items():
            path = self.folder / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def put(self, model: str, *options: str) -> Result:
        """Run the command in the folder."""
        return CliRunner().invoke(cli.app, ["data", "put", model, *options])

    def _upload_file(self, file: str, bucket: str, key: str) -> None:
        assert bucket == "signalbox-data"
        self.uploaded[key] = Path(file).read_bytes()

    def _listed(self, **request: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": key} for key in self.uploaded if key.startswith(request["Prefix"])]}

    def _deleted(self, **request: Any) -> dict[str, Any]:
        for one in request["Delete"]["Objects"]:
            del self.uploaded[one["Key"]]
        return {}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(account, "client", made.cloud.clients.__getitem__)
    stack = made.cloud.place().stack
    monkeypatch.setattr("signalbox_operate.commands.feeding.stack_of", lambda _: stack)
    made.model("iris")
    made.write(train__csv=TRAIN, test__csv=TEST)
    return made


def test_files_are_put_into_the_models_own_folders_and_said(world: World) -> None:
    done = world.put("iris", "--train", "train.csv", "--test", "test.csv")

    assert done.exit_code == 0, done.output
    assert world.uploaded == {
        "models/iris/train/train.csv": TRAIN.encode(),
        "models/iris/test/test.csv": TEST.encode(),
    }
    assert "train: 30 rows, 3 columns, label first\n" in done.output


def test_a_folder_is_put_whole_without_what_an_operating_system_hides_in_it(world: World) -> None:
    files: dict[str, str | bytes] = {"rows/.DS_Store": b"x", "rows/__MACOSX/a": "x"}
    world.write(**files, **{"rows/a__csv": TRAIN, "rows/more/b__csv": TRAIN})
    assert world.put("iris", "--train", "rows").exit_code == 0
    assert list(world.uploaded) == ["models/iris/train/a.csv", "models/iris/train/more/b.csv"]


def test_files_that_the_project_names_are_put_without_being_named_again(world: World) -> None:
    yaml = "project: flowers\ncontainers: {iris: {problem: multiclass, train: train.csv, test: test.csv}}\n"
    world.write(signalbox__yaml=yaml)
    assert world.put("iris").exit_code == 0
    assert len(world.uploaded) == 2
    assert "give the files with --train and --test" in world.put("other").stderr


def test_what_the_project_names_for_further_channels_is_put_as_it_is_but_nothing_packed_or_hidden(world: World) -> None:
    channels = "channels: {validation: more.csv, words: words}"
    yaml = f"project: flowers\ncontainers: {{iris: {{problem: multiclass, train: train.csv, {channels}}}}}\n"
    files = {"words/a.txt": "any text", "words/.DS_Store": "x"}
    world.write(signalbox__yaml=yaml, more__csv=TEST)
    for name, text in files.items():
        (world.folder / name).parent.mkdir(exist_ok=True)
        (world.folder / name).write_text(text)
    done = world.put("iris")
    assert done.exit_code == 0, done.stderr
    assert sorted(world.uploaded) == [
        "models/iris/channels/validation/more.csv",
        "models/iris/channels/words/a.txt",
        "models/iris/train/train.csv",
    ]
    world.write(more__csv=b"\x1f\x8b\x08packed")
    assert "more.csv is compressed (gzip)" in world.put("iris").stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("kind,length,width\n" + TRAIN, "line 1 of train.csv is a header (kind,length,width): take it out"),
        (TRAIN.replace(",", ";"), "line 1 of train.csv has one column: its columns have ';' between them: put commas"),
        (TRAIN.replace(",", "\t"), "has one column: its columns have '\\t' between them"),
        ("a\nb\n", "line 1 of train.csv has one column: a label and features are needed"),
        (TRAIN + "1,2\n", "line 31 of train.csv has 2 columns, and the rows before it have 3"),
        (TRAIN + ",2,3\n", "line 31 of train.csv has no label: the first column is empty"),
        (b"\xef\xbb\xbf" + TRAIN.encode(), "train.csv begins with a byte order mark, a part of the first label"),
        (b"\xff\xfea\x00", "train.csv is UTF-16: save it as UTF-8"),
        (b"\x1f\x8b\x08" + b"x" * 40, "train.csv is compressed (gzip): unpack it, with gunzip"),
        (b"PK\x03\x04" + b"x" * 40, "train.csv is a zip archive or a workbook"),
        (b"PAR1" + b"x" * 40, "train.csv is a Parquet file: write it as CSV"),
        ("", "train.csv is empty: leave it out"),
        ("\n\n", "train.csv has no rows"),
        ("1,gänse,2\n".encode("latin-1"), "train.csv is not UTF-8"),
        ('1,"a\nb",2\n', "line 1 of train.csv ends inside a quoted cell"),
        ("".join(f"{number}.5,{number % 3}\n" for number in range(30)), "is the label in another column?"),
        ("1,2,3\n1,3,4\n", "every row of train.csv has the label '1': there is nothing to learn"),
    ],
)
def test_what_a_training_would_stumble_over_is_said_and_nothing_is_put(
    world: World, content: str | bytes, told: str
) -> None:
    world.write(train__csv=content)
    done = world.put("iris", "--train", "train.csv", "--test", "test.csv")
    assert done.exit_code == 1
    assert told in " ".join(done.stderr.split())
    assert not world.uploaded


@pytest.mark.parametrize(
    ("problem", "row", "told"),
    [
        ("regression", "red,1,2\n", "begins with 'red', and the label of a regression is a number"),
        (
            "binary",
            "7,1,2\n8,1,2\n",
            "has 5 different values (0, 1, 2, 7, 8, …), and the label of a binary problem has two",
        ),
    ],
)
def test_a_first_column_that_is_no_label_of_the_problem_is_said(
    world: World, problem: str, row: str, told: str
) -> None:
    world.model("iris", problem)
    world.write(train__csv=TRAIN + row)
    assert told in " ".join(world.put("iris", "--train", "train.csv").stderr.split())


def test_rows_that_are_in_both_are_refused_and_few_of_them_are_said(world: World) -> None:
    world.write(test__csv=TRAIN)
    assert (
        "30 of 30 test rows are training rows too"
        in world.put("iris", "--train", "train.csv", "--test", "test.csv").stderr
    )
    world.write(test__csv=TEST + TRAIN.splitlines()[0] + "\n")
    done = world.put("iris", "--train", "train.csv", "--test", "test.csv")
    assert "note: 1 of 31 test rows are training rows too" in done.output


def test_labels_and_columns_that_only_the_test_has_are_said(world: World) -> None:
    world.write(test__csv=TEST + "9,1,2\n")
    done = world.put("iris", "--train", "train.csv", "--test", "test.csv")
    assert "note: the test data have labels that no training row has: 9" in done.output
    world.write(test__csv="1,2,3,4\n0,2,3,5\n")
    done = world.put("iris", "--train", "train.csv", "--test", "test.csv")
    assert "the training data have 3 columns, and the test data 4" in done.stderr


def test_other_files_of_a_model_are_said_and_taken_away_only_where_that_is_meant(world: World) -> None:
    world.uploaded = {"models/iris/train/old.csv": b"x", "models/iris/test/old.csv": b"y"}
    done = world.put("iris", "--train", "train.csv")
    assert "other files (1) lie under s3://signalbox-data/models/iris/train/, such as old.csv" in done.stderr
    assert set(world.uploaded) == {"models/iris/train/old.csv", "models/iris/test/old.csv"}

    assert world.put("iris", "--train", "train.csv", "--replace").exit_code == 0
    assert set(world.uploaded) == {"models/iris/train/train.csv", "models/iris/test/old.csv"}


def test_a_model_that_no_container_trains_is_said(world: World) -> None:
    world.model("wine", None)
    assert "the model wine is trained by a pipeline of flowers" in world.put("wine", "--train", "train.csv").stderr
    assert "no project has a model 'beer'" in world.put("beer", "--train", "train.csv").stderr


def test_what_is_no_csv_is_put_as_it_is(world: World) -> None:
    world.model("iris", content_type="application/json")
    world.write(train__json='{"a": 1}')
    done = world.put("iris", "--train", "train.json")
    assert "the model takes application/json: what is in the files was not looked at" in done.output
    assert list(world.uploaded) == ["models/iris/train/train.json"]


def test_a_file_that_is_hidden_or_not_there_or_twice_is_said(world: World) -> None:
    world.write(**{"__train": TRAIN, "other/train__csv": TRAIN})
    assert ".train is hidden" in world.put("iris", "--train", ".train").stderr
    assert "there is no none.csv" in world.put("iris", "--train", "none.csv").stderr
    done = world.put("iris", "--train", "train.csv", "--train", "other/train.csv")
    assert "would both be train/train.csv: name one of them otherwise" in done.stderr
