"""Mails and pages on the screens that people have: a phone and a desktop, in light and in dark mode."""

import base64
from dataclasses import dataclass
from typing import Literal

from tests.support.chromium import Tab

type Device = Literal["desktop", "phone"]
type Scheme = Literal["light", "dark"]
DEVICES: tuple[Device, ...] = ("desktop", "phone")
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PHONE, DESKTOP = 390, 1200


@dataclass(frozen=True)
class Screen:
    """A screen of one of the devices, in one of the schemes; widths are CSS pixels."""

    device: Device
    scheme: Scheme

    @property
    def width(self) -> int:
        """Return how wide it is."""
        return PHONE if self.device == "phone" else DESKTOP

    @property
    def shown(self) -> int:
        """Return how much of its middle a picture shows: mails and pages are at most 640 wide, with nothing beside."""
        return PHONE if self.device == "phone" else 704


SCREENS = tuple(Screen(device, scheme) for device in DEVICES for scheme in SCHEMES)


def open_in(tab: Tab, html: str) -> None:
    """Open a page that is nowhere on a server."""
    tab.go(f"data:text/html;charset=utf-8;base64,{base64.b64encode(html.encode()).decode()}")
