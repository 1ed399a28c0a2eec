"""The documents of projects and models: what is accepted, and what the refusal of each bad field says."""

import json
from typing import Any

import pytest
from tests.support.projects import WINE, WINE_MODEL, model_text, project_text

from signalbox import projects, stages
from signalbox.projects import ModelTest, ModelTraining, ProjectPipeline, ProjectUploads


def test_a_projects_document_becomes_its_uploads_and_pipelines() -> None:
    wine = projects.parse_project(project_text())

    assert wine.uploads == (ProjectUploads("incoming/wine/", "train", ".csv", 60),)
    assert wine.pipelines["train"] == ProjectPipeline("signalbox-wine--train", ("wine", "wine-colour"))
    assert wine.pipelines["nightly"] == ProjectPipeline("signalbox-wine--nightly", takes="nothing", parameter=None)
    assert (wine.approvers, wine.tags) == (("ann@example.com",), {"team": "cellar"})


def test_a_projects_document_may_say_what_names_the_files_of_a_set_and_whether_versions_replace_each_other() -> None:
    said = {**UPLOADS, "complete": "manifest.json", "replace": True}
    (uploads,) = projects.parse_project(project_text(uploads=[said])).uploads
    assert (uploads.complete, uploads.replace) == ("manifest.json", True)
    assert (uploads.completes("incoming/wine/manifest.json"), uploads.completes("incoming/wine/a.csv")) == (True, False)


def test_what_a_project_does_not_say_of_sets_stands_in_no_document_so_that_older_stacks_read_it() -> None:
    plain = projects.parse_project(project_text(uploads=[{**UPLOADS, "replace": False}]))
    assert not {"complete", "replace"} & set(json.loads(projects.to_json(plain))["uploads"][0])


def test_a_projects_document_needs_no_more_than_its_name_and_id() -> None:
    sparse = projects.parse_project('{"project": "p", "id": "p-0", "uploads": []}')

    assert sparse == projects.Project("p", "p-0")


def test_a_models_document_says_as_whom_and_how_it_is_trained_and_tested() -> None:
    wine = projects.parse_model(model_text())

    assert wine.roles.test.endswith("projects/wine/test")
    assert wine.stages == (stages.Stage("prod", "ml.m5.large", 2, approval=True),)
    assert wine.training == ModelTraining("multiclass", channels={"training": "s3://data/models/wine/train/"})
    assert wine.test == ModelTest("application/json", "s3://data/models/wine/golden.json")


def test_a_models_document_may_leave_all_to_the_stack() -> None:
    wine = projects.parse_model(model_text(approvers=[], stages=[], tags={}, training=None, test=None))

    assert (wine.approvers, wine.stages, wine.training, wine.test) == ((), (), None, ModelTest())


@pytest.mark.parametrize("text", [project_text(), '{"project": "p", "id": "p-0", "uploads": []}'])
def test_what_is_written_of_a_project_is_read_back_the_same(text: str) -> None:
    document = projects.parse_project(text)

    assert projects.parse_project(projects.to_json(document)) == document


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training": None, "test": {"content_type": "text/csv", "golden": None}},
        {
            "training": {"problem": "binary", "image": "i", "hyperparameters": {"depth": "3"}, "subnets": ["subnet-1"]},
            "stages": [
                {
                    "name": "prod",
                    "instance_type": "ml.m5.large",
                    "instance_count": 2,
                    "alarms": True,
                    "rollout": {"type": "canary", "percent": 10, "wait_seconds": 300},
                },
                {"name": "late", "instance_type": "ml.m5.large", "instance_count": 1},
            ],
        },
    ],
)
def test_what_is_written_of_a_model_is_read_back_the_same(changes: dict[str, Any]) -> None:
    document = projects.parse_model(model_text(**changes))

    assert projects.parse_model(projects.to_json(document)) == document


