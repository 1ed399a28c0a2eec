"""From a model to prod and back: both entries, verified releases, rollback by rejection."""

import httpx

from sagemaker_local import inbox
from signalbox_local.browser import link
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


def test_a_new_version_is_compared_with_the_live_one_on_the_same_rows(world: World) -> None:
    world.release("twins", "c1", 1, max_leaf_nodes="8")
    rows = len(world.rows())

    same = world.train("twins", "c2", max_leaf_nodes="8")
    mail = world.mail("approve", "twins version 2")
    told = " ".join(inbox.text(mail).split())
    assert "no clear difference from the live model" in inbox.subject(mail)
    assert f"The live model (version 1) was asked for the same {rows} rows." in told
    assert told.count("(standard error ") == 2
    world.reject(mail, "nothing new")
    world.succeeded(same)

    simpler = world.train("twins", "c3", max_leaf_nodes="2")
    mail = world.mail("approve", "twins version 3")
    assert "worse than the live model" in inbox.subject(mail)
    world.reject(mail, "worse")
    world.succeeded(simpler)


def test_a_review_for_prod_says_that_the_model_which_was_live_at_the_test_serves_no_more(world: World) -> None:
    world.release("passing", "c1", 1, max_leaf_nodes="2")
    execution = world.train("passing", "c2", max_leaf_nodes="8")
    review = world.mail("approve", "passing version 2")
    assert "than the live model" in inbox.subject(review)
    world.decide_in_registry("passing", 1, "Rejected")
    world.mail("passing", "was taken down")
    assert world.endpoint("passing", "prod") is None

    world.approve(review)

    mail = world.mail("to prod", "passing version 2")
    page = httpx.get(link(mail, "approve"), timeout=30).text
    assert "version 1" in inbox.subject(mail)
    assert "which is live no more" in inbox.subject(mail)
    for said in (inbox.text(mail), page):
        assert "prod served nothing, as it had no endpoint" in " ".join(said.split())
        assert "the live model" not in said.lower()
    world.reject(mail, "seen enough")
    world.succeeded(execution)
