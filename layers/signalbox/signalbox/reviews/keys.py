"""Links, forms and ids that nobody else can make: HMAC-SHA256 with one secret of the stack.

Each use signs a text that begins differently (a review's id, "nonce", "review"), so that a value made for one use is
never valid in another.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime, timedelta

ID_LENGTH = 22  # 132 bits of base64url
FORM_LIFETIME = timedelta(hours=2)
_COOKIE = re.compile(r"[A-Za-z0-9_-]{16,64}")


def review_id(secret: bytes, token: str) -> str:
    """Return the opaque id of the review that a task token asks for: the same token, the same id."""
    return _sign(secret, "review", token)[:ID_LENGTH]


def link_key(secret: bytes, review: str, approver: str) -> str:
    """Return the key that lets `approver` see and decide a review: `<signature>.<approver>`, both base64url."""
    return f"{_sign(secret, review, approver)}.{_encode(approver.encode())}"


def approver_of(secret: bytes, review: str, key: str) -> str | None:
    """Return the approver whom a key names, or None if the key was not made by us for this review."""
    try:
        approver = base64.urlsafe_b64decode(_padded(key.partition(".")[2]).encode()).decode()
    except (binascii.Error, UnicodeError):
        return None
    return approver if _same(key, link_key(secret, review, approver)) else None


def form_nonce(secret: bytes, review: str, approver: str, cookie: str, now: datetime) -> str:
    """Return a form's nonce: it holds for this review, approver and browser until `FORM_LIFETIME` has passed."""
    end = str(int((now + FORM_LIFETIME).timestamp()))
    return f"{end}.{_sign(secret, 'nonce', review, approver, cookie, end)}"


def nonce_holds(secret: bytes, nonce: str, review: str, approver: str, cookie: str, *, now: datetime) -> bool:
    """Say whether a nonce was made for exactly this, and its time has not passed."""
    end, _, signature = nonce.partition(".")
    if not cookie_is_ours(cookie) or not _same(signature, _sign(secret, "nonce", review, approver, cookie, end)):
        return False
    return now.timestamp() < int(end)  # signed, so it is the number that form_nonce wrote


def cookie_is_ours(value: str) -> bool:
    """Say whether a cookie's value has the shape of the random text that we set."""
    return _COOKIE.fullmatch(value) is not None


def _sign(secret: bytes, *parts: str) -> str:
    return _encode(hmac.digest(secret, "\n".join(parts).encode(), hashlib.sha256))


def _same(given: str, ours: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), ours.encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