TRAIN = WINE["pipelines"]["train"]
UPLOADS = WINE["uploads"][0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"project": "Wine"}, 'project is "Wine": give 1 to 30 lower-case letters and digits'),
        ({"project": "w--x"}, 'project is "w--x": give'),
        ({"project": "w" * 31}, "give 1 to 30 lower-case"),
        ({"id": ""}, 'id is "": give a text'),
        ({"colour": "red"}, "colour is not a field: known are approvers, id, pipelines, project, tags, uploads"),
        ({"uploads": {}}, "uploads is {}: give a list of 0 to 20 objects"),
        ({"uploads": [{**UPLOADS, "prefix": "incoming"}]}, 'uploads[0].prefix is "incoming": give letters'),
        ({"uploads": [{**UPLOADS, "suffix": "*"}]}, 'uploads[0].suffix is "*"'),
        ({"uploads": [{**UPLOADS, "quiet_seconds": -1}]}, "uploads[0].quiet_seconds is -1"),
        ({"uploads": [{**UPLOADS, "longest_seconds": 59}]}, "uploads[0].longest_seconds is 59: give at least the 60"),
        ({"uploads": [{**UPLOADS, "longest_seconds": 700_000}]}, "give a whole number from 1 to 604,800"),
        ({"uploads": [{**UPLOADS, "complete": "a b"}]}, 'uploads[0].complete is "a b": give 1 to 64 letters, digits'),
        (
            {"uploads": [{**UPLOADS, "complete": ".csv"}]},
            "uploads[0].complete is '.csv', in which all keys with the suffix end: name another ending",
        ),
        ({"uploads": [{**UPLOADS, "replace": "yes"}]}, 'uploads[0].replace is "yes": allowed are true and false'),
        ({"uploads": [{**UPLOADS, "batch": 0}]}, "uploads[0].batch is 0: give a whole number from 1 to 5,000"),
        ({"uploads": [{**UPLOADS, "pipeline": "none"}]}, 'uploads[0].pipeline is "none": allowed are train'),
        ({"uploads": [{**UPLOADS, "pipeline": "nightly"}]}, 'uploads[0].pipeline is "nightly": allowed are train'),
        ({"pipelines": {"Train": TRAIN}}, "pipelines.Train.name is that of the pipeline 'Train': call it by"),
        ({"pipelines": {"train": {**TRAIN, "takes": "files"}}}, "allowed are manifest, url, nothing"),
        ({"pipelines": {"train": {**TRAIN, "parameter": None}}}, "pipelines.train.parameter is missing"),
        ({"pipelines": {"train": {**TRAIN, "takes": "nothing"}}}, "parameter is given where takes is 'nothing'"),
        ({"pipelines": {"train": {**TRAIN, "name": "a_b"}}}, 'pipelines.train.name is "a_b"'),
        ({"pipelines": {"train": {**TRAIN, "models": ["A"]}}}, 'pipelines.train.models[0] is "A"'),
        ({"approvers": ["ann@example.com", "bob"]}, 'approvers[1] is "bob": give an e-mail address'),
        ({"tags": {"team": 3}}, "tags.team is 3: give a text"),
    ],
)
def test_a_bad_field_of_a_project_is_refused_by_its_path(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(projects.ProjectDocumentError) as raised:
        projects.parse_project(project_text(**changes))

    assert str(raised.value).startswith("project document: ")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "w/x"}, 'model is "w/x"'),
        ({"roles": {}}, "roles.job is missing: give the ARN of a role"),
        ({"roles": {**WINE_MODEL["roles"], "king": "x"}}, "roles.king is not a field"),
        ({"stages": [{"name": "prod"}]}, "stages[0].instance_count is missing"),
        ({"stages": WINE_MODEL["stages"] * 2}, "stages[1].name is 'prod' again"),
        ({"training": {}}, "training.problem is missing: allowed are regression, binary, multiclass"),
        ({"training": {"problem": "binary", "max_seconds": 0}}, "training.max_seconds is 0"),
        ({"training": {"problem": "binary", "instance_type": "m5"}}, 'training.instance_type is "m5"'),
        ({"test": {"golden": "file.json"}}, 'test.golden is "file.json": give an S3 URI'),
        ({"test": {"type": "csv"}}, "test.type is not a field"),
    ],
)
def test_a_bad_field_of_a_model_is_refused_by_its_path(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(projects.ProjectDocumentError) as raised:
        projects.parse_model(model_text(**changes))

    assert said in str(raised.value)
