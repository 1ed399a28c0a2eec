"""Who may clone and push: signatures of git's passwords, IAM, and nobody's web page."""

import base64
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.contract.world import allow
from tests.sagemaker_local.support.codecommit import Clone, CodeCommits

from sagemaker_local.codecommit.signature import password
from sagemaker_local.process import LocalCloud, Options
from sagemaker_local.server import ACCOUNT, REGION

PULL, PUSH = "codecommit:GitPull", "codecommit:GitPush"


def arn(repository: str) -> str:
    return f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}"


def filled(codecommits: CodeCommits) -> tuple[str, Clone]:
    """Return a repository with a commit, and its owner's clone."""
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "main")
    return repository, clone


@pytest.mark.parametrize("kind", ["user", "session"])
def test_a_user_and_a_session_of_a_role_do_what_their_policies_allow(codecommits: CodeCommits, kind: str) -> None:
    repository, _ = filled(codecommits)
    statement = allow(PULL, PUSH, resource=arn(repository))
    keys = codecommits.user(statement) if kind == "user" else codecommits.keys(statement)

    clone = codecommits.clone(repository, keys=keys)
    clone.commit("b.txt")
    clone.git("push", "--quiet", "origin", "main")

    principal = "/ann" if kind == "session" else ":user/user-"
    calls = [call for call in codecommits.cloud.calls() if principal in call["principal"]]
    made = {(call["action"], call["resource"], call["allowed"]) for call in calls}
    assert {(PULL, arn(repository), True), (PUSH, arn(repository), True)} <= made


