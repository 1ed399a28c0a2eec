"""One input object of a batch transform: cut into requests, and put together again from their answers. Pure functions.

Order of the steps (developer guide, "Associate Prediction Results with Input Records"): InputFilter, model, join
with the unfiltered input, OutputFilter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_local.jobs import filters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 100
"""MaxPayloadInMB times MaxConcurrentTransforms (API reference, CreateTransformJob, MaxPayloadInMB)."""
# How much of a wrong answer a failure reason shows.
_SHOWN_RECORDS, _SHOWN_CHARACTERS = 2, 80


class RecordError(Exception):
    """The data, or the model's answer to them, do not fit what the job asks for."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


@dataclass(frozen=True)
class Plan:
    """How a transform job treats its records.

    `kind_in` and `kind_out` say how records are filtered; `max_payload` is in bytes, 0 for no limit.
    """

    lines: bool
    assemble_lines: bool
    single: bool
    max_payload: int
    kind_in: filters.RecordFormat
    kind_out: filters.RecordFormat
    input_filter: str = "$"
    output_filter: str = "$"
    join: bool = False

    @classmethod
    def of(cls, request: Mapping[str, Any], *, single: bool, max_payload: int) -> Plan:
        """Return the plan of a CreateTransformJob request with the strategy and limit that were settled for it."""
        given, wanted = request["TransformInput"], request["TransformOutput"]
        processing = request.get("DataProcessing", {})
        content_type = given.get("ContentType")
        return cls(
            lines=given.get("SplitType", "None") == "Line",
            assemble_lines=wanted.get("AssembleWith", "None") == "Line",
            single=single,
            max_payload=max_payload,
            kind_in=filters.kind_of(content_type),
            kind_out=filters.kind_of(wanted.get("Accept") or content_type),
            input_filter=processing.get("InputFilter", "$"),
            output_filter=processing.get("OutputFilter", "$"),
            join=processing.get("JoinSource", "None") == "Input",
        )


@dataclass(frozen=True)
class Batch:
    """One request: the unfiltered records that it is about, and the body to send."""

    records: list[str]
    body: bytes


def validate(request: Mapping[str, Any]) -> None:
    """Refuse a CreateTransformJob request that AWS would not take, or that is not emulated.

    Raises:
        RecordError: the payloads at once are too large, or the combination of SplitType, BatchStrategy, AssembleWith,
            Accept and DataProcessing does not fit.
        filters.FilterError: a filter is malformed or does not fit the content type.
    """
    given, wanted = request["TransformInput"], request["TransformOutput"]
    payload, at_once = request.get("MaxPayloadInMB", 0), request.get("MaxConcurrentTransforms") or 1
    if payload * at_once > MOST_MEGABYTES:
        raise RecordError(
            f"MaxPayloadInMB {payload} times MaxConcurrentTransforms {at_once} is over {MOST_MEGABYTES} MB"
        )
    processing = request.get("DataProcessing", {})
    split, assemble = given.get("SplitType", "None"), wanted.get("AssembleWith", "None")
    if split not in ("None", "Line"):
        raise RecordError(f"SplitType {split} is not emulated: use Line or None")
    if split == "None" and request.get("BatchStrategy") == "MultiRecord":
        raise RecordError("BatchStrategy MultiRecord needs a SplitType: set it to Line")
    plan = Plan.of(request, single=False, max_payload=0)
    filters.check(plan.input_filter, plan.kind_in)
    filters.check(plan.output_filter, plan.kind_out)
    if processing.get("JoinSource", "None") == "None":
        return
    if split != "Line" or assemble != "Line":
        raise RecordError("JoinSource Input needs SplitType Line and AssembleWith Line")
    if plan.kind_in == "text" or given.get("ContentType") != wanted.get("Accept"):
        raise RecordError("JoinSource Input needs ContentType and Accept to be the same: CSV, JSON or JSON Lines")


def batches(text: bytes, plan: Plan) -> Iterator[Batch]:
    """Yield the requests for one object, in order; blank lines are no records.

    Raises:
        RecordError: a record is larger than the payload limit, or is not text where a filter reads it.
        filters.FilterError: the input filter does not fit a record.
    """
    if not plan.lines:
        yield _whole(text, plan)
        return
    records: list[str] = []
    bodies: list[bytes] = []
    size = 0
    for line in text.split(b"\n"):
        record = _decode(line.removesuffix(b"\r"))
        if not record.strip():
            continue
        body = filters.select(plan.input_filter, record, plan.kind_in).encode()
        _fits(body, plan)
        full = plan.max_payload and size + len(body) + 1 > plan.max_payload
        if records and (plan.single or full):
            yield Batch(records, b"\n".join(bodies))
            records, bodies, size = [], [], 0
        records.append(record)
        bodies.append(body)
        size += len(body) + 1
    if records:
        yield Batch(records, b"\n".join(bodies))


def _whole(text: bytes, plan: Plan) -> Batch:
    body = text
    if plan.input_filter != "$":
        # Not split, yet a CSV object still has rows, and the filter is about each of them.
        parts = _decode(text).splitlines() if plan.kind_in == "csv" else [_decode(text)]
        body = "\n".join(filters.select(plan.input_filter, part, plan.kind_in) for part in parts).encode()
    _fits(body, plan)
    return Batch([], body)


def _fits(body: bytes, plan: Plan) -> None:
    if plan.max_payload and len(body) > plan.max_payload:
        limit = plan.max_payload / MEGABYTE
        raise RecordError(f"a payload of {len(body)} bytes is over MaxPayloadInMB ({limit:g} MB)")


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"the input is not UTF-8 text: {error}") from error


def assemble(pairs: Sequence[tuple[Batch, bytes]], plan: Plan) -> bytes:
    """Return the output object from the requests and the model's answers to them.

    Raises:
        RecordError: an answer does not have as many records as its request.
        filters.FilterError: the output filter does not fit a record.
    """
    if not plan.join and plan.output_filter == "$":
        if plan.assemble_lines:
            return b"".join(answer.removesuffix(b"\n") + b"\n" for _, answer in pairs)
        return b"".join(answer for _, answer in pairs)
    records = [record for batch, answer in pairs for record in _outputs(batch, _decode(answer), plan)]
    return "".join(f"{record}\n" for record in records).encode()


def _outputs(batch: Batch, answer: str, plan: Plan) -> list[str]:
    answers = answer.splitlines() if batch.records or plan.kind_out == "csv" else [answer]
    if len(batch.records) == 1 and plan.kind_out == "json":
        answers = [answer]  # one record, one document, however many lines it is written on
    if plan.join:
        if len(answers) != len(batch.records):
            raise RecordError(
                f"the model answered {len(answers)} records to a request of {len(batch.records)}"
                f"{_beginning(answers)}: it has to answer one record for each, without a header"
            )
        answers = [
            filters.join(record, line, plan.kind_out) for record, line in zip(batch.records, answers, strict=True)
        ]
    return [filters.select(plan.output_filter, line, plan.kind_out) for line in answers]


def _beginning(answers: list[str]) -> str:
    """Return the first records of an answer, cut, as a part of a sentence; nothing of none."""
    text = "\n".join(answers[:_SHOWN_RECORDS])
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
    return f", beginning with {cut!r}" if answers else ""
