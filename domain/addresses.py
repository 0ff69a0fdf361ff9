"""Addresses in free text: email addresses, and postal ones beyond a postcode.

Target Tracker keeps no address but the postcode, so text that holds one is refused. But teachers write about
roads without meaning an address ("read 3 books on the way home", "moved to Elm Road Primary School"), and a
rule that cries wolf is switched off. So a street counts only behind a house's number or name, and only where
the words around it do not say that the number counts something else. That misses an address now and then,
rather than refuse what is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

ACCEPTED = "text without email or postal addresses: Target Tracker keeps none but the postcode"

_EMAIL = re.compile(r"[^\s@<>(),;:]{1,64}@[^\s@<>(),;:]{1,255}\.[^\s@<>(),;:]{1,63}")


def find_addresses(text: str) -> list[str]:
    """The words of every address in the text, in the order of the text, with single spaces.

    A postcode alone is none.
    """
    text = " ".join(text.split())
    found: dict[int, str] = {}
    for shape, accepted in _SHAPES:
        for match in shape.finditer(text):
            before = text[max(0, match.start() - _LOOKED_AT) : match.start()]
            if accepted is None or accepted(before):
                found.setdefault(match.start(), match[0].rstrip("."))
    return [found[place] for place in sorted(found)]


def holds_email(text: str) -> bool:
    """Whether an email address stands anywhere in the text."""
    return "@" in text and _EMAIL.search(text) is not None


_LOOKED_AT = 40
"""So many characters in front of an address say whether it is one."""

# Streets by name. Those of the first kind are written with small letters, too; the others are everyday words.
_STREET = r"(?:street|road|rd|lane|avenue|ave|crescent|cres)"
_ALSO_A_WORD = (
    "(?:Close|Drive|Way|Court|Place|Hill|Grove|Gardens|Gdns|Terrace|Mews|Square|Rise|Row|View|Walk|Green|Parade"
    r"|Cl|Ct|Pl|Ln|Sq|(?:St|Dr)(?!\.?\s+[^\W\d_a-z]))"  # and not Saint, nor Doctor, before a name
)

# No street begins with these: so the number counts something, or the street word is none.
_NO_NAME = (
    r"(?!the\b)(?!(?i:a|an|of|on|in|at|to|by|for|from|with|and|or|but|is|was|are|were|be|has|had|have|his|her|their"
    r"|its|our|my|your|this|that|these|those|it|he|she|they|we|who|which|up|down|into|along|across|over|out|off"
    r"|near|as|so|than|then|very|too|more|most|much|many|not|no|all|some|any|each|every|other|both|well|done"
    r"|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|terms?|miles?|km|metres?|m|cm|kg|mph|points?|marks?"
    r"|times|digits?|steps?|part|parts|ways?|lanes?|books?|words?|number|numbers|pages?|stars?|sided|pupils"
    r"|children|boys|girls|friends|people|cars|legs)(?![\w'’-]))"
)
_WORD = _NO_NAME + r"(?:St\.|[^\W\d_](?:[\w'’-]{0,40}\w)?)"
_CAPITAL = _NO_NAME + r"(?:St\.|[^\W\d_a-zß-ÿ](?:[\w'’-]{0,40}\w)?)"

_MONTH = "(?i:january|february|march|april|may|june|july|august|september|october|november|december)"
_NUMBER = (
    r"(?<![\w.,£$€%+=<>-])(?<!\d[:/])(?:(?i:no)\.?\s*)?"
    r"(?!(?:19|20)\d\d\b)\d{1,4}[A-Za-z]?(?:\s?[-–]\s?\d{1,4}[A-Za-z]?)?(?!\w)"
    rf"(?!\s{_MONTH}\s(?!(?i:{_STREET}|{_ALSO_A_WORD})\b))"  # a day: but May Street is a street
)

# What may come behind an address; "12 Elm Road children" and "3 Park Lane Primary School" are none.
_NO_HOME = (
    r"(?i:school|primary|infants?|juniors?|academy|nursery|pre-?school|college|high|middle|cofe|c of e"
    r"|church of|catholic|rc|community|surgery|library|station|pool|swimming|baths|sports|playing|clinic"
    r"|hospital|health|children's|centre|campus|bus|pupils|children|boys|girls|team|class|trust|federation)\b"
)
_END = (
    r"(?!\w)(?!['’]s\b)\.?(?=\s*(?:$|[.,;:!?()\]\"”’'–—/]|-\s|[^\W\d_a-zß-ÿ]|(?:and|with|in|since|now|from|near|is"
    r"|was|where|until|because|but|so|who|after|before|or|then|which|opposite|off|behind|as|while|when|again"
    r"|instead|due|if|for|until|till|next|his|her|their|he|she|they|[a-z]{1,2}\d[a-z\d]?\s?\d[a-z]{2})\b))"
    rf"(?!\s+{_NO_HOME})"
)

# In front of an address there is none of these: they say what the number counts.
_COUNTING = re.compile(
    r"(?i:\b(?:years?|yrs?|class(?:es)?|forms?|groups?|sets?|levels?|steps?|stages?|bands?|phases?|units?|chapters?"
    r"|pages?|pp?|books?|lessons?|weeks?|terms?|days?|tables?|rows?|rooms?|ks|aged?|scor(?:es?|ed|ing)|tasks?"
    r"|questions?|q|grades?|parts?|modules?|papers?|tests?|targets?|lines?|verses?|top|best|all|about|only|over"
    r"|under|another|other|the|these|those|our|first|last|next|route|bus|junction|times|than"
    r"|read(?:s|ing)?|wr(?:ote|ites?|iting)|s[aiu]ngs?|watch(?:ed|es)?|count(?:s|ed|ing)?|dr[ae]ws?|solved"
    r"|answer(?:s|ed)|complet(?:es|ed|ing)|got|gets?|made|makes|built|painted|visit(?:s|ed|ing)?|toured|learnt"
    r"|learn(?:s|ed|ing)|knows?|found|named"
    rf"|\b{_MONTH})[\s.:#]*$)"
)

# Behind these, a number and a street are an address whatever the letters.
_LIVING = re.compile(
    r"(?i:\b(?:liv(?:es?|ed|ing)|mov(?:es?|ed|ing)|stay(?:s|ed|ing)?|resid(?:es|ed|ing)|address|home|house)"
    r"(?:\s*:|\s+(?:is|now|back|at|to|in|on|from|house)\b)*\s*$)"
)


def _counts_nothing(before: str) -> bool:
    return not _COUNTING.search(before)


def _lives_there(before: str) -> bool:
    return _LIVING.search(before) is not None


_SHAPES: tuple[tuple[re.Pattern[str], Callable[[str], bool] | None], ...] = (
    (_EMAIL, None),
    (re.compile(r"(?i:\bP\.?\s?O\.?\s?Box\s+(?:no\.?\s*)?\d+)"), None),
    (  # neither "B flat 3 times" nor "flat 2D shapes"
        re.compile(
            r"(?<!\b[A-G]\s)(?<!seconds\s)(?<!minutes\s)\b(?i:flat|apartment|apt)\.?\s+(?:(?i:no)\.?\s*)?"
            rf"(?:(?!\d[dD]\b)\d{{1,4}}[A-Za-z]?(?:(?=\s+\d)|{_END})|[A-H](?=\s*,|\s+\d))"
        ),
        None,
    ),
    (
        re.compile(
            rf"\b(?:{_CAPITAL}\s+){{1,3}}(?:Cottages?|House|Farm|Farmhouse|Lodge|Villa|Rectory|Vicarage|Manor|Barn"
            rf"|Bungalow|Croft|Grange|Mansions|Towers),?\s{_CAPITAL}(?:\s+{_CAPITAL}){{0,2}}?"
            rf"\s+(?:(?i:{_STREET})|{_ALSO_A_WORD}){_END}"
        ),
        _counts_nothing,
    ),
    (
        re.compile(rf"{_NUMBER},?\s{_WORD}(?:\s+{_WORD}){{0,2}}?\s+(?i:{_STREET}){_END}"),
        _counts_nothing,
    ),
    (
        re.compile(rf"{_NUMBER}\s+{_CAPITAL}(?:\s+{_CAPITAL}){{0,2}}?\s+{_ALSO_A_WORD}{_END}"),
        _counts_nothing,
    ),
    (
        re.compile(rf"{_NUMBER},?\s{_WORD}(?:\s+{_WORD}){{0,2}}?\s+(?i:{_ALSO_A_WORD}){_END}"),
        _lives_there,
    ),
)
"""Every shape that an address has, and what must be so of the text in front of it, if anything."""
