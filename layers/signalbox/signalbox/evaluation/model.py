"""What an evaluation reads, and why it may refuse to."""

from typing import NamedTuple

from signalbox import csv_rows


class EvaluationError(Exception):
    """The predictions cannot be measured or compared; the message says where and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Row(NamedTuple):
    """One prediction: the label, the prediction, and the features that the model got; `first` in its file."""

    label: str
    prediction: str
    features: tuple[str, ...]
    place: str
    first: bool = False

    @property
    def body(self) -> str:
        """Return the features as one line of CSV, as a request to the model."""
        return csv_rows.text_of(self.features)
