"""A webhook is believed once its signature holds, taken once, and handed on with what its provider says of the push."""

import logging
from typing import Any

import pytest
from tests.support.hooks import PROVIDERS, SECRET, SIGNING_TOKEN, HookWorld, digest, request, standard
from tests.support.pushes import WINE, commit
from tests.support.samples import http_event

from signalbox.code_events import BranchTold
from signalbox.pushes.hook_model import BODY_LIMIT

BEFORE, AFTER = "3e59830d5bd1e2a1c0f2f2fb8e0a5c0e5d2b7a41", "9b1c7f0c43a5d1d8a8a4b0f1d3b55c8c1f0e2a77"
NOW = "2026-11-20T12:00:00.000000Z"
NONE = "0" * 40
NOTHING = (202, "nothing to do: this is no push")


@pytest.mark.parametrize(
    ("provider", "delivery", "at"),
    [
        ("github", "6f1d3c10-c8a1-11f1-9d0e-2f7a55f3a001", "2026-11-20T11:59:59.000000Z"),
        ("gitlab", "0f7a4c51-7a38-4a62-b7a2-8e0d5e5f0001", NOW),
        ("bitbucket", "4d6f2e7a-90b1-4a6e-8f7b-53f1c7d80001", NOW),
    ],
)
def test_a_push_is_handed_on_as_its_provider_tells_it(provider: str, delivery: str, at: str) -> None:
    world = HookWorld(provider)
    assert world.receive(http_event(f"hook-{provider}")) == (202, "taken: its branches are looked at")
    told = BranchTold("wine", "main", BEFORE, AFTER, at, "ann", "ann@example.com", delivery, provider)
    assert world.queue.told == [told]
    assert BranchTold.read(told.message()) == told


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_second_delivery_is_answered_well_and_starts_nothing(provider: str) -> None:
    world = HookWorld(provider)
    world.receive(request(provider))
    assert world.receive(request(provider)) == (200, "this delivery is known already")
    assert len(world.queue.told) == 1


def test_a_delivery_that_was_written_down_and_not_sent_is_sent_by_the_next_try_with_its_first_moment() -> None:
    world = HookWorld("gitlab")
    world.queue.busy = True
    assert world.receive(request("gitlab"))[0] == 503
    world.queue.busy = False
    world.clock.forward(60)
    assert world.receive(request("gitlab"))[0] == 202
    assert [one.at for one in world.queue.told] == [NOW]


