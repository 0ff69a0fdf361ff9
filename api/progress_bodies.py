"""Progress as it is shown: pupils by name for those who may see names, every figure with its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self
from uuid import UUID

import msgspec

from api.callers import Caller
from api.views import alias_for, names_for
from domain.academic_year import When
from domain.progress.entries import Entry
from domain.progress.figures import Figures, Standings, Verdicts
from domain.progress.gains import Gain, Reason, Verdict
from domain.progress.groups import Group
from domain.progress.matrix import By, Matrix
from domain.progress.on_track import OnTrack, OnTrackTable
from domain.progress.question import Question
from domain.progress.report import CoursePoint, Report
from domain.progress.track import Track
from domain.schemes.scheme import Standing
from projections.progress import Cohort
from projections.pupils import PupilView


class PointBody(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment point, or a whole year, where the term is null."""

    academic_year: int
    term: str | None
    label: str

    @classmethod
    def of(cls, at: When) -> Self:
        """A point as it is shown."""
        return cls(academic_year=at.academic_year, term=at.term, label=at.label)


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil: the name, or an alias for those who may not see names."""

    pupil_id: UUID
    alias: str | None
    surname: str | None
    forename: str | None

    @classmethod
    def of(cls, caller: Caller, view: PupilView) -> Self:
        """A pupil as the caller may see it."""
        names = names_for(caller, view.names)
        return cls(
            pupil_id=view.pupil_id,
            alias=alias_for(caller, view.pupil_id),
            surname=names.surname if names else None,
            forename=names.forename if names else None,
        )

    @property
    def name(self) -> str:
        """For people."""
        return ", ".join(filter(None, (self.surname, self.forename))) or self.alias or ""


def in_order_of_names(caller: Caller, views: Mapping[UUID, PupilView]) -> list[Called]:
    """Pupils by name; without names in the order of their ids, which must not tell what names do not."""

    def name(called: Called) -> tuple[str, str]:
        return (called.surname or "").casefold(), (called.forename or "").casefold()

    return sorted((Called.of(caller, view) for view in views.values()), key=name)


class EntryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A result.

    Attributes:
        value: As the scheme writes it.
        points: On the scale of points; null for a value that counts none.
        standing: Against what was expected then.
    """

    value: str
    points: int | None
    standing: Standing | None

    @classmethod
    def of(cls, entry: Entry | None) -> Self | None:
        """A result as it is shown."""
        if entry is None:
            return None
        return cls(value=entry.value, points=entry.points, standing=entry.standing)


class GainBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a pupil gained in a subject.

    Attributes:
        start: The result at the earlier point.
        end: The result at the later point.
        gain: Points gained; null, where the two cannot be compared.
        expected_gain: What was expected.
        verdict: How the two compare; null, unless there are results at both ends.
        reason: Why that is not known.
    """

    start: EntryBody | None
    end: EntryBody | None
    gain: int | None
    expected_gain: int | None
    verdict: Verdict | None
    reason: Reason | None

    @classmethod
    def of(cls, gain: Gain) -> Self:
        """A gain as it is shown."""
        return cls(
            start=EntryBody.of(gain.start),
            end=EntryBody.of(gain.end),
            gain=gain.points,
            expected_gain=gain.expected,
            verdict=gain.verdict,
            reason=gain.reason,
        )


class PupilProgress(Called, frozen=True, kw_only=True):
    """The progress of a pupil.

    Attributes:
        groups: The value in each group at the later point; null for what the reader may not know.
        subjects: What was gained, by subject; nothing in those without a result at either end.
    """

    groups: dict[Group, str | None]
    subjects: dict[str, GainBody]


class FiguresBody(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of some pupils in a subject.

    Attributes:
        pupils: How many they are.
        matched: Those with results at both ends; all other figures are of them alone.
        only_start: Those with a result at the earlier point only.
        only_end: Those with a result at the later point only.
        neither: Those with none.
        measured: The matched pupils whose results count points: what means are of.
        mean_start: Mean points at the start; null of nobody.
        mean_end: Mean points at the end.
        mean_gain: Mean points gained.
        verdicts: How many made the progress that was expected.
        start_standings: How they stood at the start.
        end_standings: How they stood at the end.
    """

    pupils: int
    matched: int
    only_start: int
    only_end: int
    neither: int
    measured: int
    mean_start: float | None
    mean_end: float | None
    mean_gain: float | None
    verdicts: Verdicts
    start_standings: Standings
    end_standings: Standings

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """Figures as they are shown."""
        return cls(**{field: getattr(figures, field) for field in cls.__struct_fields__})


