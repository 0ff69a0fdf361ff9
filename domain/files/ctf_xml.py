"""Parses the XML of a Common Transfer File, from senders that are not trusted, pupil by pupil.

A CTF has no document type declaration, so any is refused: without one there are no entities, neither those
that grow without bounds nor those that read files or addresses. The refusing is defusedxml's. A declaration
can stand before the root element only, so defusedxml reads up to there, and the parser written in C, which
is twice as fast, reads the file. No more than one piece of the file and the pupils in it are held as
elements at a time, so that the largest file takes no more memory than a small one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from domain.errors import UnreadableFile
from domain.files.rows import finding

ACCEPTED = "a Common Transfer File: XML with the root element CTfile, and CTFpupilData in it"

MOST_ELEMENTS = 200_000
"""Elements of one pupil: the longest history has a fiftieth of them. More is no pupil, and is not held."""

_PIECE = 65_536

_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


class ParsedCtf:
    """A Common Transfer File whose header has been read, and whose pupils are still to be.

    Namespaces that are the root element's are taken off every name.

    Args:
        content: The file.

    Attributes:
        header: The header; one without anything in it, where the file has none.
        others: What stands beside header and pupils, by the name of the element; whole after the last pupil.

    Raises:
        UnreadableFile: It is not XML, not whole, has a document type declaration, or is another kind of XML
            file.
    """

    def __init__(self, content: bytes) -> None:
        self.header = Element("Header")
        self.others: Counter[str] = Counter()
        self._content = content
        self._place = 0
        self._parser: XMLPullParser[Element] = XMLPullParser(["start"])
        self._root: Element | None = None
        self._data: Element | None = None
        self._open = 0
        try:
            _refuse_declarations(content)
        except DefusedXmlException:
            raise _refused(
                "An XML file with a document type declaration is not accepted",
                "a document type declaration, which may define entities",
            ) from None
        except (ParseError, LookupError, ValueError) as error:
            self._refuse(error)
        self._read_header()

    def _read_header(self) -> None:
        while self._feed():
            if self._data is not None:
                break
        else:
            raise _refused("This Common Transfer File has no pupil data", "CTfile without CTFpupilData")
        # What begins before the pupils is whole by now.
        for part in cast("Element", self._root):
            if part is self._data:
                break
            if part.tag == f"{self._namespace}Header":
                self.header = part
                self._strip(part)

    def pupils(self) -> Iterator[Element]:
        """The pupils, in the order of the file; each is gone when the next one is asked for.

        Raises:
            UnreadableFile: The file is damaged, or a pupil is too large to be one.
        """
        data = cast("Element", self._data)
        whole = False
        while not whole:
            whole = not self._feed()
            # The last one may be still growing.
            ready = len(data) if whole else max(len(data) - 1, 0)
            for part in list(data[:ready]):
                self._strip(part)
                if part.tag == "Pupil":
                    yield part
                else:
                    self.others[f"CTFpupilData/{part.tag}"] += 1
            if ready:
                del data[:ready]
                self._open = 0
        for part in cast("Element", self._root):
            self._strip(part)
            if part is not data and part is not self.header:
                if part.tag in {"Header", "CTFpupilData"}:
                    found = f"{part.tag} after the pupils"
                    raise _refused("This Common Transfer File is out of order", found)
                self.others[part.tag] += 1

    def _feed(self) -> bool:
        """Reads on; whether there is more to read."""
        try:
            piece = self._content[self._place : self._place + _PIECE]
            self._place += _PIECE
            if piece:
                self._parser.feed(piece)
            else:
                self._parser.close()
            for _, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                self._open += 1
                if self._root is None:
                    self._begin(element)
                elif self._data is None and self._is_data(element):
                    self._data = element
        except (ParseError, LookupError, ValueError) as error:
            self._refuse(error)
        if self._open > MOST_ELEMENTS and len(self._data if self._data is not None else ()) <= 1:
            raise _refused("A pupil of this file is too large to be one", f"over {MOST_ELEMENTS:,} elements")
        return bool(piece)

    def _is_data(self, element: Element) -> bool:
        """Whether the pupils stand in this element, which must be right in the root."""
        root = cast("Element", self._root)
        return element.tag == f"{self._namespace}CTFpupilData" and any(part is element for part in root)

    def _begin(self, root: Element) -> None:
        self._root = root
        namespace, brace, name = root.tag.rpartition("}")
        self._namespace = namespace + brace
        if name != "CTfile":
            raise _refused("This is another kind of XML file", f"the root element {name[:60]}")

    def _strip(self, part: Element) -> None:
        if not self._namespace:
            return
        for element in part.iter():
            element.tag = element.tag.removeprefix(self._namespace)

    def _refuse(self, error: Exception) -> NoReturn:
        if isinstance(error, ParseError):
            line, column = error.position
            raise _refused(
                "This is not an XML file, or it was damaged or cut off",
                f"{str(error).partition(': line')[0]}, in line {line} at column {column}",
            ) from None
        raise _refused(
            "This XML file is in a character encoding that is not known",
            f"encoding {declared_encoding(self._content)}",
        ) from None


class _RootReached(Exception):
    """The root element begins: no document type declaration can come any more."""


class _UpToRoot:
    """A target for the parser that goes no further than the root element."""

    def start(self, *_: object) -> NoReturn:
        """Ends the reading."""
        raise _RootReached

    def close(self) -> None:
        """There was no root element; the other parser says so better."""


def _refuse_declarations(content: bytes) -> None:
    parser = DefusedXMLParser(target=_UpToRoot(), forbid_dtd=True)
    try:
        for place in range(0, len(content), _PIECE):
            parser.feed(content[place : place + _PIECE])
        parser.close()
    except _RootReached:
        return


def declared_encoding(content: bytes) -> str:
    """The encoding that the XML declaration names, in lower case, or `utf-8`, which is XML's own."""
    declared = _DECLARED.search(content[:200])
    return declared[1].decode().lower() if declared else "utf-8"


def _refused(message: str, found: str) -> UnreadableFile:
    return UnreadableFile(message, [finding("file", found, ACCEPTED)])
