"""Mails and pages on the screens that people have: a phone and a desktop, in light and in dark mode."""

import base64
from dataclasses import dataclass
from typing import Literal

from tests.support.chromium import Tab


@dataclass(frozen=True)
class Screen:
    """A screen: its width, and that of the part of it that a picture shows, both in CSS pixels."""

    device: Literal["phone", "desktop"]
    scheme: Literal["light", "dark"]
    width: int
    shown: int


PHONE, DESKTOP = 390, 1200
# Of a desktop's window the middle: a mail and a page are at most 640 wide, and around them is nothing.
SCREENS = tuple(
    Screen(device, scheme, width, shown)
    for device, width, shown in (("desktop", DESKTOP, 704), ("phone", PHONE, PHONE))
    for scheme in ("light", "dark")
)


def open_in(tab: Tab, html: str) -> None:
    """Open a page that is nowhere on a server."""
    tab.go(f"data:text/html;charset=utf-8;base64,{base64.b64encode(html.encode()).decode()}")
