"""Each branch is built at its newest commit, once, one build at a time; a failure is mailed once."""

from typing import Any

import pytest
from tests.support.pushes import WINE, PushWorld, built, commit, pushed
from tests.support.samples import sample, sqs_event, with_detail

from signalbox.pushes import rules
from signalbox.pushes.building import GONE
from signalbox.pushes.handling import handle
from signalbox.pushes.model import BUILDING, STARTING

A, B, C = commit(1), commit(2), commit(3)


@pytest.fixture
def world() -> PushWorld:
    return PushWorld()


def deliver(world: PushWorld, *messages: Any) -> list[str]:
    response = handle(sqs_event(*messages, group="wine", queue="pushes"), world.ports())
    return [failed["itemIdentifier"] for failed in response["batchItemFailures"]]


def push(world: PushWorld, head: str, branch: str = "main", by: str = "user/ann") -> list[str]:
    world.repositories.heads[branch] = head
    return deliver(world, pushed(branch, by=by))


def commits(world: PushWorld) -> list[str]:
    return [build.commit for build in world.builds.all.values()]


def test_a_push_is_built_at_its_commit_by_the_project_of_the_main_branch(world: PushWorld) -> None:
    assert push(world, A) == []
    (build,) = world.builds.all.values()
    assert (build.id, build.commit, build.branch) == ("signalbox-wine:1", A, "main")
    branch = world.branches.find("wine", "main")
    assert branch is not None
    assert (branch.status, branch.build, branch.commit, branch.by) == (BUILDING, build.id, A, "user/ann")


def test_a_push_that_is_told_twice_is_built_once(world: PushWorld) -> None:
    push(world, A)
    assert deliver(world, pushed(), pushed()) == []
    deliver(world, world.builds.end("signalbox-wine:1"))
    deliver(world, pushed())
    assert commits(world) == [A]


def test_a_push_during_a_build_is_built_when_that_has_ended_and_names_who_pushed_it(world: PushWorld) -> None:
    push(world, A)
    push(world, B, by="user/bob")
    assert commits(world) == [A]
    deliver(world, world.builds.end("signalbox-wine:1"))
    assert commits(world) == [A, B]
    branch = world.branches.find("wine", "main")
    assert branch is not None
    assert (branch.commit, branch.by) == (B, "user/bob")


def test_of_several_pushes_during_a_build_only_the_newest_is_built(world: PushWorld) -> None:
    push(world, A)
    push(world, B)
    push(world, C)
    deliver(world, world.builds.end("signalbox-wine:1"))
    assert commits(world) == [A, C]


def test_an_event_about_an_earlier_commit_that_comes_late_changes_nothing(world: PushWorld) -> None:
    push(world, B)
    deliver(world, world.builds.end("signalbox-wine:1"))
    late = with_detail(pushed(), commitId=A)
    deliver(world, late)
    assert commits(world) == [B]


def test_a_commit_that_is_forced_back_is_built_again_even_a_moment_later(world: PushWorld) -> None:
    for head in (A, B, A):
        push(world, head)
        (running,) = world.builds.running
        deliver(world, world.builds.end(running))
    assert commits(world) == [A, B, A]


def test_the_end_of_a_build_that_nobody_told_is_seen_at_the_next_push(world: PushWorld) -> None:
    push(world, A)
    world.builds.end("signalbox-wine:1")
    push(world, B)
    assert commits(world) == [A, B]


def test_a_branch_is_built_beside_main_by_a_project_of_its_own(world: PushWorld) -> None:
    push(world, A)
    push(world, B, "feature/more-trees")
    assert world.builds.running == ["signalbox-wine:1", "signalbox-wine--branches:2"]


def test_branches_are_not_built_where_the_project_has_no_experiments(world: PushWorld) -> None:
    world.automations = [WINE._replace(branches=None)]
    push(world, A, "feature")
    assert not world.builds.all


def test_a_branch_that_is_deleted_is_removed_with_what_it_made(world: PushWorld) -> None:
    push(world, A, "feature")
    deliver(world, world.builds.end("signalbox-wine--branches:1"))
    world.repositories.heads.clear()
    assert deliver(world, pushed("feature"), pushed("feature")) == []
    assert set(world.experiments.removed) == {"feature"}
    assert world.branches.find("wine", "feature") is None


def test_a_branch_that_is_deleted_during_its_build_is_removed_when_that_has_ended(world: PushWorld) -> None:
    push(world, A, "feature")
    world.repositories.heads.clear()
    deliver(world, pushed("feature"))
    assert not world.experiments.removed
    deliver(world, world.builds.end("signalbox-wine--branches:1"))
    assert world.experiments.removed == ["feature"]


