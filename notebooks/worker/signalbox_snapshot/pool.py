"""Many things at once, and no more of them waiting than memory is meant for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 8


class Pool:
    """Runs tasks in threads; the first failure of one is raised where the next is given, or at the end."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads)
        self._free = threading.Semaphore(threads + 2)
        self._failure: BaseException | None = None
        self._ended = False

    def give(self, task: "Callable[[], None]") -> None:
        """Run a task when a thread is free; wait while as many wait as may. Raises an earlier task's failure."""
        self._free.acquire()
        if self._failure:
            self._free.release()
            raise self._failure
        self._threads.submit(self._run, task)

    def finish(self) -> None:
        """Wait for all tasks; raise the first failure."""
        self._threads.shutdown(wait=True)
        if self._failure:
            raise self._failure

    def abandon(self) -> None:
        """Begin no further task, and wait for those that run."""
        self._ended = True
        self._threads.shutdown(wait=True)

    def _run(self, task: "Callable[[], None]") -> None:
        try:
            if not (self._ended or self._failure):
                task()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that gives the tasks
            self._failure = self._failure or error
        finally:
            self._free.release()
