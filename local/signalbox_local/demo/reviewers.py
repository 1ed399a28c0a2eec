"""Who approves in the demo: the user in a browser, or the demo itself over HTTP."""

import os
import re
import sys
import webbrowser
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from sagemaker_local import inbox
from signalbox_local.browser import Browser, link
from signalbox_local.demo.terminal import Terminal, wait_for

_PATIENCE = 3600


class Reviewer(Protocol):
    """Answers the mails that ask for approval; `action` is the title of the step."""

    action: str

    def approve(self, mail: dict[str, Any]) -> str:
        """Get the review in `mail` decided; return the heading of the page that says so."""


@dataclass
class AutomaticReviewer:
    """Follows the link, reads the form, posts it with the mail's word."""

    action: str = "The demo opens the mail's link, types its word and approves"
    browser: Browser = field(default_factory=Browser)

    def approve(self, mail: dict[str, Any]) -> str:
        """Approve by the page's form."""
        page = self.browser.decide(mail, "approve", "looks right on the held-out data")
        return heading(page.text)


@dataclass
class BrowserReviewer:
    """Opens the inbox in the user's browser and waits for the decision."""

    inbox_url: str
    terminal: Terminal
    action: str = "You approve or reject on the page"

    def approve(self, mail: dict[str, Any]) -> str:
        """Wait until the page says that the review is decided; fetching it decides nothing."""
        webbrowser.open(self.inbox_url)  # for each mail: the second one asks for prod
        subject = inbox.subject(mail)
        words = f"“{subject}” is the newest mail at {self.inbox_url}: open it, then approve with its word, or reject."
        self.terminal.note(words, lead="Your turn:")
        address = link(mail, "approve")

        def decided() -> str | None:
            page = httpx.get(address, timeout=60)
            return None if "<form" in page.text else heading(page.text)

        return str(wait_for("your decision", decided, _PATIENCE))


def heading(page: str) -> str:
    """Return the text of a page's first heading."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else "(a page without a heading)"


def can_open_browser() -> bool:
    """Return whether there is a terminal, and a browser for the user to click in."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
