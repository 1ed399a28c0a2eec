"""Whether a webhook comes from who it says: a signature over the body as it came, or a secret token.

Sources: GitHub Docs, "Validating webhook deliveries"; Atlassian Support, "Manage webhooks", secrets; GitLab Docs,
"Webhooks", secret token and signing token (GitLab 19.0 and later), whose form is that of Standard Webhooks 1.0.0.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from signalbox import numerals

# Apart from ours, a sender's clock may be this far, and a request may be this long on its way (Standard Webhooks).
WINDOW = timedelta(minutes=5)
_STANDARD = "whsec_"


def hmac_holds(secret: str, header: str, body: bytes) -> bool:
    """Say whether a header is `sha256=` and the HMAC of the body, in a time that tells nothing of it."""
    ours = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(ours.encode(), header.encode(errors="replace"))


def token_holds(secret: str, header: str) -> bool:
    """Say whether a header is the secret, in a time that tells nothing of it."""
    return hmac.compare_digest(secret.encode(), header.encode(errors="replace"))


def standard_holds(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Say whether one of the signatures of `webhook-signature` is that of the id, the time and the body."""
    key = _key(secret)
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode(errors="replace") + body
    ours = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    # All of them, so that the time does not tell which one it is.
    held = [hmac.compare_digest(ours.encode(), one.encode(errors="replace")) for one in given]
    return any(held) and bool(key)


def signed_lately(headers: Mapping[str, str], now: datetime) -> bool:
    """Say whether the time of `webhook-timestamp`, in seconds since 1970, is within the window around now."""
    try:
        seconds = numerals.whole_number(headers.get("webhook-timestamp", ""))
    except ValueError:
        return False
    return abs(now.timestamp() - seconds) <= WINDOW.total_seconds()


def _key(secret: str) -> bytes:
    """Return the bytes that a secret signs with: those in the base64 behind `whsec_`, else those of its text."""
    if not secret.startswith(_STANDARD):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_STANDARD), validate=True)
    except (binascii.Error, ValueError):
        return b""
