"""Links, words, forms and ids that nobody else can make: HMAC-SHA256 with one secret of the stack.

Each use signs a text that begins differently (a review's id, "nonce", "review", "word"), so that a value made for one
use is never valid in another.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime, timedelta

ID_LENGTH = 22  # 132 bits of base64url
FORM_LIFETIME = timedelta(hours=2)
# 64 syllables, six bits each. Without "u", "c" and "h" hardly a word comes out that people would not like to type.
_SYLLABLES = tuple(f"{consonant}{vowel}" for consonant in "bdfgjklmnprstvwz" for vowel in "aeio")
_COOKIE = r"[A-Za-z0-9_-]{16,64}"


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


def approval_word(secret: bytes, review: str, approver: str) -> str:
    """Return the word with which `approver` approves a review: eight letters, which stand in their mail alone.

    Its 24 bits are enough for what may be guessed a few times only, by somebody who has the link already.
    """
    drawn = int.from_bytes(_digest(secret, "word", review, approver)[:3])
    return "".join(_SYLLABLES[drawn >> shift & 63] for shift in (18, 12, 6, 0))


def letters(typed: str) -> str:
    """Return what counts of a word that a person typed: its letters, whatever their case and what stands between."""
    return re.sub("[^a-z]", "", typed.lower())


def word_holds(secret: bytes, typed: str, review: str, approver: str) -> bool:
    """Say whether the word that was typed is the approver's for this review, in a time that tells nothing of it."""
    return _same(letters(typed), approval_word(secret, review, approver))


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
    return re.fullmatch(_COOKIE, value) is not None


def _sign(secret: bytes, *parts: str) -> str:
    return _encode(_digest(secret, *parts))


def _digest(secret: bytes, *parts: str) -> bytes:
    return hmac.digest(secret, "\n".join(parts).encode(), hashlib.sha256)


def _same(given: str, ours: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), ours.encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
