"""Ask a person what a table does not say; where there is no terminal, the option that answers is named instead."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from signalbox_operate.new.model import Answers, OpenQuestionError

# What a person types in answer to a question with these choices.
type Ask = Callable[[str, Sequence[str]], str]


def settled[T](look: Callable[[Answers], T], answers: Answers, ask: Ask | None) -> T:
    """Return what `look` finds, asking as often as it has a question.

    Raises:
        OpenQuestionError: it has a question, and nobody can be asked.
    """
    while True:
        try:
            return look(answers)
        except OpenQuestionError as question:
            if ask is None:
                raise
            answers = taken(answers, question, ask(question.question, question.choices))


def taken(answers: Answers, question: OpenQuestionError, typed: str) -> Answers:
    """Return the answers with the one that was typed; by what was asked.

    Raises:
        OpenQuestionError: it is one that typing does not answer: a name that was given is wrong.
    """
    _, _, column = typed.partition(" ")
    match question.option:
        case "--header or --no-header":
            return replace(answers, header=typed == "--header")
        case "--label":
            return replace(answers, label=typed)
        case "--problem":
            return replace(answers, problem=typed)
        case "--dates":
            return replace(answers, dates=typed)
        case "--drop COLUMN or --keep COLUMN" if typed.startswith("--drop "):
            return replace(answers, drop=(*answers.drop, column))
        case "--drop COLUMN or --keep COLUMN":
            return replace(answers, keep=(*answers.keep, column))
    raise question
