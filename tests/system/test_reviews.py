"""Reviews: looked at without consequence, decided once, on the page or in the registry."""

import httpx
import pytest

from sagemaker_local import inbox
from signalbox_local.browser import Browser, link
from tests.system.world import World


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_links_that_are_only_fetched_decide_nothing(world: World, method: str) -> None:
    model = f"seen-{method.lower()}"
    execution = world.train(model, "c1")
    mail = world.mail("approve", f"{model} version 1")

    for choice in ("approve", "reject"):
        for _ in range(10):
            httpx.request(method, link(mail, choice), timeout=30)

    assert world.package(model, 1)["ModelApprovalStatus"] == "PendingManualApproval"
    described = world.client("stepfunctions").describe_execution(executionArn=execution)
    assert described["status"] == "RUNNING"
    world.reject(mail, "seen enough")
    world.succeeded(execution)


def test_a_form_without_its_cookie_is_refused(world: World) -> None:
    execution = world.train("nocookie", "c1")
    mail = world.mail("approve", "nocookie version 1")
    form = {"choice": "approve", "reason": "", "nonce": "made-up"}

    answer = httpx.post(link(mail, "approve"), data=form, timeout=30)

    assert answer.status_code == 403
    assert world.package("nocookie", 1)["ModelApprovalStatus"] == "PendingManualApproval"
    world.reject(mail, "seen enough")
    world.ended(execution)


def test_a_link_whose_words_are_used_up_approves_no_more_and_whoever_is_signed_in_to_aws_does(world: World) -> None:
    execution = world.train("guessed", "c1")
    mail = world.mail("approve", "guessed version 1")

    pages = [Browser().decide(mail, "approve", typed=f"guess {letter}") for letter in "abcde"]

    assert [page.status_code for page in pages] == [403] * 5
    assert Browser().decide(mail, "approve").status_code == 403, "the right word comes too late"
    assert world.package("guessed", 1)["ModelApprovalStatus"] == "PendingManualApproval"
    told = inbox.text(world.mail("guessed version 1", "a link approves no more"))
    assert f"signalbox decide {world.group('guessed')}/1 approve" in told
    world.signalbox("decide", f"{world.group('guessed')}/1", "approve", "--reason", "seen by Ann")
    world.mail("to prod", "guessed version 1")
    world.signalbox("decide", f"{world.group('guessed')}/1", "reject", "--stage", "prod", "--reason", "not today")
    world.succeeded(execution)
    assert "by the command line" in world.package("guessed", 1)["ApprovalDescription"]
    assert world.endpoint("guessed", "prod") is None


def test_a_rejection_on_the_page_ends_it_with_name_and_reason_in_the_registry(world: World) -> None:
    execution = world.train("unloved", "c1")
    mail = world.mail("approve", "unloved version 1")

    refused = Browser().decide(mail, "reject")
    assert refused.status_code == 400
    assert "reason" in refused.text.lower()
    world.reject(mail, "it confuses virginica with versicolor")

    world.succeeded(execution)
    package = world.package("unloved", 1)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert "ann@example.com" in package["ApprovalDescription"]
    assert "it confuses virginica with versicolor" in package["ApprovalDescription"]
    assert world.endpoint("unloved", "staging") is None
    world.mail("unloved", "rejected")

    second = Browser().client.get(link(mail, "approve"))
    assert second.status_code == 200
    assert "ann@example.com" in second.text


def test_an_approval_in_the_registry_answers_the_open_review(world: World) -> None:
    execution = world.train("studio", "c1")
    mail = world.mail("approve", "studio version 1")

    world.decide_in_registry("studio", 1, "Approved")

    world.approve(world.mail("to prod", "studio version 1"))
    world.succeeded(execution)
    page = httpx.get(link(mail, "approve"), timeout=30)
    assert "<form" not in page.text
    assert world.live_package("studio", "prod") == world.packages("studio")[0]["ModelPackageArn"]


def test_a_rejection_in_the_registry_answers_the_open_review(world: World) -> None:
    execution = world.train("refused", "c1")
    mail = world.mail("approve", "refused version 1")

    world.decide_in_registry("refused", 1, "Rejected")

    world.succeeded(execution)
    world.mail("refused", "rejected")
    assert "<form" not in httpx.get(link(mail, "approve"), timeout=30).text
    assert world.endpoint("refused", "staging") is None


def test_an_approval_after_a_stop_releases_the_package_all_the_same(world: World) -> None:
    execution = world.train("resumed", "c1")
    mail = world.mail("approve", "resumed version 1")
    world.client("stepfunctions").stop_execution(executionArn=execution, cause="a wrong alarm")
    assert "a wrong alarm" in inbox.text(world.mail("resumed", "was stopped"))

    page = Browser().decide(mail, "approve")

    assert "and that started its release" in page.text
    world.reject(world.mail("to prod", "resumed version 1"), "staging is enough")
    assert world.live_package("resumed", "staging") == world.packages("resumed")[0]["ModelPackageArn"]


def test_a_stage_that_is_declined_keeps_the_model_where_it_is(world: World) -> None:
    execution = world.train("halfway", "c1")
    world.approve(world.mail("approve", "halfway version 1"))

    world.reject(world.mail("to prod", "halfway version 1"), "not before the holidays")

    world.succeeded(execution)
    assert world.live_package("halfway", "staging") == world.packages("halfway")[0]["ModelPackageArn"]
    assert world.endpoint("halfway", "prod") is None


def test_rejecting_the_only_released_package_takes_its_endpoints_down(world: World) -> None:
    world.release("lonely", "c1", 1)

    world.decide_in_registry("lonely", 1, "Rejected")

    world.wait_for("the end of staging", lambda: world.endpoint("lonely", "staging") is None)
    world.wait_for("the end of prod", lambda: world.endpoint("lonely", "prod") is None)
    world.mail("lonely", "down")
