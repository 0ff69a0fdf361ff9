"""The elements of a Common Transfer File that no field holds: kept as they came, but for what is never kept.

No schema says what another sender may add. So whatever an element is called, nothing in it may be an email
address, a telephone number, a postal address or a contact: such parts are dropped and counted, wherever they
stand, and the rest is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element, tostring

from domain.addresses import find_addresses, holds_email
from domain.files.ctf_places import CONTAINERS, KEPT_WHOLE, NOT_KEPT, ORDER
from domain.files.rows import (
    CONTACTS,
    EMAIL_ADDRESSES,
    PHONE_NUMBERS,
    POSTAL_ADDRESSES,
    TOO_LARGE,
    RowReader,
)
from domain.pupil_record import OtherElement

LARGEST = 16_384
"""Characters of one element: a longer one is a document, not particulars."""

LARGEST_OF_A_PUPIL = 65_536
"""Characters of all of a pupil's elements."""

DEEPEST = 20
"""Levels within an element. No CTF has half as many."""

_BY_NAME = (
    (re.compile(r"e-?mail", re.IGNORECASE), EMAIL_ADDRESSES),
    (re.compile(r"phone|mobile|telno|^tel$|^fax", re.IGNORECASE), PHONE_NUMBERS),
    (
        re.compile(
            r"address|^(?:street|saon|paon|locality|town|posttown|county|administrativearea"
            r"|uniquepropertyreferencenumber|uprn|easting|northing)$",
            re.IGNORECASE,
        ),
        POSTAL_ADDRESSES,
    ),
    (re.compile(r"contact|nextofkin", re.IGNORECASE), CONTACTS),
)
"""What an element is by its name, in the words of the report."""

_G = "[ ()-]{0,2}"
_PHONE_NUMBER = re.compile(
    rf"(?<![\w.-])(?:(?:\+44|0044){_G}\(?0?\)?|\(?0){_G}"
    rf"(?:[1235789](?:{_G}\d){{9}}|1(?:{_G}\d){{8}}|[58]{_G}0{_G}0(?:{_G}\d){{6}})(?![\w-])"
)
"""A telephone number of the United Kingdom: 0 or +44, and ten digits of which the first is no 0, 4 or 6; or
nine, of some area codes and freephone numbers. Source: Ofcom, *National Telephone Numbering Plan*. Any other
number that begins with a 0 is another system's."""

_IDENTIFIER = re.compile(r"(?:Id|ID|Identifier|Ref|Reference|Code|Key)$")
"""How the name of an element ends that holds another system's number for something."""

PLAIN_PATHS = {path: frozenset(tags) - KEPT_WHOLE.get(path, set()) for path, tags in ORDER.items()}
"""The elements that are taken into fields, by the path of what they stand in."""


