"""What an approver does in a browser, over HTTP: follow a link, fill in the form, with the mail's word, post it."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

from sagemaker_local import inbox


class PageError(Exception):
    """A mail has no such link or no word, or a page no form; the message says what was found."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass
class Form:
    """A form of a page: where it goes, and its fields with the values they have."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _FormParser(HTMLParser):
    """Reads the first form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a form and its fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = Form(given.get("action", ""), given.get("method", "get").upper())
        elif self.form is not None and given.get("name"):
            self._take(tag, given)

    def _take(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.form, given["name"]
        if form is None:
            return
        if given.get("type") == "radio" or tag == "button" or given.get("type") == "submit":
            form.choices.setdefault(name, []).append(given.get("value", ""))
            if "checked" in given:
                form.fields[name] = given.get("value", "")
        else:
            form.fields[name] = given.get("value", "")


def read_form(page: str) -> Form:
    """Return the first form of a page.

    Raises:
        PageError: there is none.
    """
    parser = _FormParser()
    parser.feed(page)
    if parser.form is None:
        raise PageError(f"the page has no form:\n{page[:500]}")
    return parser.form


def link(mail: dict[str, Any], choice: str) -> str:
    """Return the mail's link for a choice, `approve` or `reject`, as it stands in the mail's text.

    Raises:
        PageError: the mail has no such link.
    """
    found = re.search(rf"https?://\S+choice={choice}\b", inbox.text(mail))
    if found is None:
        raise PageError(f"the mail {inbox.subject(mail)!r} has no link to {choice}")
    return found[0]


def word(mail: dict[str, Any]) -> str:
    """Return the word with which the mail's reader approves.

    Raises:
        PageError: the mail has none.
    """
    found = re.search(r"type this word on the page: (\w+)", inbox.text(mail))
    if found is None:
        raise PageError(f"the mail {inbox.subject(mail)!r} has no word to approve with")
    return found[1]


@dataclass
class Browser:
    """A browser of one person: it keeps cookies and runs no scripts."""

    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def decide(self, mail: dict[str, Any], choice: str, reason: str = "", typed: str | None = None) -> httpx.Response:
        """Follow the link for `choice`, fill the form in and post it; return the page that comes back.

        To approve, the mail's word is typed, or what is `typed` in its place.

        Raises:
            PageError: the link leads to no form, or the mail has no word to approve with.
        """
        address = link(mail, choice)
        page = self.client.get(address)
        form = read_form(page.text)
        values = dict(form.fields)
        name = next((name for name, options in form.choices.items() if choice in options), "choice")
        values[name] = choice
        if "reason" in values or reason:
            values["reason"] = reason
        if choice == "approve":
            values["word"] = word(mail) if typed is None else typed
        return self.client.request(form.method, urljoin(str(page.url), form.action), data=values)
