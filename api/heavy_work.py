"""Heavy work, a few pieces at a time: hashing passwords and opening schools must not keep others waiting.

Nor must developing photographs, each in a process of its own with more than a gigabyte at most; but whoever
logs in does not wait for somebody else's photographs.

Each endpoint has a thread of its own. Twenty logins at once would be twenty threads that contend for the
interpreter with whoever reads a pupil. Here they wait in the event loop, where waiting costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.requests import Request

P = ParamSpec("P")
R = TypeVar("R")

AT_ONCE = max(2, os.cpu_count() or 1)
"""So many pieces of heavy work are done at a time."""


def limiter() -> CapacityLimiter:
    """What an application keeps heavy work of one kind within.

    That of logins is in `app.state.heavy_work`, that of photographs in `app.state.developing`.
    """
    return CapacityLimiter(AT_ONCE)


async def one_of_few(request: Request, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Does a piece of heavy work in a thread, when it is its turn.

    Args:
        request: Whose application's limit counts.
        work: What to do.
        *args: What to do it with.
        **kwargs: Likewise.
    """
    return await _in_turn(request.app.state.heavy_work, partial(work, *args, **kwargs))


async def developed_in_turn(request: Request, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for what develops a photograph."""
    return await _in_turn(request.app.state.developing, partial(work, *args, **kwargs))


async def _in_turn(limit: CapacityLimiter, call: Callable[[], R]) -> R:
    done: R = await anyio.to_thread.run_sync(call, limiter=limit)
    return done
