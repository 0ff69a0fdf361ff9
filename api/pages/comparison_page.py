"""The page of a school beside the benchmark: its own figures next to the released ones, with charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby

from api.pages.bars import Bar, Bunch, Part, bars
from api.pages.markup import NOTHING, Content, Markup, page, table, tag, text
from api.pages.style import ABOVE, AT, BELOW
from api.pages.words import pupils, subject_of
from domain.schemes.catalogue import SCHEMES
from projections.benchmarks.characteristics import OF_SCHOOLS
from projections.benchmarks.comparing import Cell, Comparison, Likes, Row, Spread, Table, Told
from projections.benchmarks.points import YEAR

MOST_ON_A_PAGE = 7
"""So many groups of a subject fit on a page together; more may go over to the next."""

_STANDINGS = {"below": BELOW, "at": AT, "above": ABOVE}
_MEASURES = {
    "pupils": "Pupils",
    "below": "Below",
    "at": "At",
    "above": "Above",
    "mean_points": "Points",
    "progress": "Gain",
}
_OWN = "Your school"
_LIKE = "Like yours"
_IN_TABLES = {_OWN: "yours", "All schools": "all", _LIKE: "like"}


def whole_page(answer: Comparison, school_name: str) -> str:
    """The page.

    Args:
        answer: What is shown.
        school_name: The school.
    """
    point = _point(answer)
    subjects = [(code, list(found)) for code, found in groupby(answer.tables, key=lambda each: each.subject)]
    return page(
        f"{school_name} beside the benchmark: {point}",
        tag("h1", school_name),
        tag("p", f"Beside the benchmark: {point} · {SCHEMES[answer.scheme].title}"),
        *_about(answer),
        *(_subject(answer, code, found) for code, found in subjects),
        None if subjects else tag("p", "There are no results and no released figures of this."),
        _tenths(answer),
        _symbols(answer),
    )


def _point(answer: Comparison) -> str:
    if answer.assessment_point == YEAR:
        return f"the year {answer.academic_year}"
    term, _, half = answer.assessment_point.partition("-")
    return f"{term.capitalize()}{f' {half}' if half else ''} {answer.academic_year}"


def _about(answer: Comparison) -> Iterator[Markup]:
    release = answer.release
    if release.withdrawn_at is not None:
        yield tag(
            "p",
            f"Release {release.release} was withdrawn on {release.withdrawn_at:%d %B %Y} and should not be "
            f"used: {release.withdrawn_because}",
            class_="warning",
        )
    schools = "" if release.schools is None else f" of {release.schools} schools"
    yield tag(
        "p",
        f"Your school's own figures are as recorded by {answer.counted_on:%d %B %Y} (position "
        f"{answer.position}), exact, and for your school alone. The benchmark{schools} was counted for "
        f"release {release.release} of {release.released_at:%d %B %Y} and has not changed since: what you "
        "entered or corrected later is in your own figures only.",
        class_="about",
    )
    rounded = release.rounding_base
    yield tag(
        "p",
        f"No released figure is about fewer than {release.minimum_pupils} pupils or "
        f"{release.minimum_schools} schools"
        + ("." if rounded is None else f"; numbers of pupils are rounded to multiples of {rounded}.")
        + " What c, z, x and low mean stands at the end.",
        class_="about",
    )
    yield tag("p", _said_of(answer, answer.likes), class_="about")


def _said_of(answer: Comparison, likes: Likes | None) -> str:
    if likes is None:
        return "Your school had nobody on its roll at this point, and so is in no band of schools."
    meals = "not known" if likes.meals is None else f"{likes.meals:.0%}"
    said = f"Schools like yours: {likes.label}."
    if not likes.fifths:
        said = (
            f"Schools like yours: {likes.label.partition('; ')[2]}. There were too few schools to divide "
            "them by free school meals."
        )
    said += (
        f" By its records of now your school had {pupils(likes.pupils)} at this point, and eligible for free "
        f"school meals: {meals}."
    )
    if answer.characteristic not in {*OF_SCHOOLS, "all"}:
        said += " Parts of the pupils are told of all schools only."
    return said


def _year(code: str) -> str:
    if code.isdecimal():
        return f"Year {code}"
    return {"R": "Reception"}.get(code, f"NC year {code}")


def _released(answer: Comparison) -> str:
    return "This kind" if answer.characteristic in OF_SCHOOLS else "All schools"


def _columns(answer: Comparison, row: Row) -> list[tuple[str, dict[str, Markup]]]:
    """Who is shown of a group, and the figures of each by measure, as they are written."""
    found = [
        (_OWN, {name: _own(name, cell, row) for name, cell in row.cells.items()}),
        (_released(answer), {name: _told(name, cell.released) for name, cell in row.cells.items()}),
    ]
    if answer.likes and any(cell.similar for cell in row.cells.values()):
        found.append((_LIKE, {name: _told(name, cell.similar) for name, cell in row.cells.items()}))
    return found


def _own(measure: str, cell: Cell, row: Row) -> Markup:
    if cell.own is None:
        return text(NOTHING)
    written, everybody = text(_written(measure, cell.own.value)), row.cells["pupils"].own
    if everybody is None or everybody.pupils == cell.own.pupils:
        return written
    return Markup(written + tag("span", f"of {cell.own.pupils}", class_="small"))


def _told(measure: str, figure: Told | None) -> Markup:
    if figure is None:
        return text(NOTHING)
    return text(figure.symbol if figure.value is None else _written(measure, figure.value))


def _written(measure: str, value: Decimal) -> str:
    if measure == "pupils":
        return f"{value:.0f}"
    if measure in _STANDINGS:
        return f"{value:.1%}"
    return f"{value:+.1f}".replace("-", "−") if measure == "progress" else f"{value:.1f}"


def _groups(answer: Comparison, tables: Iterable[Table]) -> Iterator[tuple[str, Row]]:
    """The groups of a subject that there is anything to show of."""
    for each in tables:
        for row in each.rows:
            cells = row.cells.values()
            if all(cell.own is None and _is_nobody(cell.released) for cell in cells):
                continue
            year = _year(each.nc_year)
            yield (year if answer.characteristic == "all" else f"{year} · {row.label}"), row


def _is_nobody(figure: Told | None) -> bool:
    return figure is None or figure.symbol == "z"


def _subject(answer: Comparison, code: str, tables: list[Table]) -> Markup:
    called = subject_of(answer.scheme, code)
    groups = list(_groups(answer, tables))
    scale = next((each.point_scale for each in tables if each.point_scale), None)
    rows: list[list[Content]] = [
        [f"{name}: {_IN_TABLES.get(whose, whose.lower())}", *(figures[measure] for measure in _MEASURES)]
        for name, row in groups
        for whose, figures in _columns(answer, row)
    ]
    caption = f"{called}: pupils, how they stood to what was expected, mean points and gain"
    if scale:
        caption += f" (scale {scale})"
    listed = table(
        caption, ["Year", *_MEASURES.values()], rows, numbers=frozenset(range(1, len(_MEASURES) + 1))
    )
    drawn = _chart(answer, code, called, groups)
    return tag(
        "section",
        tag("h2", called),
        tag("div", listed, class_="scroll")
        if drawn is None
        else tag("div", drawn, tag("div", listed, class_="scroll"), class_="chart wide bars"),
        class_="whole" if len(groups) <= MOST_ON_A_PAGE else None,
    )


def _chart(answer: Comparison, code: str, called: str, groups: list[tuple[str, Row]]) -> Markup | None:
    held = any(
        cell.own is not None or not _is_nobody(cell.released)
        for _, row in groups
        for cell in (row.cells[measure] for measure in _STANDINGS)
    )
    measures = list(_STANDINGS) if held else ["mean_points"]
    longest = max((_length(row.cells["mean_points"]) for _, row in groups), default=0.0)
    bunches = []
    said = []
    for name, row in groups:
        found = []
        for whose, _ in _columns(answer, row):
            told = [_cell(row.cells[measure], whose) for measure in measures]
            found.append(_bar(whose, measures, told, 1.0 if held else longest))
            said.append(
                f"{name}, {whose.lower()}: "
                + ", ".join(
                    f"{_plain(measure, value, symbol)} {_MEASURES[measure].lower()}"
                    for measure, (value, symbol) in zip(measures, told, strict=True)
                )
            )
        bunches.append(Bunch(name, found))
    title = f"{called}: " + ("how pupils stood to what was expected" if held else "mean points")
    drawn = bars(f"chart-{code}", title, ". ".join(said), bunches)
    if drawn is None:
        return None
    keys = [tag("span", _MEASURES[name].lower(), class_=f"key {name}") for name in _STANDINGS]
    return tag(
        "figure",
        drawn,
        tag("figcaption", *(keys if held else [tag("span", "mean points", class_="key above")])),
    )


def _cell(cell: Cell, whose: str) -> tuple[Decimal | None, str | None]:
    """A value, or a symbol, or neither."""
    if whose == _OWN:
        return (cell.own.value if cell.own else None), None
    figure = cell.similar if whose == _LIKE else cell.released
    return (None, None) if figure is None else (figure.value, figure.symbol)


def _plain(measure: str, value: Decimal | None, symbol: str | None) -> str:
    return symbol or NOTHING if value is None else _written(measure, value)


def _length(cell: Cell) -> float:
    figures = [each for each in (cell.own, cell.released, cell.similar) if each is not None]
    return max((float(each.value) for each in figures if each.value is not None), default=0.0)


def _bar(
    whose: str,
    measures: list[str],
    told: list[tuple[Decimal | None, str | None]],
    whole: float,
) -> Bar:
    if all(value is None for value, _ in told):
        symbols = {symbol for _, symbol in told if symbol}
        suppressed = "c: suppressed" if "c" in symbols else "z: not applicable" if "z" in symbols else ""
        return Bar(whose, [], suppressed or ("no results" if whose == _OWN else "nothing was released"))
    fills = {**_STANDINGS, "mean_points": ABOVE}
    parts = []
    for measure, (value, _) in zip(measures, told, strict=True):
        if value is not None:
            label = f"{value:.0%}" if measure in _STANDINGS else _written(measure, value)
            parts.append(Part(float(value) / (whole or 1.0), label, fills[measure]))
    return Bar(whose, parts)


def _tenths(answer: Comparison) -> Markup | None:
    """In which tenth of the schools the school lies, where deciles are told."""
    measures = [measure for measure in _MEASURES if measure != "pupils"]
    rows: list[list[Content]] = []
    for each in answer.tables:
        for row in each.rows:
            spreads = [row.cells[measure].spread for measure in measures]
            if any(spreads):
                name = f"{subject_of(answer.scheme, each.subject)}, {_year(each.nc_year)}"
                rows.append([name, *(_tenth(spread) for spread in spreads)])
    if not rows:
        if answer.characteristic != "all":
            return None
        return tag(
            "p", "How schools are spread is not told: there are too few of them, or they are too much alike."
        )
    columns = ["Subject", *(_MEASURES[measure] for measure in measures)]
    return tag(
        "section",
        tag("h2", "Where your school lies among all schools"),
        tag(
            "div",
            table(
                "The tenth of the schools, from the lowest value (1) to the highest (10); for the share "
                "below, low is good",
                columns,
                rows,
                numbers=frozenset(range(1, len(columns))),
            ),
            class_="scroll",
        ),
        class_="whole",
    )


def _tenth(spread: Spread | None) -> str | None:
    found = spread.tenth if spread else None
    if found is None:
        return None
    return str(found.lowest) if found.lowest == found.highest else f"{found.lowest} to {found.highest}"


def _symbols(answer: Comparison) -> Markup:
    rows: list[list[Content]] = [[symbol, meaning] for symbol, meaning in answer.symbols.items()]
    rows += [
        [NOTHING, "Nothing is there: your school has nobody in it, or no figure was listed in the release."],
        ["of 12", "The figure is of so many of your pupils: those who have points, or a result before, too."],
    ]
    return tag(
        "section",
        tag("h2", "What stands in place of figures"),
        tag(
            "p",
            "Below, at and above are shares of the pupils, against what was expected at that point; the gain "
            "is in points since the end of the term before, of those who have a result there, too.",
        ),
        table("The symbols", ["Symbol", "It means"], rows),
        class_="whole",
    )
