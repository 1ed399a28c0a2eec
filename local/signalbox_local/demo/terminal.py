"""What the demo prints: each step with a spinner while it runs, then its result and its duration."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

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
class Running:
    """What stands beside the spinner: the step, and for how many seconds it has run."""

    text: str
    begun: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Show another text from now on."""
        self.text = text

    @property
    def seconds(self) -> float:
        """Return for how long the step has run."""
        return time.monotonic() - self.begun

    def __rich__(self) -> Text:
        """Return the text of this moment, as rich draws it several times a second."""
        return Text.assemble(self.text, (f" ({self.seconds:.0f} s)", "dim"))


@dataclass
class Terminal:
    """Prints to the console, in color where the console is a terminal. No text is markup: brackets stay as they are."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True, markup=False))
    started: float = field(default_factory=time.monotonic)

    def heading(self, title: str) -> None:
        """Print the heading of a part."""
        self.console.print()
        self.console.rule(Text(title, "bold"), align="left", style="dim")

    def note(self, text: str, lead: str = "") -> None:
        """Print a line that is not a step; `lead` stands before it in bold."""
        self.console.print(Text.assemble("  ", (f"{lead} " if lead else "", "bold"), text))

    def said(self, line: str) -> None:
        """Print a line of what a program prints, as that comes."""
        self.console.print(Text(f"  │ {line}", "dim"))

    def error(self, kind: str, text: str) -> None:
        """Print what went wrong."""
        self.console.print(Text.assemble((kind, "red"), f": {text}"))

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run a step: a spinner meanwhile, then a line with its result and the seconds it took."""
        running = Running(title)
        with self.console.status(running):
            step = Step(title, running.say)
            try:
                yield step
            except BaseException:
                self.console.print(Text.assemble(("✗", "red"), f" {title}"))
                raise
        result = ((" ·", "dim"), f" {step.result}") if step.result else ()
        seconds = (f" ({running.seconds:.1f} s)", "dim")
        self.console.print(Text.assemble(("✓", "green"), f" {title}", *result, seconds))

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """Print a table."""
        table = Table(*columns, title=title, title_justify="left", title_style="bold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def panel(self, *parts: str | tuple[str, str]) -> None:
        """Print a text in a frame; a part may have a style."""
        self.console.print(Panel(Text.assemble(*parts), expand=False), soft_wrap=False)

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
