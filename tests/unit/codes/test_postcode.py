from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codes.postcode import ACCEPTED, read_postcode


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("cm11qh", "CM1 1QH"),
        (" CM1  1QH ", "CM1 1QH"),
        ("M1 1AA", "M1 1AA"),
        ("M60 1NW", "M60 1NW"),
        ("CR2 6XH", "CR2 6XH"),
        ("DN55 1PT", "DN55 1PT"),
        ("W1A 1HQ", "W1A 1HQ"),
        ("EC1A 1BB", "EC1A 1BB"),
        ("GIR0AA", "GIR 0AA"),
    ],
)
def test_every_shape_is_read(text: str, postcode: str) -> None:
    assert read_postcode(text) == postcode


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CM1",
        "1QH",
        "CM1 1Q",
        "CM1 1QHH",
        "QM1 1QH",
        "CJ1 1QH",
        "CM1 1CH",
        "W1I 1HQ",
        "EC1D 1BB",
        "GIR 1AA",
        "CM1-1QH",
    ],
)
def test_other_shapes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a postcode") as refused:
        read_postcode(text)
    assert str(refused.value) == ACCEPTED


@given(st.text(alphabet="ABCEGHIMQRW0129 ", max_size=9))
def test_what_is_read_once_reads_the_same_again(text: str) -> None:
    try:
        postcode = read_postcode(text)
    except ValueError:
        return
    assert read_postcode(postcode) == postcode
    assert postcode.replace(" ", "") == text.replace(" ", "")
