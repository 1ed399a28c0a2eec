"""From a model to prod and back: both entries, verified releases, rollback by rejection."""

from sagemaker_local import inbox
from tests.system.world import World


def test_an_image_reaches_prod_and_answers_right(world: World) -> None:
    world.release("tree", "c1", 1)

    rows = world.rows()
    answers = world.predict("prod", "tree", "\n".join(",".join(row[1:]) for row in rows)).decode().split()
    right = sum(row[0] == answer for row, answer in zip(rows, answers, strict=True))
    assert right / len(rows) > 0.85
    assert world.live_package("tree", "staging") == world.live_package("tree", "prod")


def test_a_rejection_in_the_registry_brings_the_previous_package_back(world: World) -> None:
    rows = "\n".join(",".join(row[1:]) for row in world.rows())
    world.release("forest", "c1", 1, max_leaf_nodes="2")
    before = world.predict("prod", "forest", rows)
    world.release("forest", "c2", 2, max_leaf_nodes="8")
    assert world.predict("prod", "forest", rows) != before

    world.decide_in_registry("forest", 2, "Rejected")

    first = world.packages("forest")[0]["ModelPackageArn"]
    world.wait_for("the rollback of prod", lambda: world.live_package("forest", "prod") == first)
    assert world.predict("prod", "forest", rows) == before
    told = inbox.text(world.mail("forest version 1 is back in staging and prod"))
    assert f"prod serves: {world.group('forest')}/1, by endpoint" in told
    assert "Rejected in the registry" in told
    assert f"--model-package-arn {world.packages('forest')[1]['ModelPackageArn']} --model-approval-status" in told
