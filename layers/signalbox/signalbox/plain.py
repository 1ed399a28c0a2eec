"""Text that people and data wrote, before it is kept or shown: nothing in it moves a cursor, a line or a direction.

Names, reasons, cells of test rows, file names and programs' words come from strangers. Where such text comes in, and
where templates write it, it goes through here.
"""

import re
from collections.abc import Iterable

_LINE_END = "\r\n|[\n\v\f\r\x85\u2028\u2029]"
# What is removed. ZERO WIDTH (NON-)JOINER stay: Persian, Hindi and many emojis are written with them.
_UNSEEN = (
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # a terminal's colours and moves (ECMA-48, "CSI")
    "|[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls (Unicode, general category Cc) but tab and the ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions (Unicode Annex 9, "Bidirectional Algorithm", 2)
    "\u00ad\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # other marks that nobody sees
    "\ud800-\udfff]"  # halves of characters, which no encoding takes
)
# What programs make links of: what stands behind a scheme, behind `www.`, and a host before a path.
_SCHEME = r"(?<!\bs3)://"
_WWW = r"(?i)\b(www)\."
_NAMES = r"((?:[\w-]{1,63}\.){0,8}[\w-]{1,63})\.([^\W\d_]{2,24})\b"
_HOST = rf"(?<=//)(?<!s3://){_NAMES}|(?<![\w./\[\]-]){_NAMES}(?=(?::\d{{1,5}})?/)"
_JOINER = "\N{ZERO WIDTH JOINER}"


def line(text: str) -> str:
    """Return a text as one line: ends of lines and tabs become spaces, what is not to be seen goes."""
    return text if text.isprintable() else lines(text).replace("\n", " ").replace("\t", " ")


def lines(text: str) -> str:
    """Return a text that may have lines, each ended by a newline alone; what is not to be seen goes."""
    return re.sub(_UNSEEN, "", re.sub(_LINE_END, "\n", text))


def tail(texts: Iterable[str], most: int, width: int) -> tuple[str, ...]:
    """Return the last lines that have something to see, at most `most`; each is cut behind `width` characters."""
    kept = [one.rstrip() for text in texts for one in lines(text).splitlines() if one.strip()][-most:]
    return tuple(cut(one, width) for one in kept)


def cut(text: str, width: int) -> str:
    """Return a text of at most `width` characters, with an ellipsis where some are gone."""
    return text if len(text) <= width else f"{text[: width - 1].rstrip(_JOINER)}\N{HORIZONTAL ELLIPSIS}"


def unlinked(text: str) -> str:
    """Return a text in which no program that shows mails finds an address to make a link of.

    Each is taken apart where people see it: `https[:]//example[.]com`, `www[.]example.com`, `example[.]com/login`. The
    address of an object in S3 stays, which nothing opens.
    """
    apart = re.sub(_WWW, r"\1[.]", re.sub(_SCHEME, "[:]//", text))
    return re.sub(_HOST, lambda found: f"{found[1] or found[3]}[.]{found[2] or found[4]}", apart)
