"""Every projection that there is: found, and not listed.

A projection is a module beside an SQL file of the same name which holds a part `tables`. The module has it as
`PROJECTION`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.resources import files

from domain.errors import Misconfigured, NotFound
from domain.ledger.sql import load
from projections.projection import Rebuildable

PACKAGE = "projections"


def discover(package: str = PACKAGE) -> tuple[Rebuildable, ...]:
    """The projections that lie in a package, in the order of their names.

    Args:
        package: The package's name.

    Raises:
        Misconfigured: A module has no `PROJECTION`, or one of another name than its own.
    """
    found = []
    for file in sorted(file.name for file in files(package).iterdir() if file.name.endswith(".sql")):
        if "tables" not in load(package, file):
            continue
        name = file.removesuffix(".sql")
        projection: Rebuildable | None = getattr(import_module(f"{package}.{name}"), "PROJECTION", None)
        if projection is None or projection.name != name:
            raise Misconfigured(f"{package}/{name}.py must have a PROJECTION whose name is {name!r}")
        found.append(projection)
    return tuple(found)


def named(names: Iterable[str], projections: Iterable[Rebuildable]) -> list[Rebuildable]:
    """The projections of these names; all of them, if none is named.

    Raises:
        NotFound: There is none of that name.
    """
    known = {projection.name: projection for projection in projections}
    wanted = list(names) or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise NotFound(f"There is no projection {', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in wanted]
