"""The picture of the test rows on the review page: where each shape of the drawing goes.

A regression is drawn as points, a classification as bars. All positions are in the drawing's own units, which the page
scales to its width.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from signalbox import words

if TYPE_CHECKING:
    from signalbox.reviews.kept import ClassScore

WIDTH = 340
_LEFT, _TOP, _SIDE = 26, 8, 306
_ROW = 44
_NAME_LIMIT = 26  # characters that fit beside the share


class Scatter(NamedTuple):
    """Test rows as points: label to the right, prediction upwards, one scale from `least` to `most` for both.

    `path` draws all `drawn` points.
    """

    path: str
    drawn: int
    least: str
    most: str
    rows: int
    width: int = WIDTH
    height: int = _TOP + _SIDE + _LEFT
    left: int = _LEFT
    top: int = _TOP
    side: int = _SIDE

    @property
    def title(self) -> str:
        """Return what the picture is."""
        return "Expected and predicted values"

    @property
    def caption(self) -> str:
        """Return the picture's meaning in words."""
        of = f"one of {self.drawn:,} of the {self.rows:,} test rows"
        which = "one test row" if self.drawn >= self.rows else of
        return f"Each point is {which}; on the line, prediction and truth are equal."


class Bar(NamedTuple):
    """A class and its share right as texts; `y` is where its row begins, `length` how long the bar is."""

    name: str
    share: str
    y: int
    length: float


class Bars(NamedTuple):
    """A bar for each class, the biggest class first; `class_count` is how many classes there are."""

    bars: tuple[Bar, ...]
    class_count: int
    width: int = WIDTH

    @property
    def height(self) -> int:
        """Return the height of the picture."""
        return _ROW * len(self.bars) - 12

    @property
    def title(self) -> str:
        """Return what the picture is."""
        return "Share right of each class"

    @property
    def caption(self) -> str:
        """Return the picture's meaning in words."""
        biggest = f" These are the {len(self.bars)} biggest of {self.class_count:,} classes."
        caption = "Each bar is the share of a class's test rows whose prediction is right."
        return caption + (biggest if self.class_count > len(self.bars) else "")


def scatter(points: Sequence[tuple[float, float]], rows: int) -> Scatter | None:
    """Return the picture of a regression's `points` (label, prediction), of `rows` test rows; None without points."""
    if not points:
        return None
    values = [value for point in points for value in point]
    least, most = min(values), max(values)
    scale, floor = _SIDE / (most - least or 1.0), _TOP + _SIDE
    # Strokes without a length, which round ends make dots of.
    dots = [
        f"M{_LEFT + (label - least) * scale:.1f} {floor - (guess - least) * scale:.1f}h0" for label, guess in points
    ]
    return Scatter("".join(dots), len(dots), words.number(least), words.number(most), rows)


def bars(classes: "Sequence[ClassScore]", count: int) -> Bars | None:
    """Return the picture of a classification's biggest classes, of `count`; None without classes."""
    drawn = tuple(_bar(index, score) for index, score in enumerate(classes))
    return Bars(drawn, count) if drawn else None


def _bar(index: int, score: "ClassScore") -> Bar:
    name, share = score["name"], score["right"] / score["rows"]
    return Bar(
        name=name if len(name) <= _NAME_LIMIT else f"{name[: _NAME_LIMIT - 1]}…",
        share=f"{score['right']:,} of {score['rows']:,} right",
        y=index * _ROW,
        length=round(share * WIDTH, 1),
    )
