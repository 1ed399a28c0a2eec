"""The platforms of notebook instances: until when AWS makes and starts them, and which kernels the next one lacks.

The names are those of botocore's model, oldest first. That Amazon Linux 2 is neither made nor started from 2026-07-01
on, and that its JupyterLab 1 and 3 had ended before, is from the SageMaker AI Developer Guide. From memory: the end of
Amazon Linux 1 with 2023, that an update of a stopped instance may lead to any newer platform, and which platform was
the last with a kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from signalbox_operate.stack import OperateError


@dataclass(frozen=True)
class Platform:
    """A platform: its name in the API, what it is, and the first day on which AWS makes and starts none (or None)."""

    name: str
    system: str
    refused_since: date | None


@dataclass(frozen=True)
class Kernel:
    """Kernels that a platform was the last to have, and what takes their place."""

    name: str
    last: str
    successor: str


NEWEST = "notebook-al2023-v1"
_AL2 = date(2026, 7, 1)
PLATFORMS = (
    Platform("notebook-al1-v1", "Amazon Linux 1, JupyterLab 1", date(2024, 1, 1)),
    Platform("notebook-al2-v1", "Amazon Linux 2, JupyterLab 1", _AL2),
    Platform("notebook-al2-v2", "Amazon Linux 2, JupyterLab 3", _AL2),
    Platform("notebook-al2-v3", "Amazon Linux 2, JupyterLab 4", _AL2),
    Platform(NEWEST, "Amazon Linux 2023, JupyterLab 4", None),
)
KERNELS = (
    Kernel("Python 2 (conda_python2, *_p27)", "notebook-al1-v1", "conda_python3: port the code to Python 3"),
    Kernel("Chainer (conda_chainer_p27, _p36)", "notebook-al1-v1", "PyTorch: conda_pytorch_*"),
    Kernel("TensorFlow 1 (conda_tensorflow_p27, _p36)", "notebook-al2-v1", "TensorFlow 2: conda_tensorflow2_*"),
    Kernel("MXNet (conda_mxnet_*)", "notebook-al2-v2", "PyTorch: conda_pytorch_*, or an environment of your own"),
)
_ORDER = {one.name: number for number, one in enumerate(PLATFORMS)}


def find(name: str) -> Platform:
    """Return a platform.

    Raises:
        OperateError: there is none of that name.
    """
    if name not in _ORDER:
        raise OperateError(f"there is no platform {name!r}: there are {', '.join(_ORDER)}")
    return PLATFORMS[_ORDER[name]]


def starts(name: str, today: date) -> bool:
    """Tell whether AWS makes and starts instances of a platform on a day; of one that is not known here, it does."""
    if name not in _ORDER:
        return True
    since = PLATFORMS[_ORDER[name]].refused_since
    return since is None or today < since


def accepted(today: date) -> list[str]:
    """Return the platforms that AWS makes and starts on a day, oldest first."""
    return [one.name for one in PLATFORMS if starts(one.name, today)]


def check_target(old: str, new: str, today: date, *, in_place: bool) -> None:
    """Refuse a platform that an instance cannot be taken to.

    Raises:
        OperateError: AWS makes none of it any more, or an update would lead to an older one.
    """
    target = find(new)
    if not starts(new, today):
        raise OperateError(
            f"AWS makes no instance of {new} since {target.refused_since}: choose {' or '.join(accepted(today))}"
        )
    if in_place and _ORDER.get(old, 0) > _ORDER[new]:
        raise OperateError(f"an update leads to no older platform than {old}: leave out --in-place to make an instance")


def missing(old: str, new: str) -> Sequence[Kernel]:
    """Return the kernels of one platform that another does not have; none where one of the two is not known."""
    first, last = _ORDER.get(old), _ORDER.get(new)
    if first is None or last is None:
        return ()
    return [one for one in KERNELS if first <= _ORDER[one.last] < last]
