"""Functions that die: before a call is made, or after it was made and before its answer."""

from collections.abc import Callable
from typing import Any


class DeathError(Exception):
    """The function died."""


class Mortal:
    """A port whose calls die now and then, as `fate` says at each: `before`, `after`, or anything else for not."""

    def __init__(self, port: Any, fate: Callable[[], str]) -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            fate = self._fate()
            if fate == "before":
                raise DeathError
            answer = method(*args, **kwargs)
            if fate == "after":
                raise DeathError
            return answer

        return call