class Keeper:
    """Gathers the elements of one pupil that no field holds.

    Args:
        reader: The pupil's row, to flag what is too large.
        dropped: What is not kept, counted by kind.
    """

    def __init__(self, reader: RowReader, dropped: Counter[str]) -> None:
        self._reader = reader
        self._dropped = dropped
        self._size = 0
        self._left: set[Element] = set()
        self._keys: dict[Element, str] = {}
        self.kept: list[OtherElement] = []

    def leave(self, element: Element) -> None:
        """Has an element kept as it came, though its name is known: no field could take what it says."""
        self._left.add(element)

    def tell(self, element: Element, key: str) -> None:
        """Says what tells an element from others of its name, for those that stand in it."""
        self._keys[element] = key

    def keep_rest(self, pupil: Element) -> None:
        """Keeps, in the order of the file, what of a pupil no field holds."""
        self._look_into(pupil, "", "")

    def _look_into(self, element: Element, path: str, key: str) -> None:
        plain, known, before = PLAIN_PATHS[path], ORDER[path], ""
        for part in element:
            tag = part.tag
            inner = f"{path}/{tag}" if path else tag
            if not path and tag in NOT_KEPT:
                self._count_address_or_contact(part)
            elif tag not in plain or part in self._left:
                self.keep(part, path, key, before)
            elif inner in CONTAINERS:
                self._look_into(part, inner, self._keys.get(part, ""))
            if tag in known:
                before = tag

    def _count_address_or_contact(self, part: Element) -> None:
        match part.tag:
            case "Address":
                self._dropped[POSTAL_ADDRESSES] += any(inner.tag != "PostCode" for inner in part)
            case "Phones":
                self._dropped[PHONE_NUMBERS] += len(part)
            case "Email":
                self._dropped[EMAIL_ADDRESSES] += 1
            case _:
                self._dropped[CONTACTS] += len(part)

    def keep(self, element: Element, path: str, key: str, before: str) -> None:
        """Keeps an element, but for what is never kept, or counts it.

        Args:
            element: The element.
            path: The elements that it stands in.
            key: What tells the innermost of them from others of its name.
            before: The known element that came before it.
        """
        shown = f"{path}/{element.tag}" if path else element.tag
        if _depth(element) > DEEPEST:
            self._too_large(shown, f"more than {DEEPEST} levels", f"at most {DEEPEST} levels")
            return
        clean = self._clean(element)
        if clean is None:
            return
        clean.tail = None
        xml = tostring(clean, encoding="unicode")
        if len(xml) > LARGEST:
            self._too_large(shown, f"{len(xml):,} characters", f"at most {LARGEST:,} characters")
        elif self._size + len(xml) > LARGEST_OF_A_PUPIL:
            self._too_large(
                shown,
                f"{self._size + len(xml):,} characters of elements that have no field",
                f"at most {LARGEST_OF_A_PUPIL:,} of one pupil",
            )
        else:
            self._size += len(xml)
            self.kept.append(OtherElement(xml=xml, path=path, of=key, after=before))

    def _too_large(self, path: str, found: str, accepted: str) -> None:
        self._dropped[TOO_LARGE] += 1
        self._reader.flag(path, found, f"not kept: {accepted}")

    def _clean(self, element: Element) -> Element | None:
        """A copy of the element without what is never kept; nothing, if it is such a thing itself."""
        if kind := _kind(element):
            self._dropped[kind] += 1
            return None
        copy = Element(element.tag, dict(element.attrib))
        copy.text, copy.tail = element.text, element.tail
        for part in element:
            if (clean := self._clean(part)) is not None:
                copy.append(clean)
        return copy


def kind_of_text(text: str) -> str | None:
    """What is never kept and stands in a text, in the words of the report: an address or telephone number."""
    if holds_email(text):
        return EMAIL_ADDRESSES
    if _PHONE_NUMBER.search(text):
        return PHONE_NUMBERS
    # A code, a number or the marks of a year: no postal address is one word.
    return POSTAL_ADDRESSES if len(text.split(maxsplit=1)) > 1 and find_addresses(text) else None


def _kind(element: Element) -> str | None:
    name = element.tag.rpartition("}")[2]
    for shape, kind in _BY_NAME:
        if shape.search(name):
            return kind
    texts = _texts(element)
    if _IDENTIFIER.search(name):
        # Nobody writes a telephone number there, and a number of eleven digits may be like one by chance.
        texts = (text for text in texts if not text.strip().isdecimal())
    return next((found for text in texts if (found := kind_of_text(text))), None)


def _texts(element: Element) -> Iterator[str]:
    """What is written in an element itself, between its parts and in its attributes."""
    yield from filter(None, (element.text, *element.attrib.values(), *(part.tail for part in element)))


def _depth(element: Element) -> int:
    """Levels of elements, counted no further than one too many: what comes in may be nested to do harm."""
    depth, level = 0, [element]
    while level and depth <= DEEPEST:
        depth += 1
        level = [part for each in level for part in each]
    return depth
