"""The password that git gives for CodeCommit: a time and a Signature V4 of the repository's address.

AWS's own programs (git-remote-codecommit, `aws codecommit credential-helper`) sign the method `GIT`, the path and the
host without its port. The time is signed without the Z that it has in the password, and the body's digest is empty.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

SERVICE = "codecommit"
VALID = timedelta(minutes=15)  # how far a request's time may be from now (General Reference, Signature Version 4)
MISMATCH = "the signature in the password does not match: check the secret key, the region and the address"
_TIME = "%Y%m%dT%H%M%S"
_PASSWORD = re.compile(r"(?P<time>\d{8}T\d{6})Z(?P<signature>[0-9a-f]{64})")


def password(secret: str, region: str, host: str, path: str, when: datetime) -> str:
    """Return the password for a repository's path on a host (without port), signed at a time in UTC."""
    time = when.strftime(_TIME)
    return f"{time}Z{_signature(secret, region, host, path, time)}"


def fault(given: str, secret: str, region: str, host: str, path: str) -> str | None:
    """Return what is wrong with a password; None where nothing is."""
    found = _PASSWORD.fullmatch(given)
    if not found:
        return "the password is no time with a signature, as the credential helper makes it"
    if not hmac.compare_digest(_signature(secret, region, host, path, found["time"]), found["signature"]):
        return MISMATCH
    if not _is_fresh(found["time"]):
        return "the signature in the password has expired, or is of the future: it holds 15 minutes"
    return None


def _is_fresh(time: str) -> bool:
    try:
        signed = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - signed) <= VALID


def _signature(secret: str, region: str, host: str, path: str, time: str) -> str:
    day = time[:8]
    request = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
