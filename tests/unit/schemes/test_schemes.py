"""Every scheme: what it reads, in which order its values lie, and how they stand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, When, WholeYear
from domain.codes.sets import SUBJECT
from domain.schemes.catalogue import (
    ACCEPTED,
    APS,
    KS2_TESTS,
    LEVELS,
    PHONICS,
    SCHEMES,
    STATEMENTS,
    STEPS,
    TWO_POINT,
    scheme_named,
)
from domain.schemes.early_years import good_level_of_development
from domain.schemes.kinds import Phonics, Scores, Steps
from domain.schemes.scheme import Entered, Measure, Scheme, SchemeVersion, Standing

VERSIONS = [version for scheme in SCHEMES.values() for version in scheme.versions]

every_version = pytest.mark.parametrize(
    "version", VERSIONS, ids=lambda version: f"{version.scheme} {version.name}"
)

YEARS = (None, "N1", "N2", "R", *map(str, range(1, 15)), "X")
PLACE = {"below": 0, "at": 1, "above": 2}

points = st.builds(AssessmentPoint, st.integers(2012, 2026), st.sampled_from(list(Term)))
moments: st.SearchStrategy[When] = st.one_of(points, st.builds(WholeYear, st.integers(2012, 2026)))
versions = st.sampled_from(VERSIONS)


def test_there_are_these() -> None:
    assert list(SCHEMES) == [
        "steps", "eyfs-bands", "eyfs-profile", "phonics", "ks1-tests", "ks2-tests", "ks1-teacher",
        "ks2-teacher", "mtc", "levels", "statements",
    ]  # fmt: skip
    assert scheme_named(" KS2-Tests ").name == KS2_TESTS
    with pytest.raises(ValueError, match="one of steps, ") as refused:
        scheme_named("statutory")
    assert str(refused.value) == ACCEPTED


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_of_each_year_a_scheme_has_one_version_at_most(scheme: Scheme) -> None:
    for year in range(1985, 2040):
        holding = [version for version in scheme.versions if version.holds_in(year)]
        assert len(holding) <= 1
        if holding:
            assert scheme.in_year(year) is holding[0]
        else:
            with pytest.raises(ValueError, match=scheme.name):
                scheme.in_year(year)


@pytest.mark.parametrize(
    ("scheme", "year", "version"),
    [
        ("steps", 1990, "six-a-band"),
        ("eyfs-bands", 2011, None),
        ("eyfs-bands", 2012, "2012"),
        ("eyfs-bands", 2021, None),
        ("eyfs-profile", 2020, "2013"),
        ("eyfs-profile", 2021, "2021"),
        ("phonics", 2010, None),
        ("phonics", 2011, "2012"),
        ("ks1-teacher", 2014, None),
        ("ks2-teacher", 2017, "2016"),
        ("ks2-teacher", 2018, "2019"),
        ("mtc", 2021, "2022"),
        ("levels", 2014, "national-curriculum"),
        ("levels", 2015, "p-levels"),
        ("levels", 2018, None),
    ],
)
def test_versions_hold_in_their_years(scheme: str, year: int, version: str | None) -> None:
    if version:
        assert SCHEMES[scheme].in_year(year).name == version
    else:
        with pytest.raises(ValueError, match="an academic year in which"):
            SCHEMES[scheme].in_year(year)


@every_version
def test_the_ladder_rises_and_is_described(version: SchemeVersion) -> None:
    assert version.values
    assert version.measures
    assert version.title
    ordinals = [value.ordinal or 0 for value in version.ladder]
    assert ordinals == sorted(ordinals)
    # Whole levels, and bands without their step, lie where one of their own steps does.
    coarse = {value for value in version.values if value.isdecimal()} if version.scheme == LEVELS else set()
    coarse |= (
        {value for value in version.values if value[-1] not in "bws+"} if "bands" in version.scheme else set()
    )
    coarse |= {"40-60+"}
    fine = [value.ordinal for value in version.ladder if value.value not in coarse or value.value == "ELG"]
    assert len(set(fine)) == len(fine)
    for scale in version.scales:
        counted = [each.points[scale] for each in version.ladder if scale in each.points]
        assert counted == sorted(counted)
    for value in version.values:
        assert version.describe(value)


@given(version=versions, data=st.data())
def test_reading_is_idempotent_however_it_is_written(version: SchemeVersion, data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(list(version.values)))
    changes: list[Callable[[str], str]] = [str, str.upper, str.lower, str.swapcase]
    change = data.draw(st.sampled_from(changes))
    spaces = data.draw(st.sampled_from(["", " ", "\t", "  "]))
    read = version.read(f"{spaces}{change(value)}{spaces}")
    assert read == value
    assert version.read(read) == read


@given(version=versions, text=st.text(max_size=8))
def test_whatever_is_read_is_a_value_and_the_rest_is_refused_with_what_is_accepted(
    version: SchemeVersion, text: str
) -> None:
    try:
        read = version.read(text)
    except ValueError as error:
        refused: str | None = str(error)
    else:
        refused = None
        assert read in version.values
    assert refused in {None, version.accepted}
    if text not in version.values:
        for ask in (version.ordinal, version.describe, lambda it: version.standing(it, "2", WholeYear(2019))):
            with pytest.raises(ValueError, match=r"\w"):
                ask(text)


def falls(version: SchemeVersion, nc_year: str | None, at: When) -> list[str]:
    """The check: the values that stand lower than those below them, or beside those that stand nowhere."""
    stands = [
        (value.value, value.ordinal, version.standing(value.value, nc_year, at)) for value in version.ladder
    ]
    return [
        after
        for (_, low, here), (after, high, there) in pairwise(stands)
        if (here is None) != (there is None)
        or (low != high and here and there and PLACE[here] > PLACE[there])
    ]


@given(version=versions, nc_year=st.sampled_from(YEARS), at=moments)
def test_what_is_higher_never_stands_lower(version: SchemeVersion, nc_year: str | None, at: When) -> None:
    assert falls(version, nc_year, at) == []


class UpsideDown(Steps):
    """Steps that stand the wrong way round."""

    def standing(self, value: str, nc_year: str | None, at: When) -> Standing | None:
        stands = super().standing(value, nc_year, at)
        return "below" if stands == "above" else "above" if stands == "below" else stands


def test_what_stands_the_wrong_way_round_is_found() -> None:
    """The sabotaged twin."""
    real = SCHEMES[STEPS].newest
    twin = UpsideDown(STEPS, "x", "", Entered.POINT, real.values.values(), real.measures.values())
    at = AssessmentPoint(2024, Term.SPRING)
    assert falls(real, "3", at) == []
    assert falls(twin, "3", at) == ["3w", "3s"]


@given(version=versions, one=points, two=points, three=points)
def test_gains_add_up(
    version: SchemeVersion, one: AssessmentPoint, two: AssessmentPoint, three: AssessmentPoint
) -> None:
    gains = [version.expected_gain(*pair) for pair in ((one, two), (two, three), (one, three))]
    if None in gains:
        assert gains == [None] * 3
    else:
        assert (gains[0] or 0) + (gains[1] or 0) == gains[2]


@pytest.mark.parametrize("scheme", [STEPS, "eyfs-bands"])
def test_two_steps_are_gained_in_a_term_and_one_in_half_of_it(scheme: str) -> None:
    version = SCHEMES[scheme].newest
    for terms, gain in ((TERMS, 2), (HALF_TERMS, 1)):
        year = [AssessmentPoint(2024, term) for term in terms] + [AssessmentPoint(2025, terms[0])]
        assert [version.expected_gain(*pair) for pair in pairwise(year)] == [gain] * len(terms)
    assert SCHEMES[KS2_TESTS].newest.expected_gain(year[0], year[1]) is None


BOUNDS = [
    ("phonics", "PHO", 0, 40),
    ("ks1-tests", "MAT", 85, 115),
    ("ks2-tests", "MAT", 80, 120),
    ("mtc", "MTC", 0, 25),
]


def out_of_bounds(schemes: dict[str, SchemeVersion]) -> list[str]:
    """The check: which scores are taken that lie outside their scale, or not taken that lie within."""
    wrong = []
    for name, measure, lowest, highest in BOUNDS:
        version = schemes[name]
        version.measure(measure)
        for score in (lowest - 1, lowest, highest, highest + 1):
            try:
                taken = version.read(str(score)) == str(score)
            except ValueError:
                taken = False
            if taken != (lowest <= score <= highest):
                wrong.append(f"{name} {score}")
    return wrong


def test_scores_lie_within_their_scales() -> None:
    newest = {name: scheme.newest for name, scheme in SCHEMES.items()}
    assert out_of_bounds(newest) == []
    for text in ("100.5", "1e2", "+100", "-1", "²5", "0x64", "", "10 0 0"):
        with pytest.raises(ValueError, match="a whole number from 80 to 120, or one of AS, NS"):
            newest[KS2_TESTS].read(text)
    assert newest[PHONICS].read("032") == "32"
    assert newest[PHONICS].read("00") == "0"


def test_a_scale_that_takes_121_is_found() -> None:
    """The sabotaged twin."""
    generous = Scores(
        KS2_TESTS, "2016", "", Entered.YEAR, [], SCHEMES[KS2_TESTS].newest.measures.values(),
        lowest=80, highest=121, scale="scaled-score",
    )  # fmt: skip
    newest = {name: scheme.newest for name, scheme in SCHEMES.items()}
    assert out_of_bounds(newest | {KS2_TESTS: generous}) == ["ks2-tests 121"]


@pytest.mark.parametrize(
    ("scheme", "value", "stands"),
    [
        ("ks1-tests", "99", "below"),
        ("ks1-tests", "100", "at"),
        ("ks1-tests", "115", "at"),
        ("ks2-tests", "80", "below"),
        ("ks2-tests", "99", "below"),
        ("ks2-tests", "100", "at"),
        ("ks2-tests", "109", "at"),
        ("ks2-tests", "110", "above"),
        ("ks2-tests", "120", "above"),
        ("ks2-tests", "NS", "below"),
        ("ks2-tests", "A", None),
        ("ks2-teacher", "PK6", "below"),
        ("ks2-teacher", "WTS", "below"),
        ("ks2-teacher", "EXS", "at"),
        ("ks2-teacher", "GDS", "above"),
        ("ks2-teacher", "HNM", "below"),
        ("phonics", "31", "below"),
        ("phonics", "32", "at"),
        ("phonics", "40", "at"),
        ("phonics", "Wa", "at"),
        ("phonics", "Wt", "below"),
        ("phonics", "L", None),
        ("mtc", "25", None),
        ("eyfs-profile", "1", "below"),
        ("eyfs-profile", "2", "at"),
        ("eyfs-profile", "A", None),
        ("statements", "achieved", None),
    ],
)
def test_how_results_stand(scheme: str, value: str, stands: str | None) -> None:
    for year in ("1", "2", "6", None):
        assert SCHEMES[scheme].newest.standing(value, year, WholeYear(2024)) == stands


def test_letters_have_no_ordinal_and_count_nothing() -> None:
    version = SCHEMES[KS2_TESTS].newest
    for letter in ("A", "AS", "N", "B", "CB"):
        assert version.ordinal(version.read(letter.lower())) is None
        assert version.points(letter, "scaled-score") is None
    assert (version.ordinal("104"), version.points("104", "scaled-score")) == (104, 104)
    with pytest.raises(ValueError, match="one of scaled-score"):
        version.points("104", "aps")


def test_the_threshold_of_phonics_is_that_of_the_year() -> None:
    real = SCHEMES[PHONICS].newest
    assert isinstance(real, Phonics)
    assert {real.threshold(year) for year in range(2011, 2026)} == {32}
    assert real.threshold(2010) is None
    changed = Phonics(PHONICS, "x", "", Entered.YEAR, [], [], lowest=0, highest=40, scale="marks")
    changed.thresholds = ((2011, 2024, 32), (2025, None, 30))
    assert changed.standing("31", "1", WholeYear(2024)) == "below"
    assert changed.standing("31", "1", WholeYear(2025)) == "at"
    assert changed.standing("31", "1", WholeYear(2010)) is None


def test_pre_key_stage_standards_5_and_6_are_of_key_stage_2_alone() -> None:
    for text in ("PK5", "PK6"):
        assert SCHEMES["ks2-teacher"].newest.read(text) == text
        with pytest.raises(ValueError, match="PK4, WTS"):
            SCHEMES["ks1-teacher"].newest.read(text)
    order = ["BLW", "PKF", "PKE", "PKG", "WTS", "EXS", "GDS"]
    assert [value.value for value in SCHEMES["ks1-teacher"].version("2016").ladder] == order
    with pytest.raises(ValueError, match="one of EM, PK1"):
        SCHEMES["ks1-teacher"].in_year(2018).read("PKG")


@pytest.mark.parametrize(
    ("level", "two_point", "aps"),
    [
        ("W", 3, 3), ("1c", 7, 9), ("1a", 11, 9), ("2c", 13, 13), ("2b", 15, 15), ("2a", 17, 17),
        ("3c", 19, 21), ("3b", 21, 21), ("3a", 23, 21), ("6a", 41, 39), ("2", 15, 15), ("4", 27, 27),
        ("P8", None, None), ("A", None, None),
    ],
)  # fmt: skip
def test_levels_count_on_two_scales_that_disagree(level: str, two_point: int | None, aps: int | None) -> None:
    version = SCHEMES[LEVELS].in_year(2014)
    assert version.scales == (TWO_POINT, APS) == ("two-point", "aps")
    assert version.points(level, TWO_POINT) == two_point
    assert version.points(level, APS) == aps


def test_levels_are_read_and_stand() -> None:
    version = SCHEMES[LEVELS].in_year(2014)
    assert [version.read(text) for text in ("2B", "p1II", "w", "3", "P4")] == ["2b", "P1ii", "W", "3", "P4"]
    summer, autumn = AssessmentPoint(2013, Term.SUMMER), AssessmentPoint(2013, Term.AUTUMN)
    stands = {value: version.standing(value, "6", summer) for value in ("P4", "W", "3a", "4c", "4", "5c")}
    assert stands == {"P4": "below", "W": "below", "3a": "below", "4c": "at", "4": "at", "5c": "above"}
    assert version.standing("2c", "2", WholeYear(2013)) == "at"
    assert version.standing("2c", "2", autumn) is version.standing("2c", "3", summer) is None
    later = SCHEMES[LEVELS].in_year(2016)
    assert later.read("p8") == "P8"
    with pytest.raises(ValueError, match="a P level"):
        later.read("2b")


def test_month_bands_have_six_steps() -> None:
    version = SCHEMES["eyfs-bands"].newest
    assert [version.ordinal(text) for text in ("0-11", "0-11b", "0-11s+", "8-20b", "40-60+s+", "ELG")] == [
        1, 1, 6, 7, 36, 37,
    ]  # fmt: skip
    assert version.read("30-50 W+") == "30-50w+"
    assert version.read("elg") == "ELG"
    assert set(version.measures) >= {"COM", "PSE", "G01", "G17"}
    summer = AssessmentPoint(2019, Term.SUMMER_2)
    assert version.standing("40-60+s+", "R", summer) == "below"
    assert version.standing("ELG", "R", summer) == "at"
    assert version.standing("ELG", "N2", summer) is None
    assert version.standing("ELG", "R", AssessmentPoint(2019, Term.SPRING)) is None


def test_statements_are_judged_in_three_ways() -> None:
    version = SCHEMES[STATEMENTS].newest
    assert [value.value for value in version.ladder] == ["not-yet", "working-towards", "achieved"]
    assert version.read("Working towards") == "working-towards"
    assert set(version.measures) == set(SUBJECT)


GOALS_2021 = {f"E{number:02d}": "2" for number in range(1, 18)}


def test_a_good_level_of_development() -> None:
    version = SCHEMES["eyfs-profile"].in_year(2024)
    counting = [code for code, measure in version.measures.items() if measure.in_gld]
    assert counting == [f"E{number:02d}" for number in range(1, 13)]
    assert good_level_of_development(version, GOALS_2021) is True
    assert good_level_of_development(version, dict.fromkeys(counting, "2")) is True
    for goal in counting:
        for outcome in ("1", "A"):
            assert good_level_of_development(version, GOALS_2021 | {goal: outcome}) is False
        without = {each: outcome for each, outcome in GOALS_2021.items() if each != goal}
        assert good_level_of_development(version, without) is None
        assert good_level_of_development(version, {goal: "1"}) is False
    assert good_level_of_development(version, GOALS_2021 | {"E13": "1", "E17": "A"}) is True
    assert good_level_of_development(version, {}) is None


def test_a_good_level_of_development_by_the_goals_of_2013() -> None:
    version = SCHEMES["eyfs-profile"].in_year(2019)
    outcomes = {f"G{number:02d}": "3" if number % 2 else "2" for number in range(1, 13)}
    assert good_level_of_development(version, outcomes) is True
    assert good_level_of_development(version, outcomes | {"G09": "1"}) is False
    with pytest.raises(ValueError, match="one of 1, 2, 3, A"):
        good_level_of_development(version, outcomes | {"G09": "4"})


def test_a_measure_is_found_by_its_code() -> None:
    version = SCHEMES["eyfs-profile"].newest
    assert version.measure(" e11 ") == Measure(
        code="E11", description="Number", subject="MAT", component="E11", stage="EYF", method="FA",
        in_gld=True, ctf_subject="MAT", ctf_component="E11",
    )  # fmt: skip
    with pytest.raises(ValueError, match="one of E01, E02"):
        version.measure("G01")
    for other in VERSIONS:
        for measure in other.measures.values():
            assert other.measure_of(measure.stage, measure.subject, measure.component) == measure
