"""What differs from what was tested and approved is refused: before it is made, when it serves, and on the way back."""

import json
from collections.abc import Callable
from copy import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.unit.releases_world import GOLDEN, TESTED, World, arn, content, execution_arn, report, report_of

from signalbox.aws.model import ModelContainer, ModelPackage
from signalbox.releases.content import ContentChangedError
from signalbox.releases.verifying import verify

if TYPE_CHECKING:
    from signalbox.contracts.releases import LastAnswer, VerificationQuestion

AT = "2026-11-20T10:00:00Z"


def changed(world: World, **fields: Any) -> None:
    """Change what the registry has of version 2."""
    world.registry.packages[arn(2)] = replace(world.registry.packages[arn(2)], **fields)


def own(package: ModelPackage) -> ModelContainer:
    return package.containers[0]


def other_environment(world: World) -> None:
    container = replace(own(world.registry.packages[arn(2)]), environment={"VERSION": "other"})
    changed(world, containers=(container,))


def other_data(world: World) -> None:
    changed(
        world, containers=(replace(own(world.registry.packages[arn(2)]), model_data="s3://artifacts/other.tar.gz"),)
    )


def second_container(world: World) -> None:
    changed(world, containers=(own(world.registry.packages[arn(2)]),) * 2)


def lent_report(world: World) -> None:
    changed(world, properties={"report": report_of(1)})


def report_of_another_execution(world: World) -> None:
    lent = report(2) | {"package": None, "execution": execution_arn("somebody-elses")}
    world.files.files[report_of(2)] = json.dumps(lent)


def report_without_content(world: World) -> None:
    world.files.files[report_of(2)] = json.dumps({"package": arn(2)})


def no_report(world: World) -> None:
    changed(world, properties={})


CHANGES: dict[Callable[[World], None], str] = {
    lambda world: world.files.replace(2): "packages/v2/model.tar.gz was replaced on 2026-11-19",
    lambda world: world.files.stored.update({content(2)["model_data"]: None}): "packages/v2/model.tar.gz is gone",
    lambda world: world.files.stored.update({content(2)["source"]: replace(TESTED, etag="other")}): (
        "training/v2/model.tar.gz was replaced on 2026-11-19"
    ),
    other_environment: "image, model data or environment",
    other_data: "image, model data or environment",
    second_container: "image, model data or environment",
    lent_report: f"its report {report_of(1)} is about {arn(1)}",
    report_of_another_execution: "somebody-elses",
    report_without_content: "does not say what was tested",
    no_report: "has no report",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_package_that_is_not_what_was_tested_is_not_made_and_people_are_told(change: Callable[[World], None]) -> None:
    world = World()
    world.registry.put(2, "Approved")
    change(world)

    ended = world.run("approved", 2, AT)

    assert ended.action == "failed"
    assert CHANGES[change] in ended.arguments["Cause"]
    assert world.sagemaker.models == {}
    assert world.live("staging") is None


def test_a_model_that_is_replaced_between_two_stages_is_served_in_the_first_only_and_nobody_is_asked() -> None:
    world = World()
    world.registry.put(2, "Approved")
    for action in world.execution("approved", 2, AT, "run"):
        world.sagemaker.tick()
        if action == "record":
            world.files.replace(2)

    assert "was replaced on" in world.finished["run"].arguments["Cause"]
    assert (world.live("staging"), world.live("prod")) == (arn(2), None)
    assert "review" not in world.actions["run"]


def retest(world: World) -> None:
    """Test version 2 once more: it has other evidence then, which is as good."""
    again = report_of(2).replace("report.json", "again.json")
    world.files.files[again] = world.files.files[report_of(2)]
    changed(world, properties={"report": again})


def test_a_package_that_was_tested_again_between_two_stages_stays_in_the_first_with_what_was_approved() -> None:
    world = World()
    world.registry.put(2, "Approved")
    for action in world.execution("approved", 2, AT, "run"):
        world.sagemaker.tick()
        if action == "record":
            retest(world)

    assert f"it was tested again; {report_of(2)} was approved" in world.finished["run"].arguments["Cause"]
    assert (world.live("staging"), world.live("prod")) == (arn(2), None)
    assert "review" not in world.actions["run"]


def test_a_release_by_older_evidence_leaves_the_package_to_the_release_by_the_newer_one() -> None:
    world = World()
    world.registry.put(2, "Approved")
    retest(world)
    newest = world.registry.packages[arn(2)].properties["report"]

    older = world.run("approved", 2, AT, "older", report=report_of(2))

    assert older.outcome["verdict"] == "superseded"
    assert world.sagemaker.models == {}
    assert world.run("approved", 2, AT, "newer", report=newest).outcome["verdict"] == "released"


def test_the_inference_specification_that_was_tested_is_the_one_that_is_deployed() -> None:
    world = World()
    world.registry.put(2, "Approved")
    tested = own(world.registry.packages[arn(2)])
    changed(
        world,
        containers=(ModelContainer("image:latest", "s3://artifacts/written.tar.gz"),),
        additional={"s": (tested,)},
    )
    world.files.files[report_of(2)] = json.dumps(report(2) | {"content": content(2) | {"specification": "s"}})
    asked: list[Any] = []
    make = world.sagemaker.create_model

    def listened(request: Any) -> "LastAnswer":
        asked.append(request)
        return make(request)

    world.sagemaker.create_model = listened  # type: ignore[method-assign]  # listened to

    world.run("approved", 2, AT)

    assert asked[0]["Containers"] == [{"ModelPackageName": arn(2), "InferenceSpecificationName": "s"}]


def test_what_served_before_does_not_return_once_it_was_replaced() -> None:
    world = World()
    world.registry.put(1, "Approved")
    world.run("approved", 1, AT, "first")
    world.registry.put(2, "Approved", golden=GOLDEN)
    world.files.files[GOLDEN] = json.dumps(
        {"problem": "classification", "content_type": "text/csv", "requests": [{"body": "1", "expected": "2"}]}
    )
    world.files.replace(1)

    ended = world.run("approved", 2, "2026-11-20T11:00:00Z", "second")

    left = ended.outcome["rollback"]
    assert left is not None
    assert left["result"] == "left"
    assert "packages/v1/model.tar.gz was replaced on" in left["reason"]
    assert world.live("staging") == arn(2)


PLAIN: dict[str, Any] = {"data_type": "S3Prefix", "compression": "None"}
UNPACKED = "s3://artifacts/packages/v2/1/"


def in_two_containers(world: World) -> None:
    """Make version 2 a pipeline: its second container's data are the files under a prefix, its third has none."""
    first = own(world.registry.packages[arn(2)])
    second = ModelContainer(f"{first.image}2", UNPACKED, {}, "", "S3Prefix", "None")
    changed(world, containers=(first, second, ModelContainer(f"{first.image}3")))
    no_data: dict[str, Any] = {
        "source": "",
        "source_etag": "",
        "model_data": "",
        "version": None,
        "etag": "",
        "environment": {},
    }
    kept = content(2) | {"image": second.image, "model_data": UNPACKED, "environment": {}, **PLAIN}
    whole = content(2) | {"behind": [kept, {**no_data, "image": f"{first.image}3"}]}
    world.files.files[report_of(2)] = json.dumps(report(2) | {"content": whole})


def test_a_pipeline_of_containers_is_released_when_every_container_is_what_was_approved() -> None:
    world = World()
    world.registry.put(2, "Approved")
    in_two_containers(world)

    assert world.run("approved", 2, AT).action == "done"


def other_files(world: World) -> None:
    world.files.stored[UNPACKED] = replace(TESTED, etag="other")


def no_third_container(world: World) -> None:
    changed(world, containers=world.registry.packages[arn(2)].containers[:2])


def archive_instead_of_files(world: World) -> None:
    first, second, third = world.registry.packages[arn(2)].containers
    changed(world, containers=(first, replace(second, data_type=None, compression=None), third))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_files, f"{UNPACKED} was replaced on"),
        (no_third_container, "image, model data or environment"),
        (archive_instead_of_files, "image, model data or environment"),
    ],
)
def test_a_pipeline_of_which_one_container_differs_is_not_released(change: Callable[[World], None], said: str) -> None:
    world = World()
    world.registry.put(2, "Approved")
    in_two_containers(world)
    change(world)

    assert said in world.run("approved", 2, AT).arguments["Cause"]


