"""The roll, page by page, and what its pupils and classes are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.errors import NotFound
from scripts.cli.client import Client

PAGE = 500
"""The most pupils that the API lists at once."""


def every_pupil(client: Client, **parameters: object) -> dict[str, Any]:
    """The pupils that fit, of all pages, in the form of the API's answer."""
    pages = list(_pages(client, **parameters))
    return {**pages[-1], "pupils": [pupil for page in pages for pupil in page["pupils"]]}


def _pages(client: Client, **parameters: object) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = client.query("/v1/pupils", limit=PAGE, after=after, **parameters).body
        yield page
        if (after := page["next"]) is None:
            return


def class_called(client: Client, name: str) -> dict[str, Any]:
    """The class with this name.

    Raises:
        NotFound: There is none; the message names those that there are.
    """
    wanted = same_class(name)
    classes: list[dict[str, Any]] = client.query("/v1/classes").body
    for each in classes:
        if same_class(each["class_name"]) == wanted:
            return each
    names = ", ".join(each["class_name"] for each in classes) or "none yet"
    raise NotFound(f"There is no class {name} at this school; there are: {names}")


def same_class(name: str) -> str:
    """The form in which names of classes are compared: neither capitals nor spaces tell them apart."""
    return " ".join(name.split()).casefold()


def name_of(pupil: dict[str, Any]) -> str:
    """What a child is called; an alias, to those who may not see names."""
    names = ", ".join(filter(None, [pupil.get("surname"), pupil.get("forename")]))
    return names or str(pupil.get("alias") or "")
