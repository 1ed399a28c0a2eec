"""Who decides: the person in front of the machine, or one that is played over HTTP exactly as a browser would."""

import os
import re
import sys
import webbrowser
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from signalbox_local.demo.narrator import Narrator, wait_for
from signalbox_local.person import Person, link

_PATIENCE = 3600


class Visitor(Protocol):
    """Somebody who answers a mail."""

    deed: str

    def approve(self, mail: dict[str, Any]) -> str:
        """See to it that the review in `mail` is answered; return what the page says."""


@dataclass
class PlayedVisitor:
    """Follows the link, reads the form, posts it."""

    deed: str = "A played reader of the mail decides on the page"
    person: Person = field(default_factory=Person)

    def approve(self, mail: dict[str, Any]) -> str:
        """Approve by the page's form."""
        page = self.person.decide(mail, "approve", "looks right on the held-out data")
        return heading(page.text)


@dataclass
class RealVisitor:
    """Opens the inbox in the person's browser and waits for the click."""

    inbox_url: str
    narrator: Narrator
    deed: str = "You decide on the page"
    _opened: bool = False

    def approve(self, mail: dict[str, Any]) -> str:
        """Wait until the page says that the review is decided; looking at it decides nothing."""
        if not self._opened:
            webbrowser.open(self.inbox_url)
            self._opened = True
        self.narrator.tell(f"[bold]Your turn:[/bold] open the newest mail at {self.inbox_url} and decide.")
        address = link(mail, "approve")

        def decided() -> str | None:
            page = httpx.get(address, timeout=60)
            return None if "<form" in page.text else heading(page.text)

        return str(wait_for("your decision", decided, _PATIENCE))


def heading(page: str) -> str:
    """Return the text of a page's first heading."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else "(a page without a heading)"


def somebody_is_there() -> bool:
    """Tell whether there is a terminal, and a browser to click with."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
