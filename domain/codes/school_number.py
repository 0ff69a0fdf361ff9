"""The DfE number of a school: three digits of the local authority and four of the school in it."""

from __future__ import annotations

import re

ACCEPTED = "the number of a school: three digits of its local authority and four of its own, as in 8812001"

_FORM = re.compile(r"([0-9]{3})[ /-]?([0-9]{4})")


def read_school_number(text: str) -> tuple[str, str]:
    """The numbers of local authority and establishment in `8812001`, also written `881/2001`.

    Raises:
        ValueError: It is not such a number; the message is what is accepted.
    """
    if found := _FORM.fullmatch(text.strip()):
        return found[1], found[2]
    raise ValueError(ACCEPTED)