class GroupBody(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a group, and its figures by subject."""

    value: str
    subjects: dict[str, FiguresBody]


class CourseBody(msgspec.Struct, frozen=True, kw_only=True):
    """How the matched pupils stood at a point.

    Attributes:
        point: The point.
        pupils: Those of them who have a result there.
        mean_points: The mean of their points.
        expected: The means of the lowest and the highest points at which they were where they were expected
            to be.
        standings: How they stood.
    """

    point: PointBody
    pupils: int
    mean_points: float | None
    expected: tuple[float, float] | None
    standings: Standings

    @classmethod
    def of(cls, found: CoursePoint) -> Self:
        """A point as it is shown."""
        return cls(
            point=PointBody.of(found.at),
            pupils=found.pupils,
            mean_points=found.mean_points,
            expected=found.expected,
            standings=found.standings,
        )


class AskedBody(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked.

    Attributes:
        start: The earlier point.
        end: The later point.
        scheme: The scheme of the results at the start.
        end_scheme: The scheme of the results at the end.
        scale: The scale of points, where both count on one.
        comparable: Whether anything can be said of gains.
        class_name: The class, if one was asked about.
        nc_year: The NC year, if one was asked about.
    """

    start: PointBody
    end: PointBody
    scheme: str
    end_scheme: str
    scale: str | None
    comparable: bool
    class_name: str | None
    nc_year: str | None

    @classmethod
    def of(cls, question: Question, class_name: str | None, nc_year: str | None) -> Self:
        """A question as it is shown."""
        return cls(
            start=PointBody.of(question.start),
            end=PointBody.of(question.end),
            scheme=question.scheme,
            end_scheme=question.end_scheme,
            scale=question.scale,
            comparable=question.comparable,
            class_name=class_name,
            nc_year=nc_year,
        )


class ProgressAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of some pupils.

    Attributes:
        asked: What was asked.
        expected_gain: The points that everybody was expected to gain; null, where nothing was.
        subjects: The subjects that there are results in.
        whole: The figures of all, by subject.
        groups: Those of the parts of each group; null for a group that the reader may not know.
        course: Point by point, by subject, always of the matched pupils.
        pupils: Pupil by pupil, by name where the reader may see names.
        position: It shows everything up to this position of the school's stream.
    """

    asked: AskedBody
    expected_gain: int | None
    subjects: list[str]
    whole: dict[str, FiguresBody]
    groups: dict[Group, list[GroupBody] | None]
    course: dict[str, list[CourseBody]]
    pupils: list[PupilProgress]
    position: int


def pupils_of(caller: Caller, cohort: Cohort, report: Report) -> list[PupilProgress]:
    """Pupil by pupil, by name where the caller may see names."""
    values = {member.pupil_id: member.values for member in cohort.members}
    return [
        PupilProgress(
            pupil_id=called.pupil_id,
            alias=called.alias,
            surname=called.surname,
            forename=called.forename,
            groups=values[called.pupil_id],
            subjects={subject: GainBody.of(gain) for subject, gain in report.pupils[called.pupil_id].items()},
        )
        for called in in_order_of_names(caller, cohort.views)
    ]


def groups_of(report: Report) -> dict[Group, list[GroupBody] | None]:
    """The figures of groups as they are shown."""
    return {
        group: None
        if parts is None
        else [
            GroupBody(
                value=part.value,
                subjects={subject: FiguresBody.of(each) for subject, each in part.subjects.items()},
            )
            for part in parts
        ]
        for group, parts in report.groups.items()
    }


class MatricesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Transition matrices: how many pupils went from each value, or standing, to each other."""

    asked: AskedBody
    by: By
    matrices: list[Matrix]
    position: int


class OnTrackBody(msgspec.Struct, frozen=True, kw_only=True):
    """How some pupils stand in a subject.

    Attributes:
        pupils: How many they are.
        without: Those without a result.
        standings: How those with one stand.
        known: Those whose standing is known: what shares are of.
        share_below: The share of those below what is expected, from 0 to 1; null of nobody.
        share_at: The share of those at it.
        share_above: The share of those above it.
    """

    pupils: int
    without: int
    standings: Standings
    known: int
    share_below: float | None
    share_at: float | None
    share_above: float | None

    @classmethod
    def of(cls, found: OnTrack) -> Self:
        """A count as it is shown, with its shares."""
        counted = found.standings
        below, at, above = (
            round(number / counted.known, 4) if counted.known else None
            for number in (counted.below, counted.at, counted.above)
        )
        return cls(
            pupils=found.pupils,
            without=found.without,
            standings=counted,
            known=counted.known,
            share_below=below,
            share_at=at,
            share_above=above,
        )


class OnTrackGroupBody(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a group, and how it stands in each subject."""

    value: str
    subjects: dict[str, OnTrackBody]


class OnTrackAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The on-track table of a point.

    Attributes:
        point: The point.
        scheme: The scheme.
        class_name: The class, if one was asked about.
        nc_year: The NC year, if one was asked about.
        subjects: The subjects that there are results in.
        whole: All, by subject.
        groups: The parts of each group; null for a group that the reader may not know.
        position: It shows everything up to this position of the school's stream.
    """

    point: PointBody
    scheme: str
    class_name: str | None
    nc_year: str | None
    subjects: list[str]
    whole: dict[str, OnTrackBody]
    groups: dict[Group, list[OnTrackGroupBody] | None]
    position: int


def on_track_groups(table: OnTrackTable) -> dict[Group, list[OnTrackGroupBody] | None]:
    """The groups of an on-track table as they are shown."""
    return {
        group: None
        if parts is None
        else [
            OnTrackGroupBody(
                value=part.value,
                subjects={subject: OnTrackBody.of(each) for subject, each in part.subjects.items()},
            )
            for part in parts
        ]
        for group, parts in table.groups.items()
    }


class TrackPoint(EntryBody, frozen=True, kw_only=True):
    """A result on a pupil's track.

    Attributes:
        point: The point that it speaks of.
        nc_year: The NC year that the child was in.
        expected: The lowest and the highest points at which the child was where it was expected to be.
    """

    point: PointBody
    nc_year: str | None
    expected: tuple[int, int] | None


class TrackTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A target of a pupil.

    Attributes:
        point: The point at which it is to be reached.
        value: As the scheme writes it.
        points: On the scale of points; null for a value that counts none.
    """

    point: PointBody
    value: str
    points: int | None


class TrackAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil's track on a scheme: every result over the years, by subject, the earliest first.

    Attributes:
        pupil: The pupil.
        scheme: The scheme.
        scale: The scale of points.
        subjects: The results, by subject.
        targets: What is to be reached, by subject, the earliest first; also in subjects without a result.
        position: It shows everything up to this position of the school's stream.
    """

    pupil: Called
    scheme: str
    scale: str | None
    subjects: dict[str, list[TrackPoint]]
    targets: dict[str, list[TrackTarget]]
    position: int


def track_points(track: Track) -> dict[str, list[TrackPoint]]:
    """A track as it is shown."""
    return {
        subject: [
            TrackPoint(
                point=PointBody.of(entry.at),
                nc_year=entry.nc_year,
                value=entry.value,
                points=entry.points,
                standing=entry.standing,
                expected=entry.expected,
            )
            for entry in entries
        ]
        for subject, entries in track.items()
    }


def track_targets(track: Track) -> dict[str, list[TrackTarget]]:
    """A pupil's targets as they are shown."""
    return {
        subject: [
            TrackTarget(point=PointBody.of(entry.at), value=entry.value, points=entry.points)
            for entry in entries
        ]
        for subject, entries in track.items()
    }
