"""CloudFormation's types of SageMaker put together: the table, the API that is asked, and whom for."""

from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from sagemaker_local import ministack_stacks
from sagemaker_local.access import RoleAccess
from sagemaker_local.stacks import TYPES, Ask, Refusal, Request, StackResources


def add_stack_types(access: RoleAccess) -> None:
    """Let stacks have the types of resources that are in the table, and refuse those that are nowhere."""
    ask = asking(access)
    for resource in TYPES:
        ministack_stacks.add_type(resource, StackResources(resource, ask, ministack_stacks.new_name))
    ministack_stacks.work_beside_the_cloud(frozenset(resource.type_name for resource in TYPES))
    ministack_stacks.know_the_caller()
    ministack_stacks.refuse_types_by_name()


def asking(access: RoleAccess) -> Ask:
    """Return how SageMaker is asked: as whoever works on the stack, so that IAM decides about it."""

    def ask(operation: str, request: Request) -> dict[str, Any]:
        try:
            client: Any = access.client_of("sagemaker", ministack_stacks.caller())
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        except LookupError as error:
            raise Refusal("AccessDeniedException", str(error)) from error
        except ParamValidationError as error:
            raise Refusal("ValidationException", str(error)) from error
        except ClientError as error:
            raise Refusal(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        return {name: item for name, item in answer.items() if name != "ResponseMetadata"}

    return ask
