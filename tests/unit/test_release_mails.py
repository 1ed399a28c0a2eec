"""What people read of a release: the machine runs to its end, and its own announcement is mailed."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import serving_mails
from tests.support.machines import Return, Throw
from tests.support.notifications import in_both, mailed, release, stage
from tests.unit.release_scenarios import REJECTED, run, world_of
from tests.unit.releases_world import World, arn

from signalbox.aws.model import Endpoint
from signalbox.mail import Mail
from signalbox.stages import Stage, StagesDocument

PLAIN = StagesDocument((Stage("staging", "ml.m5.large", 1),))
ENDPOINT = "signalbox-abalone-staging"
MISMATCH = Throw("GoldenMismatchError", "golden request 1 of 5 was answered 9")
REFUSED = Throw("SageMaker.SageMakerException", "refused")
UNCERTAIN = "could not be rolled back with certainty"


def mail(world: World, machine_input: dict[str, Any] | None = None, **failures: Any) -> Mail:
    """Run the machine in `world` and return the mail that its one announcement becomes."""
    went = run(world, machine_input or {"model": "abalone", "package": arn(2), "trigger": "approved"}, **failures)
    (told,) = went.calls_of("Announce")
    return mailed(**told["Payload"])


def failing(meanwhile: Callable[[], None]) -> Callable[[Any], Throw]:
    """Return a verification that fails, and what else happens in that moment."""

    def verify(_arguments: Any) -> Throw:
        meanwhile()
        return MISMATCH

    return verify


def serves(world: World, config: str, status: str = "InService") -> Callable[[], None]:
    """Return what puts the endpoint on a config, or into a status."""

    def happen() -> None:
        world.sagemaker.endpoints[ENDPOINT] = Endpoint(ENDPOINT, status, config)

    return happen


def own_config(world: World) -> str:
    """Return the config that the release under way has made."""
    return next(name for name in world.sagemaker.configs if "-v2-config-" in name)


def test_a_release_says_where_it_serves_and_that_it_has_no_golden_requests() -> None:
    text = mail(world_of(PLAIN)).text

    assert "released to staging" in text
    assert "There were no golden requests to compare its answers with." in text


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("first", "answered its project's golden requests: these first answers are what later ones are held to."),
        ("kept", "answered its project's golden requests as it did the first time."),
    ],
)
def test_a_release_of_an_untested_model_says_which_answers_it_was_held_to(expected: Any, said: str) -> None:
    served: Any = stage("staging") | {"expected": expected}

    in_both(mailed(release=release("released", served)), said)


def test_a_stage_that_was_taken_out_while_its_review_was_open_is_told_with_what_serves_there() -> None:
    world = world_of(live=1)

    def approved(_arguments: Any) -> Return:
        world.stages = StagesDocument(world.stages.stages[:1])
        return Return({"review": "r", "decision": "approved", "by": "ann", "at": "2026-11-20T10:00:00Z", "reason": ""})

    text = mail(world, Review=approved).text

    assert text.startswith("abalone version 2 is released to staging\n")
    assert "prod is no longer in the stages document, so nothing is released there, whatever was decided." in text
    assert "prod serves: signalbox-abalone/1, by endpoint" in text


def test_a_release_by_hand_of_a_package_that_was_never_approved_says_what_it_is() -> None:
    world = world_of(PLAIN)
    world.registry.put(2, "PendingManualApproval")

    text = mail(world).text

    assert text.startswith("abalone version 2 is not approved\n")
    assert "nobody has approved it, or its approval was taken back" in text


def test_a_stage_that_went_back_is_said_to_serve_what_it_served_before() -> None:
    text = mail(world_of(PLAIN, live=1), Verify=[MISMATCH]).text

    assert "has failed in staging" in text
    assert "golden request 1 of 5 was answered 9" in text
    assert "The stage serves what it served before." in text
    assert UNCERTAIN not in text


def test_a_rejected_predecessor_is_said_to_need_a_person() -> None:
    world = world_of(PLAIN, live=1)

    def reject() -> None:
        world.registry.put(1, "Rejected")

    text = mail(world, Verify=[failing(reject)]).text

    assert "the package that served before is rejected and must not return: a person has to decide" in text
    assert UNCERTAIN not in text


def test_a_rejection_whose_replacement_fails_is_said_to_need_a_person() -> None:
    world = world_of(PLAIN, live=3)
    world.registry.put(3, "Rejected")

    text = mail(world, REJECTED | {"package": arn(3)}, Verify=[MISMATCH]).text

    assert "must not return: a person has to decide" in text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("OutOfService", "the endpoint is OutOfService and takes no update: delete it, then release again"),
        ("UpdateRollbackFailed", "the endpoint is UpdateRollbackFailed and takes no update"),
    ],
)
def test_an_endpoint_that_takes_no_update_is_said_to_need_deleting(status: str, said: str) -> None:
    world = world_of(PLAIN, live=1)

    def broken() -> None:
        serves(world, own_config(world), status)()

    text = mail(world, Verify=[failing(broken)]).text

    assert said in text
    assert UNCERTAIN not in text


def test_a_foreign_config_that_does_not_serve_is_named() -> None:
    world = world_of(PLAIN, live=1)

    text = mail(world, Verify=[failing(serves(world, "somebody-elses", "Failed"))]).text

    assert "the endpoint is Failed on somebody-elses: delete it, then release again" in text


def test_a_verification_of_what_was_found_leaves_it_as_it_was_found() -> None:
    world = world_of(PLAIN)
    world.sagemaker.serve(ENDPOINT, "of-a-lost-execution", arn(2))

    text = mail(world, Verify=[MISMATCH]).text

    assert "this release deployed nothing, so the endpoint is as it was found" in text
    assert UNCERTAIN not in text


def test_a_first_endpoint_that_did_not_serve_is_said_to_be_removed() -> None:
    text = mail(world_of(PLAIN), Verify=[MISMATCH]).text

    assert "The half-made endpoint was removed: the stage has none, as before." in text


def test_a_stage_that_is_good_but_not_recorded_is_said_to_serve_the_new_package() -> None:
    message = mail(world_of(PLAIN), Record=Throw("DynamoDB.ResourceNotFoundException", "no table"))

    assert "serves in staging, but could not be recorded" in message.subject
    assert "The stage serves the new package as it should." in message.text
    assert "start the release again to record it" in message.text
    assert UNCERTAIN not in message.text


def test_a_mail_says_what_an_endpoint_serves_and_not_what_was_recorded_last() -> None:
    message = mail(world_of(PLAIN, live=1), Record=Throw("DynamoDB.ResourceNotFoundException", "no table"))

    assert serving_mails.rows(message) == {"staging": 2}


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_an_endpoint_that_answers_nobody_is_not_said_to_serve_a_package(status: str) -> None:
    world = world_of(PLAIN, live=1)

    def end() -> None:
        serves(world, own_config(world), status)()

    message = mail(world, Verify=failing(end))

    assert f"by endpoint {ENDPOINT}, which is {status}" in message.text
    assert serving_mails.rows(message) == {"staging": None}


def test_a_stage_that_others_keep_taking_is_said_to_be_another_releases() -> None:
    world = world_of(PLAIN, live=1)
    names = (f"anothers-{number}" for number in range(9))

    def verify(_arguments: Any) -> Throw:
        serves(world, next(names))()
        return Throw("RolledBackError", "on another config")

    text = mail(world, Verify=verify).text

    assert "Another release has moved the stage meanwhile, so this one has left it alone." in text
    assert "the endpoint is on anothers-3, which another release put there" in text


def test_a_rollback_that_does_not_come_to_rest_is_said_to_be_uncertain_and_why() -> None:
    world = world_of(PLAIN, live=1)
    world.sagemaker.tick = lambda: None  # type: ignore[method-assign]  # nothing arrives any more
    stuck = Throw("EndpointNotInServiceError", "still updating")

    text = mail(world, Verify=[stuck]).text

    assert UNCERTAIN in text
    assert "the endpoint is still moving after" in text


def test_a_previous_config_that_does_not_answer_as_it_did_is_said_to_be_uncertain_and_why() -> None:
    world = world_of(PLAIN, live=1)

    text = mail(world, Verify=MISMATCH).text

    assert UNCERTAIN in text
    assert "It has its previous config, but does not answer as it should." in text


def test_a_model_that_could_not_be_made_is_said_to_have_changed_nothing() -> None:
    text = mail(world_of(PLAIN, live=1), CreateModel=Throw("SageMaker.ResourceLimitExceededException", "no more")).text

    assert "Nothing had been changed." in text


def test_a_failure_behind_a_good_stage_names_that_stage_too() -> None:
    world = world_of(live=1)

    text = mail(world, Review=Throw("ReviewError", "no approvers")).text

    assert "Done before that: staging serves version 2." in text


def test_an_input_that_cannot_be_read_is_told_with_its_sentence() -> None:
    text = mail(world_of(), {"model": "abalone", "package": arn(2), "because": "approved"}).text

    assert "the release's input: trigger is missing: allowed are approved, rejected" in text


def test_a_plan_that_cannot_be_made_any_more_is_said_to_leave_an_uncertain_stage() -> None:
    world = world_of(PLAIN, live=1)
    plan, made = world.plan, []

    def breaking(question: Any) -> Any:
        made.append(question)
        return plan(question)

    def planned(arguments: Any) -> Return | Throw:
        if len(made) == 4:
            return Throw("States.TaskFailed", "the function is broken")
        return Return(breaking(arguments["Payload"]))

    went = run(world, Plan=planned)
    (told,) = went.calls_of("AnnounceFailure")
    text = mailed(**told["Payload"]).text

    assert "has failed in staging" in text
    assert UNCERTAIN in text
    assert "what comes next could not be planned" in text


COMMIT = "4f1c2e9ab7d05e6c83f2190d4be7a6581c3f0d92"


def test_a_release_tells_the_commit_of_its_package_short_for_the_eye_and_whole_in_the_text() -> None:
    world = world_of(PLAIN)
    world.registry.put(2, "Approved", COMMIT, golden="s3://artifacts/golden.json", report="s3://artifacts/report.json")

    told = mail(world)

    assert f"  Commit: {COMMIT}\n" in told.text
    assert f'<span title="{COMMIT}"' in told.html
    assert ">4f1c2e9</span>" in told.html


@pytest.mark.parametrize(
    "stages",
    [(stage("staging"),), (stage("staging", "kept") | {"commit": COMMIT},), ()],
)
def test_a_release_that_does_not_know_its_commit_tells_none(stages: Any) -> None:
    assert "Commit" not in mailed(release=release("released", *stages)).text
