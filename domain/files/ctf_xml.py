"""Parses the XML of a Common Transfer File, from senders that are not trusted.

A CTF has no document type declaration, so any is refused: without one there are no entities, neither those
that grow without bounds nor those that read files or addresses. The refusing is defusedxml's. A declaration
can stand before the root element only, so defusedxml reads up to there, and the parser written in C, which
is twice as fast, reads the file.
"""

from __future__ import annotations

import re
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, fromstring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from domain.errors import UnreadableFile
from domain.files.rows import finding

ACCEPTED = "a Common Transfer File: XML with the root element CTfile, and CTFpupilData in it"

_PIECE = 65_536

_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def parse_ctf(content: bytes) -> Element:
    """The root element of a Common Transfer File, with namespaces taken off every name.

    Raises:
        UnreadableFile: It is not XML, not whole, has a document type declaration, or is another kind of XML
            file.
    """
    try:
        _refuse_declarations(content)
        root = fromstring(content)  # noqa: S314 - defusedxml has read all that comes before the root element
    except DefusedXmlException:
        raise _refused(
            "An XML file with a document type declaration is not accepted",
            "a document type declaration, which may define entities",
        ) from None
    except ParseError as damaged:
        line, column = damaged.position
        raise _refused(
            "This is not an XML file, or it was damaged or cut off",
            f"{str(damaged).partition(': line')[0]}, in line {line} at column {column}",
        ) from None
    except (LookupError, ValueError):
        raise _refused(
            "This XML file is in a character encoding that is not known",
            f"encoding {declared_encoding(content)}",
        ) from None
    for element in root.iter():
        if element.tag[0] == "{":
            element.tag = element.tag.rpartition("}")[2]
    if root.tag != "CTfile":
        raise _refused("This is another kind of XML file", f"the root element {root.tag}")
    if root.find("CTFpupilData") is None:
        raise _refused("This Common Transfer File has no pupil data", "CTfile without CTFpupilData")
    return root


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
