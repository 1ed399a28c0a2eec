"""CloudFormation's types of SageMaker and CodeCommit put together: the APIs that are asked, and whom for."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from sagemaker_local import ministack, ministack_stacks
from sagemaker_local.access import RoleAccess, trusts
from sagemaker_local.ministack_stacks import StackRoleError

if TYPE_CHECKING:
    from sagemaker_local.codecommit.attach import CodeCommit
    from sagemaker_local.stacks import Ask, Request

# SageMaker's names have at most 63 characters (API reference).
_LONGEST_NAME, _RANDOM = 63, 12
_LETTERS = string.ascii_letters + string.digits
_SERVICE = "cloudformation.amazonaws.com"
# What works on resources: with the role that the stack was given, and otherwise as the caller.
_WORK = ("CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet", "ContinueUpdateRollback", "RollbackStack")


def add_stack_types(access: RoleAccess, codecommit: "CodeCommit", region: str) -> None:
    """Let stacks have the types of resources that are in the table, and refuse those that are nowhere."""
    roles = StackRoles(region)
    ministack_stacks.know_the_caller(roles.acting, roles.keep)
    ministack_stacks.refuse_cloud_control()
    ministack.when_stacks_are_asked_for(lambda: _change(access, roles, codecommit))


def _change(access: RoleAccess, roles: "StackRoles", codecommit: "CodeCommit") -> None:
    # The table reads SageMaker's model, which takes longer than all else that a start does.
    from sagemaker_local.codecommit.stack import REPOSITORY, StackRepositories  # noqa: PLC0415
    from sagemaker_local.stacks import TYPES, StackResources  # noqa: PLC0415
    from sagemaker_local.stacks.projects import Projects  # noqa: PLC0415
    from sagemaker_local.stacks.repositories import Repositories  # noqa: PLC0415

    ask = asking(access)
    for resource in TYPES:
        ministack_stacks.add_type(resource, StackResources(resource, ask, new_name))
    caller = ministack_stacks.caller
    repositories = StackRepositories(
        asking(access, "codecommit"),
        lambda: access.client_of("s3", caller()),
        caller,
        lambda: codecommit.regions.of(_region()),
    )
    ministack_stacks.add_type(REPOSITORY, repositories)
    others = (Projects(asking(access, "codebuild"), new_name), Repositories(asking(access, "ecr"), new_name))
    for other in others:
        ministack_stacks.replace_type(other)
    own = (*TYPES, REPOSITORY, *others)
    ministack_stacks.work_beside_the_cloud(frozenset(one.type_name for one in own))
    ministack_stacks.do_one_thing_at_a_time()
    ministack_stacks.show_roles(lambda stack: roles.of_stack.get(stack, ""))
    ministack_stacks.refuse_types_by_name()


def _region() -> str:
    """Return the region of the stack that is worked on."""
    _, region = ministack.scope()
    return region


def new_name(stack: str, logical_id: str) -> str:
    """Return the name of a resource that a template gives none: another one each time."""
    end = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return f"{f'{stack}-{logical_id}-'[: _LONGEST_NAME - _RANDOM]}{end}"


@dataclass
class StackRoles:
    """The roles that stacks were given: they stay with their stacks (API reference, CreateStack, RoleARN)."""

    region: str
    of_stack: dict[str, str] = field(default_factory=dict)

    def acting(self, access_key: str, parameters: Mapping[str, str]) -> str:
        """Return the access key of whom a request acts as: of the stack's role, otherwise the caller's.

        Raises:
            StackRoleError: the caller may not pass the role, or CloudFormation may not assume it.
        """
        if role := parameters.get("RoleARN"):
            self._require(access_key, role)
        if parameters.get("Action") not in _WORK:
            return access_key
        role = self._role(parameters)
        return ministack.credentials(role, "AWSCloudFormation")["AWS_ACCESS_KEY_ID"] if role else access_key

    def keep(self, parameters: Mapping[str, str]) -> None:
        """Keep the role of a request that was accepted: the stack is worked on with it from now on."""
        stack = ministack_stacks.stack_named(parameters)
        if stack and parameters.get("Action") in (*_WORK, "CreateChangeSet"):
            self.of_stack[stack] = self._role(parameters)

    def _role(self, parameters: Mapping[str, str]) -> str:
        """Return the role of the stack that a request is about; one that is made anew has that of no earlier one."""
        known = self.of_stack.get(ministack_stacks.stack_named(parameters), "")
        anew = parameters.get("Action") == "CreateStack" or parameters.get("ChangeSetType") == "CREATE"
        return parameters.get("RoleARN") or ("" if anew else known)

    def _require(self, access_key: str, role: str) -> None:
        to_service = {"iam:PassedToService": _SERVICE}
        refused = ministack.refusal(access_key, "iam:PassRole", role, self.region, to_service)
        if refused is not None:
            raise StackRoleError("AccessDenied", refused)
        if not trusts(role, _SERVICE):
            raise StackRoleError("ValidationError", f"Role {role} is invalid or cannot be assumed")


def asking(access: RoleAccess, service: str = "sagemaker") -> "Ask":
    """Return how a service is asked: as whoever works on the stack, so that IAM decides, in the stack's region."""
    from sagemaker_local.stacks import RefusedError  # noqa: PLC0415  # see above

    def ask(operation: str, request: "Request") -> dict[str, Any]:
        try:
            client: Any = access.client_of(service, ministack_stacks.caller(), _region())
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        except LookupError as error:
            raise RefusedError("AccessDeniedException", str(error)) from error
        except ParamValidationError as error:
            raise RefusedError("ValidationException", str(error)) from error
        except ClientError as error:
            raise RefusedError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        return {name: item for name, item in answer.items() if name != "ResponseMetadata"}

    return ask
