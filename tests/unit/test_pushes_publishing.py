"""What a build has published is run or trained once, and nothing of another project."""

from typing import Any

import pytest
from tests.support.pushes import PushWorld, commit, published
from tests.support.samples import sqs_event

from signalbox.pushes import documents
from signalbox.pushes.handling import handle
from signalbox.pushes.model import Changed, Published, TrainedImage

A, B = commit(1), commit(2)
IMAGE = TrainedImage("wine", "123456789012.dkr.ecr.us-east-1.amazonaws.com/signalbox/wine:wine-1", A)


@pytest.fixture
def world() -> PushWorld:
    return PushWorld()


def publish(world: PushWorld, what: Published, project: str = "wine") -> None:
    world.published[project] = what
    event: Any = sqs_event(published(project), group="published", queue="pushes")
    assert handle(event, world.ports()) == {"batchItemFailures": []}


def test_a_pipeline_that_a_commit_changed_is_asked_to_run(world: PushWorld) -> None:
    (key,) = world.projects[0].pipelines
    publish(world, Published(A, "arn:ann", {key: Changed(A, "d1")}))
    assert world.trainings.runs == [(world.projects[0].pipelines[key].name, A)]


def test_a_pipeline_or_model_that_is_not_the_projects_is_left_alone(world: PushWorld) -> None:
    stolen = IMAGE._replace(model="abalone")
    publish(world, Published(A, "arn:ann", {"other": Changed(A, "d1")}, (stolen, IMAGE._replace(model="unknown"))))
    assert not world.trainings.runs
    assert not world.trainings.images


def test_an_image_is_trained_once_however_often_it_is_told(world: PushWorld) -> None:
    what = Published(A, "arn:ann", {}, (IMAGE,))
    publish(world, what)
    publish(world, what)
    assert world.trainings.images == [IMAGE]


def test_another_image_of_the_model_is_trained_and_the_first_one_again_when_it_comes_back(world: PushWorld) -> None:
    other = IMAGE._replace(image=f"{IMAGE.image}2", commit=B)
    publish(world, Published(A, "arn:ann", {}, (IMAGE,)))
    publish(world, Published(B, "arn:ann", {}, (other,)))
    assert world.trainings.images == [IMAGE, other]


def test_what_is_gone_by_now_asks_for_nothing(world: PushWorld) -> None:
    event: Any = sqs_event(published("gone"), group="published", queue="pushes")
    assert handle(event, world.ports()) == {"batchItemFailures": []}
    assert not world.trainings.runs


def test_a_document_that_a_build_spoiled_holds_up_no_other_projects_publication(world: PushWorld) -> None:
    (key,) = world.projects[0].pipelines
    world.published["wine"] = Published(A, "arn:ann", {key: Changed(A, "d1")})
    find = world.published.get
    ports = world.ports()
    spoiled = ports.publishing._replace(
        published=lambda project: documents.parse_published("{") if project == "spoiled" else find(project)
    )
    event: Any = sqs_event(published("spoiled"), published("wine"), group="published", queue="pushes")

    assert handle(event, ports._replace(publishing=spoiled)) == {"batchItemFailures": []}
    assert [commit for _, commit in world.trainings.runs] == [A]


def test_a_document_is_read_as_it_was_written() -> None:
    what = Published(B, "arn:ann", {"train": Changed(A, "d1")}, (IMAGE,))
    assert documents.parse_published(documents.to_json(what)) == what


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "give an object"),
        ('{"project": "wine"}', "repository"),
        ('{"project": "wine", "repository": {"provider": "svn", "name": "x"}}', "provider"),
        ('{"project": "wine", "more": 1}', "more"),
    ],
)
def test_an_automation_that_cannot_be_used_is_refused_by_its_field(text: str, problem: str) -> None:
    with pytest.raises(documents.PushDocumentError, match=problem):
        documents.parse_automation(text)


def test_an_automation_that_speaks_for_another_project_or_is_not_understood_is_left_out() -> None:
    text = (
        '{"project": "wine", "repository": {"provider": "codecommit", "name": "p-wine"}, "main": "main", '
        '"build": "p-wine"}'
    )
    known = documents.readable([("abalone", text), ("broken", "{"), ("wine", text)])
    assert [(one.project, one.branches) for one in known] == [("wine", None)]