def test_an_endpoint_that_runs_each_of_a_pipelines_images_is_verified_and_one_with_another_is_not() -> None:
    behind = [content(2) | {"image": content(3)["image"]}]
    both = question(content=content(2) | {"behind": behind}, golden=None)

    assert verify(both, serving(content(2)["image"], content(3)["image"]).checks) == {"answers": 0}
    with pytest.raises(ContentChangedError, match=r"it runs .*, not .* and "):
        verify(both, serving(content(4)["image"]).checks)


def test_what_a_model_was_copied_from_may_be_gone() -> None:
    world = World()
    world.registry.put(2, "Approved")
    world.files.stored[content(2)["source"]] = None

    assert world.run("approved", 2, AT).action == "done"


def question(**more: Any) -> "VerificationQuestion":
    given: dict[str, Any] = {"endpoint": "e", "config": "c", "package": arn(2), "golden": GOLDEN, "content": content(2)}
    return cast("VerificationQuestion", given | more)


def serving(*images: str) -> World:
    world = World()
    world.registry.put(2, "Approved")
    world.sagemaker.serve("e", "c", arn(2))
    world.sagemaker.endpoints["e"] = replace(world.sagemaker.endpoints["e"], images=images)
    return world


def test_an_endpoint_that_runs_the_tested_image_is_verified() -> None:
    assert verify(question(), serving(content(2)["image"]).checks) == {"answers": 0}


def test_an_endpoint_that_runs_another_image_is_refused() -> None:
    with pytest.raises(ContentChangedError, match="runs abalone@sha256:other"):
        verify(question(), serving("abalone@sha256:other").checks)


def test_data_that_were_replaced_while_the_endpoint_moved_are_refused() -> None:
    world = serving()
    world.files.replace(2)

    with pytest.raises(ContentChangedError, match="was replaced on"):
        verify(question(), world.checks)


def test_golden_requests_that_another_model_answered_are_refused() -> None:
    world = serving()
    world.files.golden_of[GOLDEN] = 1

    with pytest.raises(ContentChangedError, match="golden requests"):
        verify(question(), world.checks)


def test_what_was_tested_before_contents_were_recorded_is_compared_by_its_config_alone() -> None:
    assert verify(question(content=None), serving("any").checks) == {"answers": 0}
