"""HTTP APIs: what ministack 1.5.33 answers otherwise than AWS in front of a function."""

import json
from contextvars import ContextVar
from typing import Any

from sagemaker_local.ministack import apis, functions

type Answer = tuple[int, dict[str, str], bytes]

_in_front: ContextVar[bool] = ContextVar("in_front", default=False)
_FAILED = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": json.dumps({"message": "Internal Server Error"}),
}


def keep_a_functions_error_to_itself() -> None:
    """Gap: who calls an HTTP API is told the error of a function that failed, with 502; AWS says 500 and no word of it.

    API Gateway Developer Guide, "Troubleshooting issues with HTTP API Lambda integrations".
    """
    invoke, shape = apis._invoke_lambda_proxy, functions.lambda_execute_result_to_api_proxy_response

    async def invoked(*arguments: Any, **more: Any) -> Answer:
        before = _in_front.set(True)
        try:
            answer: Answer = await invoke(*arguments, **more)
        finally:
            _in_front.reset(before)
        return answer

    def shaped(result: dict[str, Any]) -> Any:
        return (_FAILED, None) if _in_front.get() and result.get("error") else shape(result)

    apis._invoke_lambda_proxy, functions.lambda_execute_result_to_api_proxy_response = invoked, shaped
