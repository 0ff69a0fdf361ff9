"""Postcodes of the United Kingdom.

The shape is that of BS 7666 and Royal Mail's *Programmers' Guide*: A9, A99, AA9, AA99, A9A or AA9A, then
9AA. Some letters stand in some places only; GIR 0AA is the one exception. Whether a postcode is in use is
not asked.
"""

from __future__ import annotations

import re

ACCEPTED = "a postcode such as CM1 1QH"

_SHAPE = re.compile(
    r"""
    (   [A-PR-UWYZ] [0-9] [0-9]?                           # M1, M60
    |   [A-PR-UWYZ] [0-9] [A-HJKPSTUW]                     # W1A
    |   [A-PR-UWYZ] [A-HK-Y] [0-9] [0-9]?                  # CR2, DN55
    |   [A-PR-UWYZ] [A-HK-Y] [0-9] [ABEHMNPRVWXY]          # EC1A
    |   GIR (?=0AA)
    )
    ( [0-9] [ABD-HJLNP-UW-Z]{2} )
    """,
    re.VERBOSE,
)


def read_postcode(text: str) -> str:
    """The postcode that the text holds, in capitals and with one space: `CM1 1QH`.

    Raises:
        ValueError: It is not one; the message is what is accepted.
    """
    found = _SHAPE.fullmatch("".join(text.split()).upper())
    if not found:
        raise ValueError(ACCEPTED)
    return f"{found[1]} {found[2]}"
