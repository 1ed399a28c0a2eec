"""The services of the journey of a push: CodeCommit, CodeBuild, and whom it hands on to; its table is in `table`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, none_if_missing, translated
from signalbox.aws.logs import BuildLogs
from signalbox.pushes import rules
from signalbox.pushes.model import Automation, Branch, Build, RepositoryUnknownError

if TYPE_CHECKING:
    from mypy_boto3_codebuild import CodeBuildClient
    from mypy_boto3_codebuild.type_defs import BuildTypeDef
    from mypy_boto3_codecommit import CodeCommitClient

# The build's variable that names its branch; the buildspec passes it on.
BRANCH = "SIGNALBOX_BRANCH"
# AWS CodeCommit and AWS CodeBuild API references, "Errors" of GetBranch, GetCommit and StartBuild.
_NO_BRANCH, _NO_REPOSITORY = "BranchDoesNotExistException", "RepositoryDoesNotExistException"
_NO_ROOM = "AccountLimitExceededException"
_RUNNING = "IN_PROGRESS"


class CodeCommitRepositories:
    """The repositories in CodeCommit."""

    def __init__(self, codecommit: "CodeCommitClient | None" = None) -> None:
        self._codecommit: CodeCommitClient = codecommit or clients.client("codecommit")

    def head(self, repository: str, branch: str) -> str | None:
        """Return a branch's newest commit; None where there is no such branch.

        Raises:
            RepositoryUnknownError: there is no such repository.
            ServiceBusyError, CallRefusedError: CodeCommit did not answer.
        """
        try:
            with translated(f"codecommit:GetBranch of {branch} in {repository}"):
                found = self._codecommit.get_branch(repositoryName=repository, branchName=branch)
        except CallRefusedError as error:
            if error.code == _NO_BRANCH:
                return None
            raise _known(error, repository) from error
        return found["branch"]["commitId"]

    def address(self, repository: str, commit: str) -> str:
        """Return the e-mail address of who made a commit, as they wrote it; "" where there is none.

        Raises:
            RepositoryUnknownError: there is no such repository.
            ServiceBusyError, CallRefusedError: CodeCommit did not answer.
        """
        try:
            with translated(f"codecommit:GetCommit of {commit} in {repository}"):
                found = self._codecommit.get_commit(repositoryName=repository, commitId=commit)
        except CallRefusedError as error:
            raise _known(error, repository) from error
        return found["commit"].get("committer", {}).get("email", "")


def _known(error: CallRefusedError, repository: str) -> Exception:
    return RepositoryUnknownError(repository) if error.code == _NO_REPOSITORY else error


class CodeBuilds:
    """The builds in CodeBuild. Every method raises ServiceBusyError and CallRefusedError."""

    def __init__(self, codebuild: "CodeBuildClient | None" = None, logs: BuildLogs | None = None) -> None:
        self._codebuild: CodeBuildClient = codebuild or clients.client("codebuild")
        self._logs = logs or BuildLogs()

    def start(self, automation: Automation, branch: Branch) -> str:
        """Start the build of a branch, or find the one that was started a moment ago; return its id.

        CodeBuild knows a token for some minutes. Where as many builds run as the account may have, the call is worth
        another try: that is a ServiceBusyError.
        """
        project, operation = automation.build_of(branch.name) or automation.build, "codebuild:StartBuild"
        try:
            with translated(f"{operation} of {project}"):
                answer = self._codebuild.start_build(
                    projectName=project,
                    sourceVersion=branch.commit,
                    idempotencyToken=rules.build_token(automation, branch),
                    environmentVariablesOverride=[{"name": BRANCH, "value": branch.name, "type": "PLAINTEXT"}],
                )
        except CallRefusedError as error:
            if error.code == _NO_ROOM:
                raise ServiceBusyError(operation, str(error)) from error
            raise
        return answer["build"]["id"]

    def newest(self, automation: Automation, branch: Branch) -> Sequence[Build]:
        """Return the newest builds of the branch's CodeBuild project, the newest first; a page of a hundred."""
        project = automation.build_of(branch.name) or automation.build
        with translated(f"codebuild:ListBuildsForProject of {project}"):
            ids = self._codebuild.list_builds_for_project(projectName=project, sortOrder="DESCENDING").get("ids", [])
        return self._found(ids)

    def look(self, build: str) -> Build | None:
        """Return a build; None where there is none (any more)."""
        return next(iter(self._found([build])), None)

    def log(self, build: Build) -> tuple[str, ...]:
        """Return the last lines of a build's log, none where it cannot be read."""
        return self._logs.tail(build.group, build.stream) if build.stream else ()

    def _found(self, ids: Sequence[str]) -> list[Build]:
        if not ids:
            return []
        with translated("codebuild:BatchGetBuilds"), none_if_missing():
            return [_build(one) for one in self._codebuild.batch_get_builds(ids=ids)["builds"]]
        return []


def _build(found: "BuildTypeDef") -> Build:
    variables = found.get("environment", {}).get("environmentVariables", [])
    logs = found.get("logs", {})
    broken = [one for one in found.get("phases", []) if one.get("phaseStatus") not in (None, "SUCCEEDED")][:1]
    reasons = [context.get("message", "") for phase in broken for context in phase.get("contexts", [])]
    return Build(
        id=found["id"],
        commit=found.get("sourceVersion", ""),
        branch=next((one["value"] for one in variables if one["name"] == BRANCH), ""),
        status=None if found["buildStatus"] == _RUNNING else found["buildStatus"],
        started_at=found["startTime"],
        phase=next((phase.get("phaseType", "") for phase in broken), ""),
        reason=" ".join(reasons).strip(),
        group=logs.get("groupName", ""),
        stream=logs.get("streamName", ""),
        url=logs.get("deepLink", ""),
    )
