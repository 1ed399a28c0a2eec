"""What EventBridge is told when a branch or a tag is made, moved or deleted, by a push or by the API."""

from pathlib import Path

from tests.contract.world import allow
from tests.sagemaker_local.support.codecommit import CodeCommits

from sagemaker_local.process import LocalCloud, Options
from sagemaker_local.server import ACCOUNT, REGION

# The keys of AWS's own events (User Guide, "Monitoring CodeCommit events in Amazon EventBridge").
ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
DETAIL = {
    "event",
    "repositoryName",
    "repositoryId",
    "referenceType",
    "referenceName",
    "referenceFullName",
    "commitId",
    "oldCommitId",
    "callerUserArn",
}


def test_a_push_to_a_branch_tells_what_it_was_and_is_and_who_pushed(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository, keys=codecommits.keys(allow("codecommit:*")))
    first = clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "main")
    listener = codecommits.listener(repository)
    second = clone.commit("b.txt")
    clone.git("push", "--quiet", "origin", "main")

    [event] = listener.heard()

    assert event.keys() == ENVELOPE
    assert event["detail"].keys() == DETAIL
    arn = f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}"
    assert (event["source"], event["detail-type"]) == ("aws.codecommit", "CodeCommit Repository State Change")
    assert (event["account"], event["region"], event["resources"]) == (ACCOUNT, REGION, [arn])
    caller = event["detail"].pop("callerUserArn")
    assert caller.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")
    assert caller.endswith("/ann")
    found = codecommits.client().get_repository(repositoryName=repository)["repositoryMetadata"]
    assert event["detail"] == {
        "event": "referenceUpdated",
        "repositoryName": repository,
        "repositoryId": found["repositoryId"],
        "referenceType": "branch",
        "referenceName": "main",
        "referenceFullName": "refs/heads/main",
        "commitId": second,
        "oldCommitId": first,
    }


def test_a_branch_that_is_made_has_no_old_commit_and_one_that_is_deleted_no_new_one(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone, listener = codecommits.clone(repository), codecommits.listener(repository)
    commit = clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "main", "HEAD:refs/heads/feature/a/b")
    made = [event["detail"] for event in listener.heard()]
    clone.git("push", "--quiet", "origin", "--delete", "feature/a/b")
    [gone] = [event["detail"] for event in listener.heard()]

    assert [one.keys() for one in made] == [DETAIL - {"oldCommitId"}] * 2
    assert {(one["event"], one["referenceName"], one["commitId"]) for one in made} == {
        ("referenceCreated", "main", commit),
        ("referenceCreated", "feature/a/b", commit),
    }
    assert gone.keys() == DETAIL - {"commitId"}
    assert (gone["event"], gone["referenceFullName"]) == ("referenceDeleted", "refs/heads/feature/a/b")
    assert gone["oldCommitId"] == commit


def test_each_reference_of_a_push_is_an_event_and_one_that_stays_or_is_refused_is_none(
    codecommits: CodeCommits,
) -> None:
    repository = codecommits.repository()
    clone, other = codecommits.clone(repository), codecommits.clone(repository)
    clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "main")
    other.git("pull", "--quiet", "origin", "main")
    clone.commit("b.txt")
    clone.git("push", "--quiet", "origin", "main")
    listener = codecommits.listener(repository)
    other.commit("c.txt")

    other.try_("push", "origin", "main", "HEAD:refs/heads/🚀", "HEAD:refs/heads/two", "HEAD:refs/notes/n")

    assert listener.told() == [("referenceCreated", "branch", "two"), ("referenceCreated", "branch", "🚀")]
    clone.git("push", "--quiet", "origin", "main")
    assert listener.told() == []


def test_a_force_push_is_an_update_with_the_commit_that_was_left(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    first, second = clone.commit("a.txt"), clone.commit("b.txt")
    clone.git("push", "--quiet", "origin", "main")
    listener = codecommits.listener(repository)
    clone.git("push", "--quiet", "--force", "origin", f"{first}:main")

    [event] = listener.heard()

    assert [event["detail"][member] for member in ("event", "commitId", "oldCommitId")] == [
        "referenceUpdated",
        first,
        second,
    ]


def test_tags_are_told_with_the_commits_that_they_are_set_on(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone, listener = codecommits.clone(repository), codecommits.listener(repository)
    first = clone.commit("a.txt")
    clone.git("tag", "--annotate", "--message", "said", "v1")
    clone.git("push", "--quiet", "origin", "v1")
    second = clone.commit("b.txt")
    clone.git("tag", "--force", "v1")
    clone.git("push", "--quiet", "--force", "origin", "v1")
    clone.git("push", "--quiet", "origin", "--delete", "v1")

    details = [event["detail"] for event in listener.heard()]

    assert {one["referenceFullName"] for one in details} == {"refs/tags/v1"}
    assert [(one["event"], one.get("oldCommitId"), one.get("commitId")) for one in details] == [
        ("referenceCreated", None, first),
        ("referenceUpdated", first, second),
        ("referenceDeleted", second, None),
    ]
    assert {one["referenceType"] for one in details} == {"tag"}


def test_the_api_tells_the_same(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    client, listener = codecommits.client(), codecommits.listener(repository)
    file = {"repositoryName": repository, "filePath": "a", "branchName": "main"}
    first = client.put_file(**file, fileContent=b"a")["commitId"]
    second = client.put_file(**file, fileContent=b"b", parentCommitId=first)["commitId"]
    client.create_branch(repositoryName=repository, branchName="b", commitId=second)
    client.delete_branch(repositoryName=repository, branchName="b")

    details = [event["detail"] for event in listener.heard()]

    assert [(one["event"], one["referenceName"], one.get("oldCommitId"), one.get("commitId")) for one in details] == [
        ("referenceCreated", "main", None, first),
        ("referenceUpdated", "main", first, second),
        ("referenceCreated", "b", None, second),
        ("referenceDeleted", "b", second, None),
    ]
    assert {one["callerUserArn"] for one in details} == {f"arn:aws:iam::{ACCOUNT}:root"}


def test_an_event_is_told_in_its_own_region(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    codecommits.client("eu-west-1").create_repository(repositoryName=repository)
    here, there = codecommits.listener(repository), codecommits.listener(repository, "eu-west-1")
    clone = codecommits.clone(repository, region="eu-west-1")
    clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "main")

    [event] = there.heard()

    assert event["region"] == "eu-west-1"
    assert event["resources"] == [f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:{repository}"]
    assert here.heard() == []


def test_on_demand_every_event_comes_twice(tmp_path: Path) -> None:
    with LocalCloud(Options(folder=tmp_path / "cloud", repeat_events=1.0)) as cloud:
        codecommits = CodeCommits(cloud, tmp_path)
        repository = codecommits.repository()
        listener = codecommits.listener(repository)
        codecommits.client().put_file(repositoryName=repository, branchName="main", filePath="a", fileContent=b"a")
        events = listener.heard()

    assert len({event["id"] for event in events}) == 2
    assert events[0]["detail"] == events[1]["detail"]
