"""The documents' pictures are of the situations that there are, and are called what people read in them."""

import re
from html import unescape
from pathlib import Path

import pytest
from tests.pictures import own_data
from tests.pictures.__main__ import FOLDER, TOPS
from tests.pictures.screens import DEVICES, SCHEMES, SCREENS
from tests.pictures.situations import SITUATIONS, Situation
from tests.support.documents import read

PAGE = "docs/mails-and-pages.md"
_PICTURE = re.compile(
    r'<picture><source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>[^"]+)">'
    r'<img alt="(?P<alt>[^"]+)" src="(?P<light>[^"]+)"></picture>'
)


def pictures(document: str) -> list[tuple[str, str, str]]:
    """Return the pictures of a document: the words that stand for each, its file in the light, and that in the dark."""
    return [(unescape(found["alt"]), found["light"], found["dark"]) for found in _PICTURE.finditer(read(document))]


def title(situation: Situation) -> str:
    """Return the heading of a situation's mail or page."""
    [heading] = re.findall(r"<h1[^>]*>(.*?)</h1>", situation.html())
    return unescape(heading)


def test_there_are_fourteen_situations_each_with_a_name_of_its_own() -> None:
    assert len({one.name for one in SITUATIONS}) == len(SITUATIONS) == 14


def test_every_situation_is_shown_on_a_desktop_and_a_phone_under_its_own_heading() -> None:
    expected = [
        (title(one), f"images/{one.name}-{device}-light.png", f"images/{one.name}-{device}-dark.png")
        for one in SITUATIONS
        for device in DEVICES
    ]
    assert pictures(PAGE) == expected
    assert len(re.findall(r"^## ", read(PAGE), re.MULTILINE)) == len(SITUATIONS)


def test_the_folder_has_the_pictures_that_are_taken_and_no_others() -> None:
    taken = {f"{one.name}-{screen.device}-{screen.scheme}.png" for one in SITUATIONS for screen in SCREENS}
    taken |= {f"{name}-top-{scheme}.png" for name in TOPS for scheme in SCHEMES}
    taken |= {f"{name}-{scheme}.png" for name in own_data.NAMES for scheme in SCHEMES}
    assert {file.name for file in FOLDER.glob("*.png")} == taken


@pytest.mark.parametrize(
    "document", [PAGE, "README.md", "docs/own-container.md", "docs/own-data.md", "docs/own-pipeline.md"]
)
def test_every_picture_that_is_shown_is_there(document: str) -> None:
    folder = (FOLDER.parents[1] / document).parent
    shown = pictures(document)
    assert shown
    assert [name for _, light, dark in shown for name in (light, dark) if not (folder / name).is_file()] == []


def test_nothing_of_this_machine_and_no_person_is_in_a_situation() -> None:
    for situation in SITUATIONS:
        html = situation.html()
        assert str(Path.home()) not in html
        assert set(re.findall(r"[\w.+-]+@[\w.-]+\.\w+", html)) <= {"ann@example.com", "bob+ml@example.com"}
        assert set(re.findall(r"\b\d{12}\b", html)) <= {"123456789012", "683313688378"}, (
            "accounts: ours, and AWS's images"
        )


def test_a_situation_is_the_same_every_time() -> None:
    assert [one.html() for one in SITUATIONS] == [one.html() for one in SITUATIONS]
