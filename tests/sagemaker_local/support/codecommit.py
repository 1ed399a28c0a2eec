"""A cloud with repositories, git clients of its users, and the events that it tells."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.contract.world import World, name

from sagemaker_local.codecommit.credentials import git_variables
from sagemaker_local.process import LocalCloud, Options
from sagemaker_local.server import REGION

type Keys = tuple[str, str, str | None]
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
WHO = {f"GIT_{role}_{part}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}


@dataclass
class Clone:
    """A folder that a person works in with git."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def try_(self, *words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Return how git ends."""
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**os.environ, **NOBODY, **WHO, **self.variables},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def git(self, *words: str) -> str:
        """Return what git prints; it has to do what it is asked for."""
        done = self.try_(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, *files: str, message: str = "work") -> str:
        """Write each of the files, commit them, and return the commit."""
        for file in files:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{file} {message}\n", encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@dataclass
class CodeCommits:
    """A running cloud, as its owner and others see it."""

    cloud: LocalCloud
    folder: Path

    @property
    def world(self) -> World:
        """Return the cloud's other services."""
        return World(self.cloud.url, self.cloud.environment["AWS_SECRET_ACCESS_KEY"])

    def client(self, region: str = REGION, keys: Keys | None = None) -> Any:
        """Return a client of CodeCommit."""
        return self.world.client("codecommit", keys, region)

    def repository(self, region: str = REGION) -> str:
        """Make an empty repository, and return its name."""
        made = name("repository")
        self.client(region).create_repository(repositoryName=made)
        return made

    def url(self, repository: str) -> str:
        """Return the address that git uses on this machine."""
        return f"{self.cloud.url}/v1/repos/{repository}"

    def clone(self, repository: str, region: str = REGION, keys: Keys | None = None, **more: str) -> Clone:
        """Return a new folder with a clone, by the credential helper."""
        made = self.outside(region, keys, **more)
        made.git("clone", "--quiet", self.url(repository), ".")
        made.git("checkout", "--quiet", "-B", "main")
        return made

    def outside(self, region: str = REGION, keys: Keys | None = None, **more: str) -> Clone:
        """Return a new empty folder of somebody with keys."""
        folder = self.folder / name("clone")
        folder.mkdir()
        variables = {**self.cloud.environment, **git_variables(), "AWS_REGION": region}
        if keys:
            named = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            variables |= {variable: key or "" for variable, key in zip(named, keys, strict=True)}
        return Clone(folder, {**variables, **more})

    def keys(self, *statements: Mapping[str, Any]) -> Keys:
        """Return the keys of a session of a new role that may do what statements say."""
        found = self.world.client("sts").assume_role(RoleArn=self.world.role(*statements), RoleSessionName="ann")
        keys = found["Credentials"]
        return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]

    def user(self, *statements: Mapping[str, Any]) -> Keys:
        """Return the keys of a new user that may do what statements say."""
        iam, user = self.world.client("iam"), name("user")
        iam.create_user(UserName=user)
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy)
        found = iam.create_access_key(UserName=user)["AccessKey"]
        return found["AccessKeyId"], found["SecretAccessKey"], None

    def listener(self, repository: str, region: str = REGION) -> "Listener":
        """Hear what is told of a repository from now on."""
        sqs, events = (self.world.client(service, region=region) for service in ("sqs", "events"))
        named = name("heard")
        queue = sqs.create_queue(QueueName=named)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {"source": ["aws.codecommit"], "detail": {"repositoryName": [repository]}}
        events.put_rule(Name=named, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=named, Targets=[{"Id": "queue", "Arn": arn}])
        return Listener(sqs, queue)


@dataclass
class Listener:
    """A queue with the events of a repository."""

    sqs: Any
    queue: str

    def heard(self) -> list[dict[str, Any]]:
        """Return the events since the last time; what git or the API has answered about is told by then."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def told(self) -> list[tuple[str, str, str]]:
        """Return event, kind and name of each reference of the events since the last time, sorted."""
        details = [event["detail"] for event in self.heard()]
        return sorted((one["event"], one["referenceType"], one["referenceName"]) for one in details)


@pytest.fixture(scope="session")
def codecommits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeCommits]:
    """Start a cloud for the tests of CodeCommit."""
    folder = tmp_path_factory.mktemp("codecommit")
    with LocalCloud(Options(folder=folder / "cloud")) as cloud:
        yield CodeCommits(cloud, folder)
