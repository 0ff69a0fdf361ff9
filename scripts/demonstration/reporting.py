"""What the demo shows while it works: moving bars on a terminal, a line for each step anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

Advance = Callable[[int], None]


class Reporter:
    """Tells how the demo comes along."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """Shows a step while it lasts, and how long it took.

        Args:
            what: The step.
            total: How far it has to go, if that is known; it is given a function to go on with.
        """
        began = time.monotonic()
        if self.console.is_terminal:
            with self._progress() as progress:
                task = progress.add_task(what, total=total)
                yield lambda number: progress.advance(task, number)
        else:
            yield lambda _: None
        mark = "✓ " if self.console.is_terminal else ""
        self.say(f"{mark}{what} ({time.monotonic() - began:.1f} s)")

    def say(self, line: str) -> None:
        """Shows a line."""
        self.console.print(line, markup=False, soft_wrap=True)
        sys.stdout.flush()

    def _progress(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            console=self.console,
            transient=True,
        )
