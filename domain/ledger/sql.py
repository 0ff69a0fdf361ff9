"""SQL statements live in `.sql` files, each under a name: ``-- name: heads_behind``."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def load(package: str, filename: str) -> dict[str, bytes]:
    """The statements of a `.sql` file that lies in a package, by name, ready to be sent.

    Raises:
        ValueError: The file names a statement twice, or holds text before the first name.
    """
    preamble, *rest = _NAME.split(files(package).joinpath(filename).read_text(encoding="utf-8"))
    if any(line and not line.startswith("--") for line in preamble.splitlines()):
        raise ValueError(f"{filename} holds a statement without a name")
    names = rest[0::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{filename} uses a name twice")
    return {name: text.strip().encode() for name, text in zip(names, rest[1::2], strict=True)}
