"""Measuring: figures with their limits, and the loops that measure them."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One measured figure.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: Its unit.
        limit: The same work at its limit, measured in the same run.
        limit_is: What the limit is.
        ratio: The figure against the limit.
        wanted: What the ratio, or the value, should be, in words.
        reached: Whether it is.
    """

    name: str
    value: float
    unit: str
    limit: float
    limit_is: str
    ratio: float
    wanted: str = ""
    reached: bool | None = None


def figure(
    name: str,
    value: float,
    unit: str,
    limit: float,
    limit_is: str,
    *,
    least_ratio: float | None = None,
    least_value: float | None = None,
    most_ratio: float | None = None,
    most_value: float | None = None,
) -> Figure:
    """A figure beside its limit, and whether it reaches what is wanted of it."""
    ratio = value / limit if limit else float("nan")
    if least_ratio is not None:
        wanted, reached = f"at least {least_ratio} times the limit", ratio >= least_ratio
    elif least_value is not None:
        wanted, reached = f"at least {least_value:,.0f} {unit}", value >= least_value
    elif most_value is not None:
        wanted, reached = f"at most {most_value:,g} {unit}", value <= most_value
    elif most_ratio is not None:
        wanted, reached = f"at most {most_ratio} times the limit", ratio <= most_ratio
    else:
        wanted, reached = "", None
    return Figure(name, round(value, 3), unit, round(limit, 3), limit_is, round(ratio, 3), wanted, reached)


def rate_of_threads(work: Callable[[int], int], threads: int, seconds: float) -> float:
    """How much gets done in a second by several threads.

    Args:
        work: Does one piece of work, given the thread's number, and returns how much that was.
        threads: How many threads.
        seconds: For how long.
    """
    done = [0] * threads
    start = threading.Barrier(threads + 1)
    began: list[float] = []

    def loop(number: int) -> None:
        work(number)  # opens the connection and prepares the statements
        start.wait()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            done[number] += work(number)

    workers = [threading.Thread(target=loop, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    gc.collect()
    start.wait()
    began.append(time.perf_counter())
    for worker in workers:
        worker.join()
    return sum(done) / (time.perf_counter() - began[0])


def rate_of_processes(
    make: Callable[..., Callable[[int], int]],
    arguments: tuple[object, ...],
    processes: int,
    seconds: float,
) -> float:
    """How much gets done in a second by several processes, each with one thread.

    Args:
        make: Makes the work, in the process; it must be importable.
        arguments: What to make it with.
        processes: How many processes.
        seconds: For how long.
    """
    context = get_context("spawn")
    results: SimpleQueue[float] = context.SimpleQueue()
    ready = context.Barrier(processes)
    children = [
        context.Process(target=_process, args=(make, arguments, seconds, ready, results, number))
        for number in range(processes)
    ]
    for child in children:
        child.start()
    total = sum(results.get() for _ in children)
    for child in children:
        child.join()
    return total


def _process(
    make: Callable[..., Callable[[int], int]],
    arguments: tuple[object, ...],
    seconds: float,
    ready: Barrier,
    results: SimpleQueue[float],
    number: int,
) -> None:
    work = make(*arguments)
    work(number)  # opens the connection and prepares the statements
    ready.wait()
    began = time.perf_counter()
    done = 0
    while time.perf_counter() < began + seconds:
        done += work(number)
    results.put(done / (time.perf_counter() - began))
    os._exit(0)  # connection pools have threads that would have to be waited for


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def resident(process: int | str = "self") -> float:
    """What a process holds in memory now, in MiB."""
    return _memory(process, "VmRSS:")


def peak(process: int | str = "self") -> float:
    """The most that a process has held in memory, in MiB.

    Of its own memory alone: what the system tells a parent of its children may be what another child held,
    or the parent itself when it began them.
    """
    return _memory(process, "VmHWM:")


def _memory(process: int | str, which: str) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell")
