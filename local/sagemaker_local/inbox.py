"""The local inbox: the mails that SES took, as a page to click in."""

from collections.abc import Sequence
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--line:#d9dde3;--muted:#5c6672;--back:#f5f6f8;--card:#fff;--link:#0b5cad}
@media (prefers-color-scheme:dark){:root{--line:#333b45;--muted:#9aa5b1;--back:#14181d;--card:#1c2229;--link:#7ab7f5}}
body{margin:0;background:var(--back);font:16px/1.5 system-ui,sans-serif}
main{max-width:44rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.4rem;margin:0 0 .25rem}p{color:var(--muted);margin:.25rem 0 1.5rem}
a.mail{display:block;background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.9rem 1.1rem;
margin:.6rem 0;text-decoration:none;color:inherit}a.mail:hover,a.mail:focus{border-color:var(--link)}
.subject{font-weight:600;display:block}.meta{color:var(--muted);font-size:.9rem}
"""


def page(mails: Sequence[dict[str, Any]]) -> str:
    """Return the list of mails, newest first, as an HTML page that asks for itself again every few seconds."""
    rows = "".join(_row(number, mail) for number, mail in reversed(list(enumerate(mails))))
    empty = "<p>No mail yet. This page looks again by itself.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Inbox</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="refresh" content="3">'
        f"<style>{_STYLE}</style></head><body><main><h1>Local inbox</h1>"
        f"<p>Every mail that SES took on this machine.</p>{rows or empty}</main></body></html>"
    )


def _row(number: int, mail: dict[str, Any]) -> str:
    to = ", ".join(mail.get("To", []))
    return (
        f'<a class="mail" href="/_local/inbox/{number}"><span class="subject">{escape(subject(mail))}</span>'
        f'<span class="meta">to {escape(to)}</span></a>'
    )


def subject(mail: dict[str, Any]) -> str:
    """Return a mail's subject."""
    return str(mail.get("RenderedSubject") or mail.get("Subject") or "")


def html(mail: dict[str, Any]) -> str:
    """Return a mail's HTML body; its text in a page where it has none."""
    body = mail.get("RenderedBodyHtml") or mail.get("BodyHtml")
    return str(body) if body else f"<pre>{escape(str(mail.get('BodyText') or ''))}</pre>"


def text(mail: dict[str, Any]) -> str:
    """Return a mail's text body."""
    return str(mail.get("RenderedBodyText") or mail.get("BodyText") or "")
