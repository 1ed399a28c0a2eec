"""Which fields a state may have: by its type, and by the query language that it speaks.

The table of types and fields is what AWS answered for every pair of them in September 2026, as published with the rules
of the package cdk-preflight; fields of one language alone are those that AWS names in its refusal.
"""

import re
from typing import Any

from sagemaker_local.asl import values
from sagemaker_local.asl.diagnostics import Diagnostic, Findings, Kind, wrong
from sagemaker_local.asl.expressions import check_value

JSONATA, JSONPATH = "JSONata", "JSONPath"
LANGUAGES = values.one_of(JSONPATH, JSONATA)
_LONGEST_WAIT = 99_999_999  # seconds
_COMMON = "Type Comment QueryLanguage"
_TASK = "Resource Credentials TimeoutSeconds TimeoutSecondsPath HeartbeatSeconds HeartbeatSecondsPath"
_AROUND = "InputPath OutputPath Output"
_WORK = f"{_AROUND} ResultPath Parameters Assign ResultSelector Retry Catch Next End"
_MAP = (
    "ItemProcessor Iterator ItemsPath Items ItemSelector ItemReader ItemBatcher ResultWriter MaxConcurrency "
    "MaxConcurrencyPath ToleratedFailurePercentage ToleratedFailurePercentagePath ToleratedFailureCount "
    "ToleratedFailureCountPath Label"
)
_BY_TYPE = {
    "Task": f"{_WORK} Arguments {_TASK}",
    "Wait": f"{_AROUND} Assign Seconds Timestamp SecondsPath TimestampPath Next End",
    "Pass": f"{_AROUND} Result ResultPath Parameters Assign Next End",
    "Succeed": _AROUND,
    "Fail": "Error Cause ErrorPath CausePath",
    "Choice": f"{_AROUND} Assign Choices Default",
    "Parallel": f"{_WORK} Arguments Branches",
    "Map": f"{_WORK} {_MAP}",
}
ALLOWED = {kind: frozenset(f"{_COMMON} {names}".split()) for kind, names in _BY_TYPE.items()}
_OF_ONE_LANGUAGE = {
    JSONATA: frozenset({"Arguments", "Output", "Items", "Condition"}),
    JSONPATH: frozenset(
        {"InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath", "Variable"}
        | {"TimeoutSecondsPath", "HeartbeatSecondsPath", "SecondsPath", "TimestampPath", "MaxConcurrencyPath"}
        | {"ToleratedFailurePercentagePath", "ToleratedFailureCountPath", "ErrorPath", "CausePath"}
        | {"MaxItemsPath", "MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"}
    ),
}
_VARIABLE = re.compile(r"[^\W\d]\w*")
_MOST_IN_VARIABLE = 80  # characters (Developer Guide, "Passing data between states with variables")

_NUMBERS: dict[str, Kind] = {
    "TimeoutSeconds": values.between(1, _LONGEST_WAIT),
    "HeartbeatSeconds": values.between(1, _LONGEST_WAIT),
    "Seconds": values.between(0, _LONGEST_WAIT),
    "MaxConcurrency": values.between(0),
    "ToleratedFailurePercentage": values.between(0.0, 100.0, whole=False),
    "ToleratedFailureCount": values.between(0),
    "MaxItems": values.between(0, 100_000_000),
    "MaxItemsPerBatch": values.between(0),
    "MaxInputBytesPerBatch": values.between(0),
}
_OF_BOTH: dict[str, Kind] = {
    "Comment": values.text,
    "Next": values.text,
    "Default": values.text,
    "End": values.flag,
    "Label": values.label,
    "QueryLanguage": LANGUAGES,
}
_KINDS: dict[str, dict[str, Kind]] = {
    JSONPATH: {
        **_OF_BOTH,
        **_NUMBERS,
        **{f"{name}Path": values.reference_below for name in _NUMBERS},
        "TimestampPath": values.reference,
        "Timestamp": values.timestamp,
        "InputPath": values.nullable(values.path_or_call),
        "OutputPath": values.nullable(values.path_or_call),
        "ResultPath": values.nullable(values.reference_below),
        "ItemsPath": values.reference,
        "ErrorPath": values.path_or_call,
        "CausePath": values.path_or_call,
        "Error": values.text,
        "Cause": values.text,
        **dict.fromkeys(("Parameters", "ResultSelector", "ItemSelector", "Assign", "BatchInput"), values.template),
    },
    JSONATA: {
        **_OF_BOTH,
        **{name: values.or_expression(kind) for name, kind in _NUMBERS.items()},
        "Timestamp": values.or_expression(values.timestamp),
        "Error": values.text,
        "Cause": values.text,
        "Arguments": values.or_expression(values.mapping),
        "Assign": values.mapping,
        "Items": values.or_expression(values.of_type("[ARRAY, OBJECT]", list, dict)),
    },
}
_EVALUATED = ("Arguments", "Output", "Assign", "Items", "ItemSelector", "BatchInput", "Condition", "Credentials")
_EVALUATED_TEXTS = ("Error", "Cause", "Timestamp", *_NUMBERS)


def check_names(given: dict[str, Any], allowed: frozenset[str], where: str) -> Findings:
    """Yield the fields that an object may not have."""
    for name in given:
        if name not in allowed:
            yield wrong(f"Field '{name}' is not supported", where or "/")


def check_language(given: dict[str, Any], language: str, where: str) -> Findings:
    """Yield the fields that belong to the other query language."""
    other = JSONATA if language == JSONPATH else JSONPATH
    for name in given:
        if name in _OF_ONE_LANGUAGE[other]:
            message = (
                f"The QueryLanguage is set to '{language}', but field '{name}' is only supported for the '{other}'"
            )
            yield wrong(f"{message} QueryLanguage", where)


def check_values(given: dict[str, Any], language: str, where: str) -> Findings:
    """Yield what is wrong with the values of an object's fields."""
    for name, value in given.items():
        kind = _KINDS[language].get(name, values.anything)
        yield from kind(value, f"{where}/{name}")
        if language == JSONATA and name in (*_EVALUATED, *_EVALUATED_TEXTS):
            yield from check_value(value, f"{where}/{name}")
    yield from _check_assigned(given.get("Assign"), language, f"{where}/Assign")


def _check_assigned(assigned: Any, language: str, where: str) -> Findings:
    """Yield the names of variables that nobody may set."""
    for name in assigned if isinstance(assigned, dict) else ():
        variable = name.removesuffix(".$") if language == JSONPATH else name
        if variable == "states":
            yield Diagnostic("RESERVED_VARIABLE_NAME", "Cannot assign to reserved variable '$states'.", where)
        elif not _VARIABLE.fullmatch(variable):
            message = f"Invalid variable name '{variable}': the variable name contains invalid characters."
            yield Diagnostic("INVALID_VARIABLE_NAME", message, where)
        elif len(variable) > _MOST_IN_VARIABLE:
            message = f"Invalid variable name '{variable}': it has more than {_MOST_IN_VARIABLE} characters."
            yield Diagnostic("INVALID_VARIABLE_NAME", message, where)