# ---- who it comes from ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("signature", [None, "", "sha256=", "another", digest("another body"), "é\ud800"])
def test_a_request_without_the_right_signature_is_refused_and_says_nothing_of_it(
    provider: str, signature: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    names = {"github": "x_hub_signature_256", "gitlab": "x_gitlab_token", "bitbucket": "x_hub_signature"}
    world = HookWorld(provider)
    with caplog.at_level(logging.DEBUG):
        status, told = world.receive(request(provider, None, **{names[provider]: signature}))
    assert (status, "secret of this project" in told) == (401, True)
    assert not world.queue.told
    assert not world.deliveries.first
    assert SECRET not in told + caplog.text
    assert not signature or signature not in told


@pytest.mark.parametrize("provider", ["github", "bitbucket"])
def test_a_body_that_was_changed_behind_its_signature_is_refused(provider: str) -> None:
    event = request(provider)
    event["body"] = event["body"].replace(AFTER, commit(1))
    assert HookWorld(provider).receive(event)[0] == 401


def test_a_signature_is_that_of_the_body_as_it_came_and_also_in_base64() -> None:
    event = request("github")
    event["body"] = event["body"].replace(":", " :  ")
    event["headers"]["x-hub-signature-256"] = digest(event["body"])
    encoded = {**http_event("hook-github", body=event["body"].encode()), "headers": event["headers"]}
    assert HookWorld().receive(encoded)[0] == 202


def test_one_providers_signature_is_not_taken_for_anothers() -> None:
    assert HookWorld("gitlab").receive(request("github"))[0] == 401
    assert HookWorld("github").receive(request("bitbucket"))[0] == 401


def test_no_request_is_right_where_the_project_has_no_secret() -> None:
    world = HookWorld("gitlab")
    world.secrets = {}
    assert world.receive(request("gitlab", x_gitlab_token=""))[0] == 401


def signed(seconds: int, secret: str = SIGNING_TOKEN, **headers: str) -> tuple[int, str]:
    event = request("gitlab", x_gitlab_token=None)
    event["headers"] |= {**standard("msg-1", seconds, event["body"]), **headers}
    world = HookWorld("gitlab")
    world.secrets = {"wine": secret}
    status, told = world.receive(event)
    assert [one.delivery for one in world.queue.told] == (["msg-1"] if status == 202 else [])
    return status, told


def test_gitlabs_signature_over_id_time_and_body_is_taken() -> None:
    assert signed(1_795_176_000)[0] == 202
    several = standard("msg-1", 1_795_176_000, request("gitlab")["body"])["webhook-signature"]
    assert signed(1_795_176_000, **{"webhook-signature": f"v1,AAAA {several}"})[0] == 202


@pytest.mark.parametrize(
    "change", [{"webhook-id": "msg-2"}, {"webhook-timestamp": "1795176001"}, {"webhook-signature": "v1,AAAA"}]
)
def test_gitlabs_signature_holds_for_its_id_and_time_alone(change: dict[str, str]) -> None:
    assert signed(1_795_176_000, **change)[0] == 401


def test_a_signing_token_that_is_none_signs_nothing() -> None:
    assert signed(1_795_176_000, "whsec_")[0] == 401
    assert signed(1_795_176_000, "whsec_no base64")[0] == 401


@pytest.mark.parametrize("apart", [-301, 301])
def test_a_signed_request_of_another_time_is_refused(apart: int) -> None:
    status, told = signed(1_795_176_000 + apart)
    assert (status, "five minutes" in told) == (403, True)


# ---- what it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("project", ["winery", "", "../wine", "wine/..", "WINE", "w" * 31])
def test_a_project_that_nobody_knows_is_not_found(project: str) -> None:
    event = {**request("github"), "pathParameters": {"project": project}}
    assert HookWorld().receive(event)[0] == 404


@pytest.mark.parametrize("provider", ["codecommit", "none"])
def test_a_project_without_webhooks_is_not_found(provider: str) -> None:
    world = HookWorld()
    world.automations = {"wine": WINE._replace(provider=provider)}
    assert world.receive(request("github"))[0] == 404


def test_a_body_that_is_too_large_is_refused_before_anything_is_looked_up() -> None:
    world = HookWorld()
    world.automations.clear()
    for event in ({"body": "x" * (BODY_LIMIT + 1)}, http_event("hook-github", body=b"x" * (BODY_LIMIT + 1))):
        status, told = world.receive({**event, "pathParameters": {"project": "wine"}})
        assert (status, "1,048,576" in told) == (413, True)
    assert world.receive({"body": "x" * BODY_LIMIT})[0] == 404


def test_a_body_that_is_no_base64_is_refused() -> None:
    assert HookWorld().receive({**request("github"), "body": "{}", "isBase64Encoded": True})[0] == 400


def test_a_form_is_refused_with_what_to_choose() -> None:
    status, told = HookWorld().receive(request("github", content_type="application/x-www-form-urlencoded"))
    assert (status, "application/json" in told) == (415, True)
    assert HookWorld().receive(request("github", content_type="Application/JSON; charset=utf-8"))[0] == 202


def test_a_ping_is_answered_that_all_is_ready() -> None:
    assert HookWorld().receive(request("github", x_github_event="ping")) == (200, "ready")


@pytest.mark.parametrize(
    ("provider", "header", "event"),
    [
        ("github", "x_github_event", "pull_request"),
        ("github", "x_github_event", None),
        ("gitlab", "x_gitlab_event", "Tag Push Hook"),
        ("bitbucket", "x_event_key", "pullrequest:created"),
        ("bitbucket", "x_event_key", None),
    ],
)
def test_other_events_do_nothing(provider: str, header: str, event: str | None) -> None:
    world = HookWorld(provider)
    assert world.receive(request(provider, None, **{header: event})) == NOTHING
    assert not world.queue.told


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_push_to_another_repository_is_refused(provider: str) -> None:
    status, told = HookWorld(provider, repository="acme/winery").receive(request(provider))
    assert (status, "acme/winery" in told) == (403, True)


@pytest.mark.parametrize(
    ("provider", "identity"),
    [("github", "700000001"), ("gitlab", "70000001"), ("bitbucket", "{9d0c3a6f-6a7b-4f0e-8a54-2f6b7c1d0001}")],
)
def test_a_repository_may_be_named_by_its_id_which_outlives_its_name(provider: str, identity: str) -> None:
    assert HookWorld(provider, repository=identity).receive(request(provider))[0] == 202


@pytest.mark.parametrize("delivery", [None, "", "two words", "x" * 201])
def test_a_push_without_a_name_of_its_delivery_is_refused(delivery: str | None) -> None:
    assert HookWorld().receive(request("github", x_github_delivery=delivery))[0] == 400


@pytest.mark.parametrize(
    "body", ["", "[]", "{", "[" * 50_000, '{"repository": {"full_name": "acme/wine", "id": 1}}', '{"repository": []}']
)
def test_a_signed_body_that_is_no_push_is_refused(body: str) -> None:
    event = {**request("github"), "body": body}
    event["headers"]["x-hub-signature-256"] = digest(body)
    assert HookWorld().receive(event)[0] == 400


# ---- what it tells -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", ["refs/tags/v1.0", "refs/pull/7/head", "refs/notes/commits"])
@pytest.mark.parametrize("provider", ["github", "gitlab"])
def test_tags_and_other_refs_do_nothing(provider: str, ref: str) -> None:
    world = HookWorld(provider)
    answered = world.receive(request(provider, lambda payload: payload.update(ref=ref)))
    assert answered == (202, "nothing to do: no branch was pushed")
    assert not world.queue.told


@pytest.mark.parametrize("name", ["feature/🌹-mehr-Blätter", "x" * 200, "refs/heads/odd", "🌹" * 200])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_name_of_a_branch_is_kept_as_it_is(provider: str, name: str) -> None:
    def change(payload: dict[str, Any]) -> None:
        if provider != "bitbucket":
            payload["ref"] = f"refs/heads/{name}"
            return
        for side in ("old", "new"):
            payload["push"]["changes"][0][side]["name"] = name

    world = HookWorld(provider)
    assert world.receive(request(provider, change))[0] == 202
    assert [one.branch for one in world.queue.told] == [name]


@pytest.mark.parametrize("name", ["x" * 1_001, "\ud800", ""])
def test_a_name_that_no_branch_can_have_is_refused(name: str) -> None:
    event = request("github")
    body = event["body"].replace("refs/heads/main", f"refs/heads/{'\\ud800' if name == '\ud800' else name}")
    event["body"], event["headers"]["x-hub-signature-256"] = body, digest(body)
    assert HookWorld().receive(event)[0] == 400


@pytest.mark.parametrize("provider", ["github", "gitlab"])
def test_a_branch_that_was_made_has_nothing_before_it_and_one_that_was_deleted_nothing_behind_it(provider: str) -> None:
    world = HookWorld(provider)
    world.receive(request(provider, lambda payload: payload.update(before=NONE)))
    gone = request(provider, lambda payload: payload.update(after=NONE, head_commit=None, commits=[]))
    gone["headers"] |= {"x-github-delivery": "2", "idempotency-key": "2"}
    world.receive(gone)
    assert [(one.before, one.commit) for one in world.queue.told] == [(None, AFTER), (BEFORE, None)]


def test_a_push_to_bitbucket_tells_each_of_its_branches() -> None:
    def change(payload: dict[str, Any]) -> None:
        (first,) = payload["push"]["changes"]
        tag = {**first["new"], "type": "tag", "name": "v1"}
        made = {**first, "old": None, "new": {**first["new"], "name": "made"}}
        gone = {**first, "old": {**first["old"], "name": "gone"}, "new": None}
        payload["push"]["changes"] += [made, gone, {**first, "old": None, "new": tag}, {"old": None, "new": None}]

    world = HookWorld("bitbucket")
    assert world.receive(request("bitbucket", change))[0] == 202
    told = [(one.branch, one.before, one.commit) for one in world.queue.told]
    assert told == [("main", BEFORE, AFTER), ("made", None, AFTER), ("gone", BEFORE, None)]


@pytest.mark.parametrize(
    ("pushed_at", "at"),
    [
        (1_795_000_000, "2026-11-18T11:06:40.000000Z"),
        ("2026-11-18T11:06:40Z", "2026-11-18T11:06:40.000000Z"),
        (1_895_000_000, NOW),  # to come
        (10**30, NOW),
        ("yesterday", NOW),
        (None, NOW),
    ],
)
def test_the_time_of_a_push_is_its_providers_where_it_says_one_that_can_be(pushed_at: object, at: str) -> None:
    world = HookWorld()
    world.receive(request("github", lambda payload: payload["repository"].update(pushed_at=pushed_at)))
    assert [one.at for one in world.queue.told] == [at]


def test_what_a_person_calls_themselves_moves_no_line() -> None:
    world = HookWorld()
    world.receive(request("github", lambda payload: payload.update(pusher={"name": "an\nn\u202e" + "x" * 500})))
    (told,) = world.queue.told
    assert (told.by[:4], len(told.by)) == ("an n", 200)
