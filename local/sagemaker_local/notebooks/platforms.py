"""The platforms of notebook instances, and until when SageMaker makes and starts instances of them.

The names are those of botocore's model, oldest first. Amazon Linux 2: no instance is made or started from 2026-07-01 on
(Developer Guide, "Amazon Linux 2 notebook instances"). That Amazon Linux 1 ended with the end of 2023, and that an
update may lead to any later platform that is still made, and to none that is older, is from memory.
"""

from datetime import date, datetime

from sagemaker_local.core.errors import invalid

DEFAULT = "notebook-al2023-v1"
_AL2 = date(2026, 7, 1)
_ENDS: dict[str, date | None] = {
    "notebook-al1-v1": date(2024, 1, 1),
    "notebook-al2-v1": _AL2,
    "notebook-al2-v2": _AL2,
    "notebook-al2-v3": _AL2,
    DEFAULT: None,
}


def accepted(now: datetime) -> list[str]:
    """Return the platforms of which instances are made and started at a moment, oldest first."""
    return [name for name, end in _ENDS.items() if end is None or now.date() < end]


def check_platform(name: str, now: datetime, verb: str) -> None:
    """Refuse a platform that has ended; `verb` says what was to be done with an instance of it, as `created`.

    Raises:
        ApiError: ValidationException.
    """
    if name not in accepted(now):
        raise invalid(
            f"Notebook instances of platform identifier {name} can no longer be {verb}, since {_ENDS[name]}. "
            f"Use one of {accepted(now)}."
        )


def check_change(old: str, new: str, now: datetime) -> None:
    """Refuse an update to a platform that has ended, or that is older than the one the instance has.

    Raises:
        ApiError: ValidationException.
    """
    check_platform(new, now, "made by an update")
    names = list(_ENDS)
    if names.index(new) < names.index(old):
        raise invalid(f"A notebook instance of platform identifier {old} cannot be updated to {new}, which is older.")
