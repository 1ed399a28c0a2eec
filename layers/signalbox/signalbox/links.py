"""Addresses in the AWS console, for the places that mails and pages send people to."""

from urllib.parse import quote

_DOMAINS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def execution(arn: str) -> str:
    """Return the address of a state machine's execution, "" for what is none."""
    # arn:<partition>:states:<region>:<account>:execution:<machine>:<name>
    parts = arn.split(":")
    if len(parts) < 8 or parts[0] != "arn":  # noqa: PLR2004  # the parts above
        return ""
    return f"https://{_domain(parts)}/states/home?region={parts[3]}#/v2/executions/details/{arn}"


def stored_object(uri: str, arn: str) -> str:
    """Return the address of an object in S3 (`s3://bucket/key`), in the partition and region of `arn`, else ""."""
    parts, (bucket, _, key) = arn.split(":"), uri.removeprefix("s3://").partition("/")
    if parts[0] != "arn" or len(parts) < 6 or not uri.startswith("s3://") or not key:  # noqa: PLR2004  # as for a log
        return ""
    return f"https://{_domain(parts)}/s3/object/{bucket}?region={parts[3]}&prefix={quote(key)}"


def log(arn: str, group: str, job: str) -> str:
    """Return the address of a job's log streams, in the partition and region of `arn`; "" if that is no ARN."""
    parts = arn.split(":")
    if parts[0] != "arn" or len(parts) < 6 or not group:  # noqa: PLR2004  # arn:<partition>:<service>:<region>:…
        return ""
    # The console escapes the part behind # once more, with $ for %.
    escaped = quote(quote(group, safe=""), safe="").replace("%", "$")
    place = f"#logsV2:log-groups/log-group/{escaped}$3FlogStreamNameFilter$3D{job}"
    return f"https://{_domain(parts)}/cloudwatch/home?region={parts[3]}{place}"


def domain(arn: str) -> str:
    """Return the host of the console in the partition and region of `arn`."""
    return _domain(arn.split(":"))


def _domain(parts: list[str]) -> str:
    return f"{parts[3]}.{_DOMAINS.get(parts[1], 'console.aws.amazon.com')}"