def test_nothing_is_removed_when_main_is_deleted(world: PushWorld) -> None:
    push(world, A)
    deliver(world, world.builds.end("signalbox-wine:1"))
    world.repositories.heads.clear()
    deliver(world, pushed())
    assert not world.experiments.removed
    assert world.branches.find("wine", "main") is not None


def test_tags_and_refs_of_other_repositories_start_nothing(world: PushWorld) -> None:
    world.repositories.heads["v1.0"] = A
    tag = with_detail(sample("codecommit/tag-created"), repositoryName=WINE.repository)
    assert deliver(world, tag, pushed(repository="signalbox-other"), pushed(repository="another")) == []
    assert not world.builds.all


def test_a_commit_of_a_merge_without_a_ref_starts_nothing(world: PushWorld) -> None:
    event = with_detail(pushed(), referenceType=None, referenceName=None, callerUserArn=None)
    assert deliver(world, event) == []
    assert not world.builds.all


def test_a_push_to_a_repository_that_was_deleted_since_starts_nothing(world: PushWorld) -> None:
    world.repositories.gone = True
    assert deliver(world, pushed()) == []
    assert not world.builds.all


def test_a_message_that_tells_nothing_known_is_kept_with_its_reason(world: PushWorld) -> None:
    other = with_detail(sample("ssm/project-updated"))
    assert deliver(world, {"detail-type": "Something Else"}, other) == []
    assert "detail-type" in world.dead_letters.reasons["m-0"]
    assert "published" in world.dead_letters.reasons["m-1"]


# ---- starts that are cut off ---------------------------------------------------------------------------------------


def test_a_start_whose_answer_was_lost_is_found_by_its_token(world: PushWorld) -> None:
    world.repositories.heads["main"] = A
    start = world.builds.start

    def lost(*arguments: Any) -> str:
        start(*arguments)
        raise ConnectionError

    world.builds.start = lost  # type: ignore[assignment,method-assign]  # as if the connection broke
    assert deliver(world, pushed()) == ["m-0"]
    world.builds.start = start  # type: ignore[method-assign]  # it is back
    assert deliver(world, pushed()) == []
    assert commits(world) == [A]


def test_a_start_that_was_cut_off_is_found_among_the_builds_when_its_token_is_forgotten(world: PushWorld) -> None:
    world.repositories.heads["main"] = A
    branch = rules.next_build("wine", "main", A, None, "user/ann", world.clock())
    world.branches.put(branch, None)
    world.builds.begin(WINE.build, "main", A)
    world.clock.forward(3600)
    deliver(world, pushed())
    assert commits(world) == [A]
    found = world.branches.find("wine", "main")
    assert found is not None
    assert found.build == "signalbox-wine:1"


def test_a_build_of_the_same_commit_from_before_is_not_taken_for_a_start_that_was_cut_off(world: PushWorld) -> None:
    world.repositories.heads["main"] = A
    world.builds.begin(WINE.build, "main", A)
    world.clock.forward(3600)
    world.branches.put(rules.next_build("wine", "main", A, None, "", world.clock()), None)
    deliver(world, pushed())
    assert len(world.builds.all) == 2


def test_a_branch_that_somebody_else_changed_meanwhile_is_looked_at_again(world: PushWorld) -> None:
    push(world, A)
    find = world.branches.find
    world.branches.find = lambda *place: found._replace(next_by="x") if (found := find(*place)) else None  # type: ignore[method-assign]  # a stale answer
    assert deliver(world, world.builds.end("signalbox-wine:1")) == ["m-0"]


# ---- builds that end badly -----------------------------------------------------------------------------------------


def test_a_failed_build_is_mailed_once_with_its_last_lines(world: PushWorld) -> None:
    push(world, A)
    end = world.builds.end("signalbox-wine:1", "FAILED")
    assert deliver(world, end, end) == []
    (mail,) = world.mails
    assert (mail["project"], mail["branch"], mail["commit"], mail["by"]) == ("wine", "main", A, "user/ann")
    assert (mail["status"], mail["phase"], mail["reason"]) == ("FAILED", "BUILD", "exit status 1")
    assert mail["lines"] == ["pip install", "error: no such version"]
    assert mail["approvers"] == []


