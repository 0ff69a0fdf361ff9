"""Writing the files of an export into a folder: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from domain.errors import Finding, InvalidInput
from domain.vault import private_files


def write(
    folder: Path, files: Mapping[str, bytes], others: set[str], *, overwrite: bool = False
) -> list[Path]:
    """Writes the files, which everybody may read: they hold what was released.

    Each is whole or not there. When one cannot be written, those that were new are taken away again; one that
    took the place of an earlier one stays.

    Args:
        folder: The folder, which is made if it is not there.
        files: What is to be written, by name.
        others: Names that an earlier export may have used, and this one does not: with `overwrite` they are
            removed, lest figures of two exports lie beside each other.
        overwrite: Whether files that are there may be replaced.

    Raises:
        InvalidInput: Files are there already, or the folder cannot be written to.
    """
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
    new: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            if overwrite:
                replaces = path.exists()
                private_files.write(path, content, private_files.READABLE)
            else:
                replaces = False
                with private_files.creating(path, private_files.READABLE) as file:
                    file.write(content)
            if not replaces:
                new.append(path)
        for name in stale:
            (folder / name).unlink()
    except BaseException as error:  # an interruption, too, leaves some files without the others
        for path in new:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = error.strerror or "it cannot be written"
            raise InvalidInput(f"{error.filename or folder} cannot be written: {reason}") from None
        raise
    return [folder / name for name in files]
