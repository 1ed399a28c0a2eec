"""A model that was not tested is held to its own first answers: those of the first stage that it came to serve in."""

import hashlib
import json
import re
from itertools import repeat

from signalbox.contracts.releases import Verified
from signalbox.numerals import number_or_none
from signalbox.reading import Fields
from signalbox.releases.golden import GoldenFile
from signalbox.releases.model import GoldenMismatchError, ReleaseError
from signalbox.releases.ports import AnswerKeeper, ModelCaller

_ANY = "*/*"
# Characters of an answer that are kept; of a longer one, its digest.
_KEPT = 50_000
_SHOWN = 80
_SAME = 1e-9
_PARTS = r"[,;:\[\]{}()]|[^\s,;:\[\]{}()]+"


def check(endpoint: str, golden: GoldenFile, models: ModelCaller, files: AnswerKeeper) -> Verified:
    """Return how many requests were answered: the first time the answers are kept, later they have to be the same.

    Two processes that answer first at once leave one set of answers, to which the other's are held.

    Raises:
        GoldenMismatchError: a request is refused, or answered otherwise than the first time.
        ReleaseError: the first answers cannot be read.
    """
    answers = [_answer(index, endpoint, golden, models) for index in range(len(golden.asked))]
    known = files.text(golden.first)
    if known is None and files.create(golden.first, json.dumps({"answers": answers}), "application/json"):
        return {"answers": len(answers), "expected": "first"}
    for index, (answer, first) in enumerate(
        zip(answers, _known(golden, known or files.text(golden.first)), strict=True)
    ):
        if not same(answer, first, golden.tolerance):
            raise _mismatch(index, golden, f"answered {answer[:_SHOWN]!r}, and {first[:_SHOWN]!r} the first time")
    return {"answers": len(answers), "expected": "kept"}


def same(answer: str, first: str, tolerance: float) -> bool:
    """Say whether two answers are the same: part by part between blanks and signs, numbers within the tolerance.

    `tolerance` is relative to the first answer's number.
    """
    own, wanted = re.findall(_PARTS, answer), re.findall(_PARTS, first)
    return len(own) == len(wanted) and all(map(_agree, own, wanted, repeat(tolerance)))


def _agree(own: str, wanted: str, tolerance: float) -> bool:
    if own == wanted:
        return True
    left, right = number_or_none(own), number_or_none(wanted)
    return left is not None and right is not None and abs(left - right) <= max(tolerance * abs(right), _SAME)


def _answer(index: int, endpoint: str, golden: GoldenFile, models: ModelCaller) -> str:
    asked = golden.asked[index]
    answer = models.ask(endpoint, asked.body, asked.content_type, _ANY)
    if answer.failure:
        raise _mismatch(index, golden, f"refused ({answer.failure})")
    if len(answer.text) <= _KEPT:
        return answer.text
    return f"sha256:{hashlib.sha256(answer.text.encode()).hexdigest()}"


def _known(golden: GoldenFile, text: str | None) -> tuple[str, ...]:
    def refuse(problem: str) -> ReleaseError:
        return ReleaseError(f"{golden.first} has no usable answers ({problem}): register the model as a new version")

    try:
        known = Fields(json.loads(text or ""), refuse).texts("answers")
    except ValueError as error:
        raise refuse(f"the text is not JSON: {error}") from None
    if len(known) != len(golden.asked):
        raise refuse(f"they are {len(known)}, and the requests {len(golden.asked)}")
    return known


def _mismatch(index: int, golden: GoldenFile, problem: str) -> GoldenMismatchError:
    return GoldenMismatchError(f"golden request {index + 1} of {len(golden.asked)} was {problem}")