@pytest.mark.parametrize("status", ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"])
def test_every_bad_end_is_mailed_and_the_next_push_is_built(world: PushWorld, status: str) -> None:
    push(world, A)
    deliver(world, world.builds.end("signalbox-wine:1", status))
    push(world, B)
    assert [mail["status"] for mail in world.mails] == [status]
    assert commits(world) == [A, B]


def test_the_mail_of_a_project_with_approvers_goes_to_them(world: PushWorld) -> None:
    world.approvers = (("wine@example.com",), True)
    push(world, A)
    deliver(world, world.builds.end("signalbox-wine:1", "FAILED"))
    assert world.mails[0]["approvers"] == ["wine@example.com"]


def test_who_made_the_commit_is_told_too_if_their_address_is_of_the_approvers_domain(world: PushWorld) -> None:
    world.repositories.addresses = {A: "ann@Example.com", B: "somebody@elsewhere.org"}
    for head in (A, B):
        push(world, head)
        (running,) = world.builds.running
        deliver(world, world.builds.end(running, "FAILED"))
    assert [mail["pusher"] for mail in world.mails] == ["ann@Example.com", ""]


@pytest.mark.parametrize("address", ["", "ann", "a@example.com,b@example.com", "a b@example.com", "x@evil.org"])
def test_an_address_that_is_none_or_of_another_domain_is_not_told(address: str) -> None:
    assert rules.told_too(address, ("chief@example.com",)) == ""


def test_a_mail_that_could_not_be_sent_is_sent_when_the_message_comes_back(world: PushWorld) -> None:
    push(world, A)
    end = world.builds.end("signalbox-wine:1", "FAILED")
    world.mail_fails = True
    assert deliver(world, end) == ["m-0"]
    world.mail_fails = False
    assert deliver(world, end) == []
    assert len(world.mails) == 1


def test_a_build_that_is_gone_is_over_and_not_mailed(world: PushWorld) -> None:
    push(world, A)
    world.builds.all.clear()
    push(world, B)
    assert not world.mails
    assert commits(world) == [B]


def test_a_failed_build_that_people_start_again_stands_for_the_branch(world: PushWorld) -> None:
    push(world, A)
    deliver(world, world.builds.end("signalbox-wine:1", "FAILED"))
    world.clock.forward(60)
    again = world.builds.begin(WINE.build, "main", A)
    deliver(world, built(again, "IN_PROGRESS"))
    deliver(world, world.builds.end(again))
    branch = world.branches.find("wine", "main")
    assert branch is not None
    assert (branch.build, branch.status) == (again, "SUCCEEDED")
    assert len(world.mails) == 1


def test_the_end_of_a_build_that_is_told_again_once_its_branch_is_back_at_its_commit_changes_nothing(
    world: PushWorld,
) -> None:
    push(world, A)
    failed = world.builds.end("signalbox-wine:1", "FAILED")
    deliver(world, failed)
    for commit_of, build in ((B, "signalbox-wine:2"), (A, "signalbox-wine:3")):
        world.clock.forward(60)
        push(world, commit_of)
        deliver(world, world.builds.end(build))
    before = world.branches.find("wine", "main")
    deliver(world, failed)
    assert world.branches.find("wine", "main") == before
    assert len(world.mails) == 1


def test_a_branch_that_is_deleted_and_back_at_its_commit_is_built_anew(world: PushWorld) -> None:
    push(world, A, "feature-a")
    deliver(world, world.builds.end("signalbox-wine--branches:1", "FAILED"))
    world.clock.forward(5)
    del world.repositories.heads["feature-a"]
    deliver(world, pushed("feature-a"))
    world.clock.forward(5)
    push(world, A, "feature-a")
    branch = world.branches.find("wine", "feature-a")
    assert branch is not None
    assert (branch.build, branch.open) == ("signalbox-wine--branches:2", True)
    assert len(world.mails) == 1


def test_an_older_build_that_ends_later_changes_nothing(world: PushWorld) -> None:
    push(world, A)
    deliver(world, world.builds.end("signalbox-wine:1"))
    push(world, B)
    deliver(world, world.builds.end("signalbox-wine:2"))
    before = world.branches.find("wine", "main")
    old = world.builds.begin(WINE.build, "main", A)
    deliver(world, world.builds.end(old, "FAILED"))
    assert world.branches.find("wine", "main") == before
    assert not world.mails


def test_a_build_of_branches_says_nothing_about_main_whatever_its_variable_says(world: PushWorld) -> None:
    push(world, A)
    forged = world.builds.begin(str(WINE.branches), "main", A)
    deliver(world, world.builds.end(forged))
    branch = world.branches.find("wine", "main")
    assert branch is not None
    assert (branch.status, branch.build) == (BUILDING, "signalbox-wine:1")


def test_a_build_of_nobody_is_ignored(world: PushWorld) -> None:
    other = world.builds.begin("another", "main", A)
    assert deliver(world, world.builds.end(other), built("signalbox-wine:77")) == []
    assert world.branches.find("wine", "main") is None


def test_the_states_of_a_branch_are_as_the_table_writes_them() -> None:
    assert (STARTING, BUILDING, GONE) == ("STARTING", "BUILDING", "GONE")
