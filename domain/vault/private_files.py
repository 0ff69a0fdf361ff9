"""Files that are whole or not there, and that nobody but their owner can read at any moment."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
"""The mode of a file that nobody but its owner may read or write."""

READABLE = 0o644
"""The mode of a file that everybody may read."""


@contextmanager
def creating(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Opens a new file, which is on disk when the block has ended, and gone when the block failed.

    Args:
        path: The file; there must be nothing of that name, not even a link that leads nowhere.
        mode: Its mode from the first moment on, less what the umask takes away.

    Raises:
        FileExistsError: Something of that name is there; it is left as it is.
        OSError: The folder is not there, cannot be written to or has no room.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:  # an interruption, too, leaves half a file
        path.unlink(missing_ok=True)
        raise


@contextmanager
def replacing(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Opens a file that takes the place of another when the block has ended.

    Until then, and when the block fails, whatever was there before is there unchanged. It is a new file in
    any case: the mode of an earlier one does not count, and a link is replaced and not followed.

    Args:
        path: The file, whether it is there or not.
        mode: Its mode, less what the umask takes away.

    Raises:
        OSError: The folder is not there, cannot be written to or has no room; or what is there is no file.
    """
    if path.exists() and not path.is_file():
        # Else whoever may write to /dev would replace /dev/null.
        raise OSError(errno.EINVAL, "It is there, and is not a file", str(path))
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    with creating(partial, mode) as file:
        yield file
    try:
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Writes a file, in place of any that is there: whoever reads it finds the old or the new one, whole.

    Args:
        path: The file.
        content: All that it shall hold.
        mode: Its mode, less what the umask takes away.

    Raises:
        OSError: The folder is not there, cannot be written to or has no room; or what is there is no file.
    """
    with replacing(path, mode) as file:
        file.write(content)
