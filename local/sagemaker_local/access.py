"""IAM for the SageMaker service: who may do what, and programs that act as a role, by ministack's evaluator."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sagemaker_local import ministack, ministack_policies
from sagemaker_local.core.errors import denied, invalid

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient

SERVICE = "sagemaker.amazonaws.com"


class RoleAccess:
    """Access by ministack's IAM. Calls made as a role arrive as requests do: authorised and recorded."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        self._endpoint_url = endpoint_url
        self._region = region

    def require(self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Let the holder of `access_key` do `action` on `resource`.

        Raises:
            ApiError: AccessDeniedException, in AWS's words.
        """
        sentence = ministack.refusal(access_key, action, resource, self._region, context)
        if sentence is not None:
            raise denied(sentence)

    def require_service_role(self, role_arn: str) -> None:
        """Let SageMaker assume the role.

        Raises:
            ApiError: ValidationException: the role does not exist or does not trust SageMaker.
        """
        if not trusts(role_arn, SERVICE):
            raise invalid(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{SERVICE}' to assume the role."
            )

    def environment(self, role_arn: str, session: str) -> dict[str, str]:
        """Return the variables by which a program acts as the role in this cloud."""
        return {
            **ministack.credentials(role_arn, session),
            "AWS_ENDPOINT_URL": self._endpoint_url,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
        }

    def temporary(self, role_arn: str, session: str, seconds: float) -> dict[str, str]:
        """Return new credentials of the role that are valid for so many seconds."""
        return ministack.credentials(role_arn, session, seconds)

    def client(self, service: str, role_arn: str, session: str, output_key: str = "") -> "BaseClient":
        """Return a boto3 client of this cloud that acts as the role, and encrypts what it writes with `output_key`."""
        keys = ministack.credentials(role_arn, session)
        created: Any = self._client(service, keys)
        if output_key:
            encrypt = partial(self._encrypt, keys["AWS_ACCESS_KEY_ID"], output_key)
            for operation in ("PutObject", "CreateMultipartUpload"):
                created.meta.events.register(f"provide-client-params.s3.{operation}", encrypt)
        return created  # type: ignore[no-any-return]

    def client_of(self, service: str, access_key: str, region: str = "") -> "BaseClient":
        """Return a boto3 client of this cloud that acts as the holder of an access key of this cloud, in a region.

        Raises:
            LookupError: the key is not valid any more.
        """
        return self._client(service, ministack.keys_of(access_key), region)

    def _client(self, service: str, keys: Mapping[str, str], region: str = "") -> "BaseClient":
        return _session(region or self._region).client(  # type: ignore[call-overload,no-any-return]  # the name is a variable here
            service,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys["AWS_SESSION_TOKEN"] or None,
        )

    def _encrypt(
        self, access_key: str, output_key: str, params: dict[str, Any], model: Any, **_: object
    ) -> dict[str, Any]:
        """Return the parameters of a write with its encryption, as S3 would ask KMS for the caller's right to the key.

        Raises:
            ClientError: AccessDenied, or KMS.NotFoundException, as S3 answers them.
        """
        if ministack_policies.key_policy(output_key) is None:
            raise _refused("KMS.NotFoundException", f"Key '{output_key}' does not exist", model.name)
        through = {"kms:ViaService": f"s3.{self._region}.amazonaws.com", "kms:CallerAccount": ministack.scope()[0]}
        sentence = ministack.refusal(access_key, "kms:GenerateDataKey", output_key, self._region, through)
        if sentence is not None:
            raise _refused("AccessDenied", sentence, model.name)
        return {**params, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": output_key}


def _refused(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def trusts(role_arn: str, *services: str) -> bool:
    """Tell whether there is such a role, and one of the services may assume it; conditions are not looked at."""
    statements = (ministack.trust_policy(role_arn) or {}).get("Statement", [])
    return any(_lets_in(statement, services) for statement in _listed(statements))


def _lets_in(statement: Mapping[str, Any], services: Sequence[str]) -> bool:
    principal = statement.get("Principal", {})
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    return statement.get("Effect") == "Allow" and any(service in _listed(named) for service in services)


def _listed(one_or_more: Any) -> list[Any]:
    """Return what a policy names once or in a list as a list."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def root_client(endpoint_url: str, region: str, service: str) -> Any:
    """Return a client that acts as the account's root, for what AWS does by itself."""
    return _session(region).client(service, endpoint_url=endpoint_url)  # type: ignore[call-overload]


@cache
def _session(region: str) -> "boto3.session.Session":
    """Return one session: its loader keeps the service models, which are the large part of a client."""
    # Imported at the first client: they are a third of the cloud's start.
    import boto3  # noqa: PLC0415  # as said
    import botocore.session  # noqa: PLC0415  # the same
    from botocore.config import Config  # noqa: PLC0415  # the same

    config = Config(retries={"mode": "standard", "max_attempts": 3}, s3={"addressing_style": "path"}, read_timeout=120)
    core = botocore.session.get_session()
    core.set_default_client_config(config)
    return boto3.session.Session(botocore_session=core, region_name=region)
