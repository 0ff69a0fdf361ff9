"""Writing the files of an export into a folder: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from domain.errors import Finding, InvalidInput
from domain.vault import private_files


def write(
    folder: Path, files: Mapping[str, bytes], others: set[str], *, overwrite: bool = False
) -> list[Path]:
    """Writes the files, which everybody may read: they hold what was released.

    Each is whole or not there, and none takes an earlier one's place before all have been written.

    Args:
        folder: The folder, which is made if it is not there.
        files: What is to be written, by name.
        others: Names that an earlier export may have used, and this one does not: with `overwrite` they are
            removed, lest figures of two exports lie beside each other.
        overwrite: Whether files that are there may be replaced.

    Raises:
        InvalidInput: Files are there already, or the folder cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file: name a folder")
    stale = sorted(name for name in others - files.keys() if (folder / name).exists())
    there = sorted(name for name in files if (folder / name).exists())
    if not overwrite and (there or stale):
        raise InvalidInput(
            f"In {folder} there are files of an earlier export: --overwrite replaces them",
            [
                Finding(field="folder", found=name[:60], accepted="a folder without it, or --overwrite")
                for name in [*there, *stale]
            ],
        )
    new = [folder / name for name in files if name not in there]
    opened = private_files.replacing if overwrite else private_files.creating
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for name, content in files.items():
                file = stack.enter_context(opened(folder / name, private_files.READABLE))
                file.write(content)
                file.flush()  # what there is no room for fails now, before any file takes another's place
        for name in stale:
            (folder / name).unlink()
    except FileExistsError as error:  # somebody else was quicker, and the file is theirs
        raise InvalidInput(f"{error.filename} is there already: --overwrite replaces it") from None
    except BaseException as error:  # an interruption, too, leaves some files without the others
        for path in new:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = error.strerror or "no reason is known"
            raise InvalidInput(f"{error.filename or folder} cannot be written: {reason}") from None
        raise
    return [folder / name for name in files]
