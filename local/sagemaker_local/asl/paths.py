"""JSONPath and intrinsic functions, by their syntax: what a `…Path` field and a field that ends in `.$` may hold.

JSONPath here is Jayway's, which the States Language names; a Reference Path may select one node only. A path begins
with `$`, with `$$` for the context object, or with the `$name` of a variable.
"""

import re

_HEAD = re.compile(r"\$\$?[^\W\d]?\w*")
_NAME = r"\.[^\s.\[\]()*]+"
_QUOTED = r"""\['(?:[^'\\]|\\.)*'\]|\["(?:[^"\\]|\\.)*"\]"""
_REFERENCE = re.compile(rf"{_HEAD.pattern}(?:{_NAME}|{_QUOTED}|\[-?\d+\])*")
# `..name` looks below, `*` is all, and a path may end in a function: `.length()`.
_STEP = re.compile(rf"\.?(?:{_NAME}|\.\*)(?:\([^()]*\))?")
_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_OPENING, _CLOSING = "[(", "])"

# Developer Guide, "Intrinsic functions for JSONPath states".
_FUNCTIONS = frozenset(
    {"Format", "StringToJson", "JsonToString", "StringSplit", "JsonMerge", "MathRandom", "MathAdd", "Hash", "UUID"}
    | {"Array", "ArrayPartition", "ArrayContains", "ArrayRange", "ArrayGetItem", "ArrayLength", "ArrayUnique"}
    | {"Base64Encode", "Base64Decode"}
)
_CALL = re.compile(r"\s*States\.(\w+)\(\s*")
# Quotes, braces and the backslash itself are what a backslash may stand before.
_LITERAL = re.compile(r"\s*(?:'(?:[^'\\]|\\['{}\\])*'|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*")


def is_reference(text: str) -> bool:
    """Tell whether a text is a Reference Path, of the input, the context object or a variable."""
    return bool(_REFERENCE.fullmatch(text))


def is_path(text: str) -> bool:
    """Tell whether a text is a JSONPath; blanks around it are none of it."""
    text = text.strip()
    head = _HEAD.match(text)
    position = head.end() if head else -1
    while 0 <= position < len(text):
        step = _STEP.match(text, position)
        position = step.end() if step else _after_brackets(text, position)
    return position == len(text)


def _after_brackets(text: str, position: int) -> int:
    """Return where a step in brackets ends; -1 where there is none."""
    start = text.find("[", position, position + 3)
    if start < 0 or text[position:start].strip(".") or text.startswith("[]", start):
        return -1
    return _end_of_group(text, start)


def _end_of_group(text: str, position: int) -> int:
    """Return the position after the bracket that closes the one at `position`; -1 where none does."""
    depth = 0
    while position < len(text):
        quoted = _TEXT.match(text, position)
        if quoted:
            position = quoted.end()
            continue
        depth += (text[position] in _OPENING) - (text[position] in _CLOSING)
        position += 1
        if not depth:
            return position
    return -1


def is_intrinsic(text: str) -> bool:
    """Tell whether a text is a call of an intrinsic function: known, closed, with arguments that may be some."""
    return _after_call(text, 0) == len(text.rstrip())


def _after_call(text: str, position: int) -> int:
    """Return where a call ends; -1 where there is none."""
    call = _CALL.match(text, position)
    if not call or call[1] not in _FUNCTIONS:
        return -1
    position = call.end()
    if text.startswith(")", position):
        return position + 1
    while True:
        position = _after_argument(text, position)
        if position < 0 or position >= len(text):
            return -1
        position += 1
        if text[position - 1] == ")":
            return position


def _after_argument(text: str, position: int) -> int:
    """Return where an argument ends, at a comma or a closing bracket; -1 where there is none."""
    literal = _LITERAL.match(text, position)
    if literal:
        end = literal.end()
    elif _CALL.match(text, position):
        end = _after_call(text, position)
    else:
        end = _end_of_path(text, position)
        if not is_path(text[position:end].strip()):
            return -1
    while 0 <= end < len(text) and text[end].isspace():
        end += 1
    return end if text[end : end + 1] in (",", ")") else -1


def _end_of_path(text: str, position: int) -> int:
    """Return where a path inside a call ends: at the first comma or closing bracket that is not its own."""
    while 0 <= position < len(text) and text[position] not in ",)":
        position = _end_of_group(text, position) if text[position] in _OPENING else position + 1
    return position if position >= 0 else len(text)
