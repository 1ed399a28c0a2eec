"""What is made of each feature: a number, a category, a date; or nothing, and why."""

import re
from collections.abc import Sequence
from itertools import islice

from signalbox_operate.new import values
from signalbox_operate.new.model import Answers, Column, OpenQuestionError, Table

# A column whose other texts are so rare has numbers, and the texts count as missing.
_NUMBERS = 0.98
# A text that is another one in so many of the rows says nothing about the next row; a few texts are categories anyhow.
_MOST_TEXTS, _FEW_TEXTS = 0.5, 30
_WORDS = 3
_ID_NAME = re.compile(r"(^|.*[_ .-])(id|nr|no|key|index|uuid|guid|rownames)|column1|.*[a-z]I[dD]", re.IGNORECASE)
_SHOWN = 3
_SOME = 200


def column(name: str, table: Table, answers: Answers) -> Column:
    """Return what is made of a feature.

    Raises:
        OpenQuestionError: its dates can be read in two ways.
    """
    cells = table.values(name)
    known = [cell for cell in cells if not values.is_missing(cell)]
    missing = len(cells) - len(known)
    different = list(dict.fromkeys(known))
    if not different:
        return Column(name, "empty", "it has no values", missing)
    if name in answers.drop:
        return Column(name, "constant", "you dropped it", missing)
    if len(different) == 1 and not missing:
        return Column(name, "constant", f"it is {different[0][:40]!r} in every row", missing)
    share = values.share_of_numbers(known, table.format.decimal)
    if share >= _NUMBERS:
        return _number(name, table, known, different, missing, share, kept=name in answers.keep)
    written = _dates(name, different, answers)
    if written:
        return Column(name, "date", f"dates such as {different[0]}", missing, written)
    return _text(name, known, different, missing, kept=name in answers.keep)


def _number(
    name: str, table: Table, known: list[str], different: list[str], missing: int, share: float, *, kept: bool
) -> Column:
    if not kept and not missing and len(different) == len(known) and _counts(name, known, table):
        return Column(name, "id", "it numbers the rows", missing)
    if share == 1:
        return Column(name, "number", "", missing)
    others = [cell for cell in different if values.number(cell, table.format.decimal) is None]
    shown = ", ".join(repr(cell[:40]) for cell in others[:_SHOWN])
    return Column(name, "number", f"what is no number counts as missing, such as {shown}", missing)


def _counts(name: str, known: Sequence[str], table: Table) -> bool:
    """Say whether different whole numbers are an id: by the column's name, or because none is left out between."""
    if not all(cell.isdecimal() for cell in known):
        return False
    found = [int(cell) for cell in known]
    return bool(_ID_NAME.fullmatch(name)) or (table.whole and max(found) - min(found) == len(found) - 1)


def _dates(name: str, different: list[str], answers: Answers) -> str:
    """Return the format of dates, "" where they are none."""
    some = different[:: max(len(different) // _SOME, 1)]
    found = values.date_formats(list(islice(some, _SOME)))
    found = [one for one in found if len(different) == len(some) or one in values.date_formats(different)]
    if len(found) > 1 and answers.dates is None:
        raise OpenQuestionError(
            "--dates",
            f"Is {different[0]} of column {name!r} written day first, or month first?",
            ["day-first", "month-first"],
        )
    chosen = [one for one in found if values.is_day_first(one) == (answers.dates == "day-first")]
    return (chosen or found or [""])[0]


def _text(name: str, known: list[str], different: list[str], missing: int, *, kept: bool) -> Column:
    if kept or len(different) <= max(_FEW_TEXTS, _MOST_TEXTS * len(known)):
        if len(different) < len(known) or kept:
            return Column(name, "category", f"{len(different)} different texts", missing)
        return Column(name, "id", "it is another text in every row", missing)
    if len(different) == len(known) and sum(len(cell.split()) for cell in different) < _WORDS * len(different):
        return Column(name, "id", "it is another text in every row, as names and ids are", missing)
    told = f"it is free text: {len(different):,} different texts in {len(known):,} rows"
    return Column(name, "text", told, missing)


def check_names(table: Table, label: str, answers: Answers) -> None:
    """Refuse --drop and --keep of columns that are not there, or of the label.

    Raises:
        OpenQuestionError: there is such a name.
    """
    features = [name for name in table.names if name != label]
    for option, names in (("--drop", answers.drop), ("--keep", answers.keep)):
        unknown = next((name for name in names if name not in features), None)
        if unknown is not None:
            raise OpenQuestionError(option, f"There is no feature {unknown!r}.", features)
