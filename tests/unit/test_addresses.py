"""What is an address in what teachers write, and what merely looks like one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import particulars
from domain.addresses import ACCEPTED, find_addresses
from domain.errors import InvalidInput
from domain.particulars import checked, checked_reason
from domain.pupil import PupilNames, PupilRecord

ADDRESSES = {
    "ask parent@made-up.example": ["parent@made-up.example"],
    "mailto:p.o'neil+school@mail.made-up.example, or ring": ["p.o'neil+school@mail.made-up.example"],
    "A@b.example and c@d.example": ["A@b.example", "c@d.example"],
    "12 Elm Road": ["12 Elm Road"],
    "Moved to 12 Elm Road": ["12 Elm Road"],
    "moved to 12 Elm Road, Chelmsford CM1 1QH": ["12 Elm Road"],
    "12 elm road": ["12 elm road"],
    "lives at 12 elm road with his gran": ["12 elm road"],
    "12, High Street, Chelmsford": ["12, High Street"],
    "12 High St, Chelmsford": ["12 High St"],
    "now at 12A Church Lane": ["12A Church Lane"],
    "No. 7 Orchard Way": ["No. 7 Orchard Way"],
    "at no 7 orchard road": ["no 7 orchard road"],
    "12-14 Mill Rd": ["12-14 Mill Rd"],
    "12 Elm\nRoad": ["12 Elm Road"],
    "12\nElm Road\nChelmsford": ["12 Elm Road"],
    "The family moved to\n7 The Drive\nMade-up": ["7 The Drive"],
    "3 Oak Close": ["3 Oak Close"],
    "3 Oak Close since May": ["3 Oak Close"],
    "lives at 3 oak close": ["3 oak close"],
    "lives now at 3, oak close with dad": ["3, oak close"],
    "address: 44 queens court": ["44 queens court"],
    "moving to 9 willow grove": ["9 willow grove"],
    "home is 15 kings gardens": ["15 kings gardens"],
    "101 St John's Road": ["101 St John's Road"],
    "5 St. Mary's Avenue": ["5 St. Mary's Avenue"],
    "8 Queen's Crescent": ["8 Queen's Crescent"],
    "8 Old Mill Terrace": ["8 Old Mill Terrace"],
    "27 Market Square": ["27 Market Square"],
    "2 Hill View": ["2 Hill View"],
    "12 May Street": ["12 May Street"],
    "21 Church Hill": ["21 Church Hill"],
    "6 Stable Mews.": ["6 Stable Mews"],
    "1 Pound Place; ask at the office": ["1 Pound Place"],
    "1134 London Road": ["1134 London Road"],
    "12 Elm Road (new house)": ["12 Elm Road"],
    "12 Elm Road cm1 1qh": ["12 Elm Road"],
    "his dad is at 12 Elm Road, his mum at 9 Ash Avenue": ["12 Elm Road", "9 Ash Avenue"],
    "Flat 3": ["Flat 3"],
    "Flat 3, 12 Elm Road": ["Flat 3", "12 Elm Road"],
    "Flat 3 12 Elm Road": ["Flat 3", "12 Elm Road"],
    "now in flat 3b": ["flat 3b"],
    "flat 12 with her aunt": ["flat 12"],
    "Flat B, Elm Court": ["Flat B"],
    "Apartment 9, The Quays": ["Apartment 9"],
    "apt 4": ["apt 4"],
    "PO Box 12": ["PO Box 12"],
    "write to P.O. Box 120": ["P.O. Box 120"],
    "p o box 7": ["p o box 7"],
    "Rose Cottage, Mill Lane": ["Rose Cottage, Mill Lane"],
    "at The Old Rectory, Church Hill": ["The Old Rectory, Church Hill"],
    "Manor Farm\nSchool Lane": ["Manor Farm School Lane"],
    "Elm House, High Street, Made-up": ["Elm House, High Street"],
}

NONE = (
    "",
    "CM1 1QH",
    "moved to CM1 1QH",
    "read 3 books on the way home",
    "moved to Elm Road Primary School",
    "moved to St Mary's, Church Lane",
    "Year 4 Oak",
    "12 way ratio",
    "2 Hill children",
    "Year 4 Oak Close",
    "Class 3 Mill Lane",
    "Year 2 High Street project",
    "In 2024 Elm Road Primary School closed",
    "2024 Elm Road",
    "all 30 Elm Road children",
    "12 Elm Road Primary",
    "2 Church Lane pupils joined us",
    "moved on to 3 digit place value",
    "moving to 2 digit place value next term",
    "scored 12, very close to the next step",
    "scored 45. Well done Grace Hill",
    "Tom 12, Grace Hill 14",
    "got 12 Grace Hill got 14",
    "read 2 Harry Hill books",
    "reads 3 Milky Way facts",
    "wrote 2 Milky Way",
    "knows 4 road signs",
    "Bikeability level 2 road safety",
    "completed 3 busy road crossings",
    "2 children crossed the road",
    "walked 2 miles down the road",
    "lives 10 minutes drive from school",
    "lives 5 miles away, close to the river",
    "5 May Hampton Court visit",
    "on 5 May Hampton Court",
    "on 12 March Church Hill",
    "visited 10 Downing Street",
    "a 4 lane road",
    "4 sided shapes, a square",
    "flat 2D shapes and solid 3D shapes",
    "knows flat 3d shapes",
    "a flat 4 sided shape",
    "played B flat 3 times",
    "fell flat 3 times",
    "played E flat 2",
    "ran it in 30 seconds flat 3 times",
    "12 children in St Mary's",
    "2 Visits to Dr Smith",
    "3 Visits Dr Smith",
    "Year 6 Infant St Peter's",
    "moved from 3 Oak to 4 Ash close to Christmas",
    "4 Ash, close to the door",
    "3b in reading, way above expectations",
    "3s to 3w: a hill to climb",
    "has 2 in court shoes",
    "10:30 Elm Road bus",
    "key stage 1 Park Place",
    "group 2 Rose Lane",
    "room 12 Willow Court",
    "score 18/20 Hill Street quiz",
    "Working at 2.5 Green Lane",
    "£3 Park Lane trip",
    "moved to Windsor House",
    "Elm House won 3 points, Ash House 2",
    "a drive to improve his 7 times table",
    "twins, one in 4 Ash and one in 4 Elm",
    "Number 1 in the way he tries",
    "see you @ school",
    "90% of the way",
    "the rule of 3 gives a place to start",
    "used 100 square",
    "left for Oxford Street Primary on 3 June",
    "left on 3 September: Green Lane Academy",
    "moved abroad",
)


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_is_found(text: str) -> None:
    assert find_addresses(text) == ADDRESSES[text]


@pytest.mark.parametrize("text", NONE)
def test_what_merely_looks_like_one_is_not(text: str) -> None:
    assert find_addresses(text) == []


def test_there_are_enough_of_both() -> None:
    assert len(ADDRESSES) >= 40
    assert len(set(NONE)) >= 40


@pytest.mark.parametrize("text", ADDRESSES)
def test_a_reason_with_an_address_is_refused_with_its_words(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_reason("reason", text)
    [finding] = refused.value.findings
    assert (finding.field, finding.accepted) == ("reason", ACCEPTED)
    assert finding.found == ", ".join(ADDRESSES[text])
    assert not any(words in str(refused.value) for words in ADDRESSES[text])


def test_without_the_rule_they_would_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(particulars, "find_addresses", lambda _: [])
    for text in ADDRESSES:
        assert checked_reason("reason", text) == " ".join(text.split())


def test_no_name_is_an_address_but_a_class_may_be_called_after_a_street() -> None:
    names = PupilNames(surname="Hill", forename="Grace", date_of_birth=date(2018, 5, 1))
    record = PupilRecord(sex="F", date_of_entry=date(2023, 9, 1), class_name="3 Willow Grove")
    assert checked(names, record) == (names, record)
    for field in ("surname", "forename"):
        with pytest.raises(InvalidInput) as refused:
            checked(msgspec.structs.replace(names, **{field: "12 Elm Road"}), record)
        assert [(finding.field, finding.accepted) for finding in refused.value.findings] == [
            (field, ACCEPTED)
        ]


@pytest.mark.parametrize("text", [text for text in NONE if text])
def test_a_reason_without_one_is_kept(text: str) -> None:
    assert checked_reason("reason", text) == text


@given(st.text(alphabet="12 Aa@.,-'FlatRoadStBox\n", max_size=80))
def test_any_text_has_an_answer(text: str) -> None:
    for words in find_addresses(text):
        assert words in " ".join(text.split())


def grows_faster_than_the_text(find: Callable[[str], object], unit: str, length: int) -> bool:
    """Whether eight times the text takes far more than eight times as long: the check of the twin, too."""

    def seconds(length: int) -> float:
        text = unit * (length // len(unit)) + "@"
        begun = time.thread_time()
        find(text)
        return time.thread_time() - begun

    return seconds(length) > 24 * seconds(length // 8) + 0.01


@pytest.mark.parametrize("unit", ["1 ", "A-", "a", " ", "1 A ", "A b Road ", "@", "a@", "Flat ", "1 A Road "])
def test_a_long_text_takes_no_longer_than_it_must(unit: str) -> None:
    assert not grows_faster_than_the_text(find_addresses, unit, 500_000)


def test_quadratic_time_would_be_noticed() -> None:
    """The sabotaged twin: from each letter on, it looks through the whole rest of the text."""
    assert grows_faster_than_the_text(re.compile("a*b").search, "a", 32_000)
