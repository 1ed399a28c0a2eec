"""Text that people and data wrote, before it is kept or shown: nothing in it moves a cursor, a line or a direction.

Names, reasons, cells of test rows, file names and programs' words come from strangers. Where such text comes in, and
where templates write it, it goes through here.
"""

import re

_LINE_END = "\r\n|[\n\v\f\r\x85\u2028\u2029]"
# What is removed. ZERO WIDTH (NON-)JOINER stay: Persian, Hindi and many emojis are written with them.
_UNSEEN = (
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # a terminal's colours and moves (ECMA-48, "CSI")
    "|[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls (Unicode, general category Cc) but tab and the ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions (Unicode Annex 9, "Bidirectional Algorithm", 2)
    "\u00ad\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # other marks that nobody sees
    "\ud800-\udfff]"  # halves of characters, which no encoding takes
)


def line(text: str) -> str:
    """Return a text as one line: ends of lines and tabs become spaces, what is not to be seen goes."""
    return text if text.isprintable() else lines(text).replace("\n", " ").replace("\t", " ")


def lines(text: str) -> str:
    """Return a text that may have lines, each ended by a newline alone; what is not to be seen goes."""
    return re.sub(_UNSEEN, "", re.sub(_LINE_END, "\n", text))
