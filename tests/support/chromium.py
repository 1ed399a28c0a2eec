"""A real browser without a window: Chromium or Chrome, driven over its DevTools Protocol by a pair of pipes.

The pipes (`--remote-debugging-pipe`) need no driver, no port and no WebSocket: messages are JSON, each ended by a NUL.
https://chromedevtools.github.io/devtools-protocol/ has the methods.
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NOT_FOUND = "there is no Chromium or Chrome here: install one (Debian: apt-get install chromium) to run these tests"
_PATIENCE = 60.0
_OPTIONS = (
    "--headless",
    "--no-sandbox",  # a browser's sandbox does not run as root, as in many containers; it meets our own pages only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)


def program() -> str | None:
    """Return the browser's program; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class ChromiumError(Exception):
    """The browser refused a command, or did not answer in time."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def _pipe() -> tuple[int, int]:
    """Return a pipe whose two numbers are above 3 and 4, which are the ones that the browser takes its own by."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high[0], high[1]


@dataclass
class Chromium:
    """A browser that runs; `profile` is a folder for what it keeps. It is closed at the end of a `with`."""

    profile: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    _rest: bytes = b""
    _last: int = 0

    def __enter__(self) -> Self:
        """Start it."""
        self._in, theirs_out = _pipe()
        theirs_in, self._out = _pipe()
        command = [program() or "chromium", *_OPTIONS, f"--user-data-dir={self.profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', *command],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        return self

    def __exit__(self, *_: object) -> None:
        """End it, with all that it started."""
        try:
            self.send("Browser.close")
            self._process.wait(_PATIENCE)
        except (ChromiumError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result.

        Raises:
            ChromiumError: it was refused, or not answered in time.
        """
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        answer = self.wait(lambda one: one.get("id") == number, method)
        if "error" in answer:
            raise ChromiumError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Return the first message from now on that is wanted; the others are kept in `events`."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            while b"\0" in self._rest:
                text, _, self._rest = self._rest.partition(b"\0")
                message: dict[str, Any] = json.loads(text)
                if wanted(message):
                    return message
                self.events.append(message)
            if select.select([self._in], [], [], 0.2)[0]:
                read = os.read(self._in, 1 << 20)
                if not read:
                    raise ChromiumError(f"{what}: the browser has ended")
                self._rest += read
        raise ChromiumError(f"{what}: no answer within {_PATIENCE:.0f} seconds")

    def tab(self) -> "Tab":
        """Open a tab of a profile of its own: no cookie of another tab is in it."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        opened = Tab(self, session)
        opened.send("Page.enable")
        opened.send("Network.enable")
        return opened


@dataclass
class Tab:
    """One tab."""

    browser: Chromium
    session: str

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to this tab."""
        return self.browser.send(method, self.session, **parameters)

    def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self.loaded(lambda: self.send("Page.navigate", url=address))

    def loaded(self, act: Callable[[], object]) -> None:
        """Do something that loads a page, and wait until it is loaded."""
        self.browser.events.clear()
        act()
        seen = [one for one in self.browser.events if self._is_load(one)]
        if not seen:
            self.browser.wait(self._is_load, "the page")

    def _is_load(self, message: dict[str, Any]) -> bool:
        return message.get("method") == "Page.loadEventFired" and message.get("sessionId") == self.session

    def run(self, script: str) -> Any:
        """Run a script in the page, as an extension or a scanner can whatever the page allows; return its value."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise ChromiumError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def text(self) -> str:
        """Return what a person reads on the page."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def click(self, selector: str) -> None:
        """Press the middle of the first element that a selector finds, as a finger or a mouse does."""
        # A page takes no input before it was painted once.
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        place = self.run(
            f"(() => {{const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.click(selector)
        self.send("Input.insertText", text=text)

    def press_enter(self) -> None:
        """Press the Enter key."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.send("Input.dispatchKeyEvent", type="keyDown", **key)
        self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    def look_like(self, width: int, scheme: Literal["light", "dark"], height: int = 800, scale: int = 2) -> None:
        """Be a screen of this width in CSS pixels, of `scale` points of the screen each, in light or dark mode."""
        mobile = width < 600  # narrower than any desktop's window
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        self.send("Emulation.setDeviceMetricsOverride", **metrics)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, width: int, most: float = float("inf")) -> str:
        """Return a picture (base64 of a PNG) of the page's middle, `width` CSS pixels of it, at most so many down."""
        whole = self.send("Page.getLayoutMetrics")["cssContentSize"]
        left = (whole["width"] - width) // 2
        clip = {"x": left, "y": 0, "width": width, "height": min(whole["height"], most), "scale": 1}
        taken = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return str(taken["data"])
