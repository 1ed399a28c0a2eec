"""Many instances at once, with a limit: one that fails keeps no other from its end."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from signalbox_operate.stack import OperateError


class BrokenOffError(OperateError):
    """The work was broken off from the keyboard."""

    def __init__(self) -> None:
        super().__init__("broken off: repeat the command, and it goes on where it was")


@dataclass(frozen=True)
class Halt:
    """What ends all waits at once."""

    asked: threading.Event = field(default_factory=threading.Event)

    def sleep(self, seconds: float) -> None:
        """Wait some seconds.

        Raises:
            BrokenOffError: the end was asked for.
        """
        if self.asked.wait(seconds):
            raise BrokenOffError


@dataclass(frozen=True)
class Outcome[Result]:
    """What became of one instance: a result, or an error."""

    name: str
    result: Result | None = None
    error: Exception | None = None


def each[Result](
    names: Sequence[str], work: Callable[[str], Result], at_once: int, halt: Halt
) -> list[Outcome[Result]]:
    """Do the work for each name, some at once, and return what became of each, in the order of the names."""

    def one(name: str) -> Outcome[Result]:
        try:
            return Outcome(name, work(name))
        except (OperateError, ClientError, BotoCoreError) as error:
            return Outcome(name, error=error)

    with ThreadPoolExecutor(max(at_once, 1)) as pool:
        waiting = [pool.submit(one, name) for name in names]
        try:
            return [future.result() for future in waiting]
        except KeyboardInterrupt:
            halt.asked.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
