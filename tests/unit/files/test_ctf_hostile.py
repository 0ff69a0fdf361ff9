"""Files that are not Common Transfer Files, or are sent to do harm."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Finding, UnreadableFile
from domain.files.ctf_xml import ACCEPTED, ParsedCtf
from domain.files.reader import read_pupil_file
from tests.unit.files.children import ACADEMIC_YEAR, TODAY
from tests.unit.files.test_ctf import IDENTITY, WHOLE, as_ctf

BOMB = (
    '<!DOCTYPE CTfile [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)


def refusal_of(content: bytes) -> Finding:
    with pytest.raises(UnreadableFile) as refused:
        read_pupil_file(content, academic_year=ACADEMIC_YEAR, today=TODAY)
    (finding,) = refused.value.findings
    assert finding.field == "file"
    assert finding.accepted == ACCEPTED
    return finding


def with_declaration(declaration: str, surname: str) -> bytes:
    text = as_ctf(f"<Pupil>{IDENTITY}</Pupil>").decode()
    return text.replace("<CTfile>", f"{declaration}<CTfile>").replace("ROOSTER", surname).encode()


def test_an_entity_bomb() -> None:
    started = time.monotonic()
    finding = refusal_of(with_declaration(BOMB, "&j;"))
    assert finding.found == "a document type declaration, which may define entities"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("kind", ["SYSTEM", 'PUBLIC "x"'])
@pytest.mark.parametrize("before", ["", "<!-- " + "x" * 200_000 + " -->"])
def test_an_external_entity_is_not_read(tmp_path: Path, kind: str, before: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET", encoding="utf-8")
    declaration = f'{before}<!DOCTYPE CTfile [<!ENTITY secret {kind} "{secret.as_uri()}">]>'
    with pytest.raises(UnreadableFile) as refused:
        read_pupil_file(with_declaration(declaration, "&secret;"), academic_year=ACADEMIC_YEAR, today=TODAY)
    assert "document type declaration" in refused.value.findings[0].found
    chain: BaseException | None = refused.value
    while chain:
        assert "TOPSECRET" not in repr(chain)
        chain = chain.__cause__


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE CTfile>",
        '<!DOCTYPE CTfile SYSTEM "http://127.0.0.1:9/ctf.dtd">',
        '<!DOCTYPE CTfile [<!ENTITY % remote SYSTEM "http://127.0.0.1:9/x"> %remote;]>',
    ],
)
def test_any_document_type_declaration(declaration: str) -> None:
    assert "document type declaration" in refusal_of(with_declaration(declaration, "ROOSTER")).found


def test_a_declaration_hidden_by_its_encoding() -> None:
    text = with_declaration(BOMB, "&j;").decode().replace("utf-8", "utf-16")
    assert "document type declaration" in refusal_of(text.encode("utf-16")).found


def test_a_declaration_after_the_root_element_is_not_xml() -> None:
    content = as_ctf(f"<Pupil>{IDENTITY}</Pupil>").replace(b"<CTfile>", b"<CTfile>" + BOMB.encode())
    assert "in line 2" in refusal_of(content).found


def test_an_entity_that_nothing_defines() -> None:
    assert "undefined entity" in refusal_of(with_declaration("", "&nbsp;")).found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<CTfile", "unclosed token, in line 1 at column 0"),
        (b"<<<>>>", "not well-formed"),
        (as_ctf(WHOLE)[:-200], "in line"),
        (b"<!-- nothing else -->", "no element found"),
        (b"<html><body/></html>", "the root element html"),
        (b"<Message><Header/></Message>", "the root element Message"),
        (b"<CTfile><Header/></CTfile>", "CTfile without CTFpupilData"),
        (b'<?xml version="1.0" encoding="no-such"?><CTfile/>', "encoding no-such"),
        (as_ctf(f"<Pupil>{IDENTITY}</Pupil>").replace(b"ALBERT", b"Zo\xeb"), "not well-formed"),
    ],
)
def test_what_is_not_a_common_transfer_file(content: bytes, found: str) -> None:
    assert found in refusal_of(content).found


def test_a_file_that_was_cut_off_anywhere_is_refused() -> None:
    content = as_ctf(WHOLE).strip()
    for length in range(1, len(content), 97):
        with pytest.raises(UnreadableFile):
            read_pupil_file(content[:length], academic_year=ACADEMIC_YEAR, today=TODAY)


def test_deep_nesting_does_no_harm() -> None:
    depth = 100_000
    nested = as_ctf(f"<Pupil>{IDENTITY}{'<a>' * depth}{'</a>' * depth}</Pupil>")
    file = read_pupil_file(nested, academic_year=ACADEMIC_YEAR, today=TODAY)
    assert file.dropped == {"elements that are too large to keep": 1}


def test_numbers_of_thousands_of_digits_are_none() -> None:
    many = "9" * 5000
    needs = (
        f"<SENneed><SENtypeRank>{many}</SENtypeRank><SENtype>ASD</SENtype></SENneed>"
        "<SENneed><SENtypeRank>1</SENtypeRank><SENtype>HI</SENtype></SENneed>"
    )
    text = as_ctf(f"<Pupil>{IDENTITY}<SENhistory><SENneeds>{needs}</SENneeds></SENhistory></Pupil>").decode()
    start, _, rest = text.partition("<CTFpupilData>")
    head = f"<CTfile><Header><SourceSchool><AcademicYear>{many}</AcademicYear></SourceSchool></Header>"
    content = f"{head}<CTFpupilData>{rest}".encode()
    assert start.count("<CTfile>") == 1
    file = read_pupil_file(content, academic_year=ACADEMIC_YEAR, today=TODAY)
    assert file.source is not None
    assert file.source.academic_year is None
    [row] = file.rows
    assert row.record is not None
    assert set(row.record.sen_needs) == {"ASD", "HI"}


@given(st.binary(max_size=300))
def test_whatever_comes_is_parsed_or_refused(content: bytes) -> None:
    for octets in (content, b"<?xml version='1.0'?><CTfile>" + content):
        with pytest.raises(UnreadableFile) as refused:
            ParsedCtf(octets)
        assert refused.value.findings
