"""`python -m tests.pictures`: take the pictures of docs/mails-and-pages.md and docs/own-data.md anew."""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.pictures import own_data, png, screens
from tests.pictures.situations import SITUATIONS, Situation
from tests.support.chromium import NOT_FOUND, Chromium, Tab, program
from tests.support.documents import ROOT

FOLDER = ROOT / "docs" / "images"
TUTORIAL = "own-data"
# The README shows the tops of two, this many CSS pixels of them.
TOPS, TOP = ("approval-mail", "approval-page"), 1300


def main() -> int:
    """Take the pictures; return the exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    names = [*(situation.name for situation in SITUATIONS), TUTORIAL]
    options.add_argument("names", nargs="*", metavar="situation", help=f"of {', '.join(names)}: all")
    chosen = options.parse_args().names or names
    if not set(chosen) <= set(names):
        options.error(f"the situations are {', '.join(names)}")
    if program() is None:
        sys.stderr.write(f"{NOT_FOUND}\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="signalbox-pictures-") as profile, Chromium(Path(profile)) as browser:
        _take((one for one in SITUATIONS if one.name in chosen), browser.tab())
        if TUTORIAL in chosen:
            _take_tutorial(Path(profile) / TUTORIAL, browser.tab())
    return 0


def _take(situations: Iterable[Situation], tab: Tab) -> None:
    for situation in situations:
        screens.open_in(tab, situation.html())
        tab.run("document.body.style.caretColor = 'transparent'")  # it comes and goes
        for screen in screens.SCREENS:
            tab.look_like(screen.width, screen.scheme, scale=1)
            _write(f"{situation.name}-{screen.device}-{screen.scheme}", tab.picture(screen.shown), tab)
            if situation.name in TOPS and screen.device == "desktop":
                _write(f"{situation.name}-top-{screen.scheme}", tab.picture(screen.shown, TOP), tab)


def _take_tutorial(folder: Path, tab: Tab) -> None:
    for name, page in own_data.pages(folder).items():
        screens.open_in(tab, page)
        for scheme in screens.SCHEMES:
            tab.look_like(own_data.WIDTH, scheme, height=1, scale=1)
            _write(f"{name}-{scheme}", tab.picture(own_data.WIDTH), tab)


def _write(name: str, picture: str, tab: Tab) -> None:
    file = FOLDER / f"{name}.png"
    file.write_bytes(png.reduced(picture, tab))
    sys.stdout.write(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    sys.exit(main())
