"""Secrets in files, by their patterns: kinds of them are told, never the secrets.

What is compressed or encoded hides its secrets from this, and of a large file that is no text (data, models, archives)
only the first block is looked at: looking at all of it takes longer than saving it.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

OVERLAP = 256
"""Bytes of one block that are looked at again with the next, so that no secret hides on the seam."""
_BEGINNING = 8192
"""Bytes in which a file that is no text has a zero."""


class _Kind(NamedTuple):
    """A kind of secret: texts that it has, one of which is looked for first because that is fast, and its pattern."""

    name: str
    hints: "tuple[bytes, ...]"
    pattern: bytes


_BEFORE, _AFTER = rb"(?<![A-Za-z0-9_])", rb"(?![A-Za-z0-9_])"
_KINDS = (
    _Kind("AWS access key", (b"AKIA", b"ASIA"), _BEFORE + rb"A[KS]IA[A-Z2-7]{16}" + _AFTER),
    _Kind(
        "AWS secret key",
        (b"ecret_access_key", b"SECRET_ACCESS_KEY", b"ecretAccessKey"),
        rb"(?i)secret_?access_?key[^A-Za-z0-9/+]{1,8}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    ),
    _Kind("private key", (b"PRIVATE KEY",), rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    _Kind("GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), _BEFORE + rb"gh[pousr]_[A-Za-z0-9]{36,}"),
    _Kind("GitHub token", (b"github_pat_",), _BEFORE + rb"github_pat_[A-Za-z0-9_]{60,}"),
    _Kind("GitLab token", (b"glpat-",), rb"(?<![A-Za-z0-9_])glpat-[A-Za-z0-9_-]{20,}"),
    _Kind("Slack token", (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-"), rb"xox[abprs]-[0-9A-Za-z-]{20,}"),
    _Kind("Slack address", (b"hooks.slack.com/services/",), rb"hooks\.slack\.com/services/T\w+/B\w+/\w{16,}"),
    _Kind("Google key", (b"AIza",), _BEFORE + rb"AIza[A-Za-z0-9_-]{35}" + rb"(?![A-Za-z0-9_-])"),
    _Kind("Hugging Face token", (b"hf_",), _BEFORE + rb"hf_[A-Za-z]{34}" + _AFTER),
    _Kind("OpenAI or Anthropic key", (b"sk-",), _BEFORE + rb"sk-(?:(?:ant-|proj-)[A-Za-z0-9_-]{40,}|[A-Za-z0-9]{40,})"),
    _Kind("Stripe key", (b"sk_live_", b"rk_live_"), _BEFORE + rb"[sr]k_live_[A-Za-z0-9]{24,}"),
    _Kind("PyPI token", (b"pypi-AgEIcHlwaS5vcmc",), rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
)
_EXAMPLES = {b"AKIAIOSFODNN7EXAMPLE", b"AKIAI44QH8DHBEXAMPLE", b"ASIAIOSFODNN7EXAMPLE"}
"""Keys of AWS's own documents, which open nothing."""


def secrets(data: "bytes | bytearray") -> "tuple[str, ...]":
    """Return the kinds of the secrets in `data`, each once, in the alphabet's order."""
    return tuple(
        sorted({kind.name for kind in _KINDS if any(hint in data for hint in kind.hints) and _has(data, kind)})
    )


def secrets_of(blocks: "Iterable[bytes]") -> "tuple[str, ...]":
    """Return the kinds of the secrets in a file that is read in blocks; of one that is no text, in its first block."""
    found: set[str] = set()
    before = b""
    for block in blocks:
        found.update(secrets(before + block) if before else secrets(block))
        if not before and b"\0" in block[:_BEGINNING]:
            break
        before = block[-OVERLAP:]
    return tuple(sorted(found))


def _has(data: "bytes | bytearray", kind: _Kind) -> bool:
    return any(match.group(0) not in _EXAMPLES for match in re.finditer(kind.pattern, data))
