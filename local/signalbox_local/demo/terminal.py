"""What the demo prints: each step with a spinner while it runs, then its result and its duration."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

_LOOK_SECONDS = 0.4


class StepError(Exception):
    """A step did not complete; the message says what was waited for, or what failed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass
class Step:
    """A running step; its last report is printed behind its title at the end."""

    title: str
    show: Callable[[str], None]
    result: str = ""

    def report(self, text: str) -> None:
        """Show the state of the step."""
        self.result = text
        self.show(f"{self.title} … {text}")


@dataclass
class Terminal:
    """Prints to the console, in color where the console is a terminal."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    started: float = field(default_factory=time.monotonic)

    def heading(self, title: str) -> None:
        """Print the heading of a part."""
        self.console.print()
        self.console.rule(f"[bold]{escape(title)}", align="left", style="dim")

    def note(self, text: str) -> None:
        """Print a line that is not a step."""
        self.console.print(f"  {text}")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run a step: a spinner meanwhile, then a line with its result and the seconds it took."""
        begun = time.monotonic()
        with self.console.status(escape(title)) as status:
            step = Step(title, lambda text: status.update(escape(text)))
            try:
                yield step
            except BaseException:
                self.console.print(f"[red]✗[/red] {escape(title)}")
                raise
        seconds = time.monotonic() - begun
        result = f" [dim]·[/dim] {escape(step.result)}" if step.result else ""
        self.console.print(f"[green]✓[/green] {escape(title)}{result} [dim]({seconds:.1f} s)[/dim]")

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """Print a table."""
        table = Table(*columns, title=title, title_justify="left", title_style="bold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self.console.print(table)

    def panel(self, text: str) -> None:
        """Print a text in a frame."""
        self.console.print(Panel(text, expand=False), soft_wrap=False)

    @property
    def seconds(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self.started


def wait_for(what: str, look: Callable[[], Any], limit: float, while_waiting: Callable[[], None] | None = None) -> Any:
    """Return what `look` finds as soon as it finds something.

    Raises:
        StepError: nothing was found within `limit` seconds.
    """
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        if while_waiting:
            while_waiting()
        time.sleep(_LOOK_SECONDS)
    raise StepError(f"{what} did not happen within {limit:.0f} seconds")