def test_who_may_only_pull_is_told_so_at_a_push(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    clone = codecommits.clone(repository, keys=codecommits.keys(allow(PULL)))
    clone.commit("b.txt")

    done = clone.try_("push", "origin", "main")

    assert done.returncode == 128
    assert f"is not authorized to perform: {PUSH} on resource: {arn(repository)}" in done.stderr
    assert "The requested URL returned error: 403" in done.stderr
    denied = [call for call in codecommits.cloud.calls() if not call["allowed"]][-1]
    assert (denied["action"], denied["resource"]) == (PUSH, arn(repository))


def test_who_may_pull_another_repository_may_not_pull_this_one(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    outside = codecommits.outside(keys=codecommits.keys(allow(PULL, resource=arn("other"))))

    assert f"is not authorized to perform: {PULL}" in outside.try_("ls-remote", codecommits.url(repository)).stderr


@pytest.mark.parametrize("words", [("main",), ("HEAD:other", "main"), ("--force", "HEAD~2:main"), ("--delete", "main")])
def test_a_push_to_a_branch_that_a_condition_denies_is_refused_whole(
    codecommits: CodeCommits, words: tuple[str, ...]
) -> None:
    # As the User Guide limits pushes to branches.
    repository, owner = filled(codecommits)
    owner.commit("c.txt")
    owner.git("push", "--quiet", "origin", "main")
    key = "codecommit:References"
    condition = {"StringEqualsIfExists": {key: ["refs/heads/main"]}, "Null": {key: "false"}}
    deny = {"Effect": "Deny", "Action": PUSH, "Resource": "*", "Condition": condition}
    clone = codecommits.clone(repository, keys=codecommits.keys(allow(PULL, PUSH), deny))
    before = owner.git("ls-remote", "origin")
    clone.commit("b.txt")

    done = clone.try_("push", "origin", *words)

    assert done.returncode == 1
    assert f"remote: refs/heads/main: User: arn:aws:sts::{ACCOUNT}:assumed-role/" in done.stderr
    assert "with an explicit deny" in done.stderr
    assert owner.git("ls-remote", "origin") == before
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/other")
    assert "refs/heads/other" in owner.git("ls-remote", "origin")


def test_the_api_knows_the_branch_that_a_condition_denies(codecommits: CodeCommits) -> None:
    repository, owner = filled(codecommits)
    deny = {
        "Effect": "Deny",
        "Action": "codecommit:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"codecommit:References": "refs/heads/main"}},
    }
    client = codecommits.client(keys=codecommits.keys(allow("codecommit:*"), deny))
    tip = owner.git("rev-parse", "HEAD")
    put = {"repositoryName": repository, "filePath": "b", "fileContent": b"b", "parentCommitId": tip}

    with pytest.raises(client.exceptions.ClientError, match="is not authorized to perform: codecommit:PutFile"):
        client.put_file(branchName="main", **put)
    client.create_branch(repositoryName=repository, branchName="other", commitId=tip)
    client.put_file(branchName="other", **put)


def test_a_wrong_secret_is_refused(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    outside = codecommits.outside(keys=(ACCOUNT, "guessed", None))

    done = outside.try_("ls-remote", codecommits.url(repository))

    assert "the signature in the password does not match" in done.stderr
    assert "The requested URL returned error: 403" in done.stderr


def test_a_session_needs_its_token_and_a_key_has_to_be_known(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    key, secret, _ = codecommits.keys(allow(PULL))

    for keys in ((key, secret, None), (key, secret, "other"), ("AKIAUNKNOWN", secret, None)):
        done = codecommits.outside(keys=keys).try_("ls-remote", codecommits.url(repository))
        assert "security token included in the request is invalid" in done.stderr


def ask(codecommits: CodeCommits, path: str, **headers: str) -> tuple[int, str, str]:
    request = urllib.request.Request(codecommits.cloud.url + path)  # noqa: S310  # loopback
    for header, value in headers.items():
        request.add_header(header.replace("_", "-"), value)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers.get("www-authenticate") or ""


def basic(user: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"


def signed(codecommits: CodeCommits, repository: str, when: datetime) -> str:
    secret = codecommits.cloud.environment["AWS_SECRET_ACCESS_KEY"]
    return basic(ACCOUNT, password(secret, REGION, "127.0.0.1", f"/v1/repos/{repository}", when))


def test_a_signature_holds_fifteen_minutes(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    path = f"/v1/repos/{repository}/info/refs?service=git-upload-pack"

    def status(minutes: int) -> int:
        when = datetime.now(UTC) + timedelta(minutes=minutes)
        return ask(codecommits, path, Authorization=signed(codecommits, repository, when))[0]

    assert [status(minutes) for minutes in (-14, -16, 16)] == [200, 403, 403]
    old = signed(codecommits, repository, datetime.now(UTC) - timedelta(minutes=16))
    assert "has expired" in ask(codecommits, path, Authorization=old)[1]


def test_a_signature_is_for_its_repository(codecommits: CodeCommits) -> None:
    (repository, _), other = filled(codecommits), codecommits.repository()
    given = signed(codecommits, other, datetime.now(UTC))
    path = f"/v1/repos/{repository}/info/refs?service=git-upload-pack"

    assert ask(codecommits, path, Authorization=given)[0] == 403


@pytest.mark.parametrize("given", ["", "Basic", "Basic !!", basic("", "x"), "Bearer x", "AWS4-HMAC-SHA256 x"])
def test_without_credentials_git_is_asked_for_some(codecommits: CodeCommits, given: str) -> None:
    found = ask(codecommits, "/v1/repos/any/info/refs?service=git-upload-pack", Authorization=given)

    assert (found[0], found[2]) == (401, 'Basic realm="CodeCommit"')


@pytest.mark.parametrize("secret", ["", "x", "20260101T000000Zx", f"99999999T999999Z{'0' * 64}"])
def test_a_password_that_is_no_signature_is_refused(codecommits: CodeCommits, secret: str) -> None:
    path = "/v1/repos/any/info/refs?service=git-upload-pack"

    assert ask(codecommits, path, Authorization=basic(ACCOUNT, secret))[0] == 403


@pytest.mark.parametrize(
    "path", ["/v1/repos/", "/v1/repos/a/HEAD", "/v1/repos/a/info/refs", "/v1/repos/a/info/refs?service=git-shell"]
)
def test_what_is_none_of_gits_smart_protocol_is_not_there(codecommits: CodeCommits, path: str) -> None:
    assert ask(codecommits, path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"},
        {"Host": "evil.example"},
    ],
)
def test_a_browser_is_not_asked_for_a_password(codecommits: CodeCommits, headers: dict[str, str]) -> None:
    status, _, asked = ask(codecommits, "/v1/repos/any/info/refs?service=git-upload-pack", **headers)

    assert (status, asked) == (403, "")


def test_what_is_no_push_is_a_bad_request(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    given = signed(codecommits, repository, datetime.now(UTC))
    url = f"{codecommits.url(repository)}/git-receive-pack"
    for body in (b"nonsense", b"", b"0003", b"00ff", b"0010push-cert xy\n"):
        request = urllib.request.Request(url, body, {"Authorization": given})  # noqa: S310  # loopback
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)  # noqa: S310  # the same
        assert refused.value.code == 400


def test_a_fetch_that_is_not_packed_as_it_says_is_refused_by_git(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    given = signed(codecommits, repository, datetime.now(UTC))
    url = f"{codecommits.url(repository)}/git-upload-pack"
    headers = {
        "Authorization": given,
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-git-upload-pack-request",
    }
    request = urllib.request.Request(url, b"plain", headers)  # noqa: S310  # loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # the same
        assert answer.read() == b""


def test_regions_do_not_see_each_others_repositories(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    there = codecommits.client("eu-west-1")
    there.create_repository(repositoryName=repository)
    other = codecommits.clone(repository, region="eu-west-1")
    other.commit("there.txt")
    other.git("push", "--quiet", "origin", "main")

    assert [one["absolutePath"] for one in files(codecommits, repository)] == ["a.txt"]
    assert [one["absolutePath"] for one in files(codecommits, repository, "eu-west-1")] == ["there.txt"]
    there.delete_repository(repositoryName=repository)
    assert "does not exist in eu-west-1" in other.try_("ls-remote", "origin").stderr
    assert codecommits.clone(repository).git("ls-files") == "a.txt"


def files(codecommits: CodeCommits, repository: str, region: str = REGION) -> list[dict[str, Any]]:
    found = codecommits.client(region).get_folder(repositoryName=repository, folderPath="/")
    return list(found["files"])


def test_the_address_on_aws_leads_here_by_a_setting_of_git(codecommits: CodeCommits) -> None:
    repository, _ = filled(codecommits)
    address = codecommits.client().get_repository(repositoryName=repository)["repositoryMetadata"]["cloneUrlHttp"]
    on_aws = f"https://{urlsplit(address).netloc}/"
    outside = codecommits.outside()

    outside.git("-c", f"url.{codecommits.cloud.url}/.insteadOf={on_aws}", "clone", "--quiet", address, ".")

    assert outside.git("ls-files") == "a.txt"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Start a cloud that answers AWS's names."""
    folder = tmp_path_factory.mktemp("named")
    with LocalCloud(Options(folder=folder / "cloud", aws_names=True)) as cloud:
        yield CodeCommits(cloud, folder)


def test_git_reaches_a_repository_by_its_name_on_aws_with_a_url_that_is_signed(named: CodeCommits) -> None:
    # git-remote-codecommit puts user and password into the address.
    repository, variables = named.repository(), named.cloud.environment
    host = f"git-codecommit.{REGION}.amazonaws.com"
    secret = password(variables["AWS_SECRET_ACCESS_KEY"], REGION, host, f"/v1/repos/{repository}", datetime.now(UTC))
    outside = named.outside(GIT_SSL_CAINFO=variables["AWS_CA_BUNDLE"])

    outside.git("clone", "--quiet", f"https://{ACCOUNT}:{secret}@{host}/v1/repos/{repository}", ".")
    outside.git("checkout", "--quiet", "-B", "main")
    outside.commit("a.txt")
    outside.git("push", "--quiet", "origin", "main")

    assert [one["absolutePath"] for one in files(named, repository)] == ["a.txt"]


def test_the_credential_helper_answers_for_this_machine_only(codecommits: CodeCommits) -> None:
    outside = codecommits.outside()

    def asked(host: str) -> str:
        given = f"protocol=http\nhost={host}\npath=v1/repos/a\n\n"
        return outside.try_("credential", "fill", given=given).stdout

    assert f"username={ACCOUNT}\n" in asked("127.0.0.1:4566")
    assert f"username={ACCOUNT}\n" in asked("localhost")
    assert "username" not in asked("github.com")


def test_the_credential_helper_takes_a_profile_too(codecommits: CodeCommits, tmp_path: Path) -> None:
    repository, _ = filled(codecommits)
    variables = codecommits.cloud.environment
    settings = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"]}
    lines = ["[profile ann]", *(f"{name} = {value}" for name, value in settings.items())]
    (tmp_path / "config").write_text("\n".join(lines))
    profile = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "ann"}
    # The settings find the package by themselves.
    person = codecommits.outside(REGION, ("", "", None), PYTHONPATH="", **profile)

    assert "refs/heads/main" in person.git("ls-remote", codecommits.url(repository))


def test_the_credential_helper_has_nothing_to_say_without_credentials(codecommits: CodeCommits) -> None:
    outside = codecommits.outside(REGION, ("", "", None), AWS_EC2_METADATA_DISABLED="true", HOME="/nonexistent")
    done = outside.try_("ls-remote", codecommits.url("any"))

    assert "could not read Username" in done.stderr
