"""What a model answers, as people state it: a number, one of two labels, or one of several."""

from typing import Literal

type Problem = Literal["regression", "binary", "multiclass"]
PROBLEMS: tuple[Problem, ...] = ("regression", "binary", "multiclass")
