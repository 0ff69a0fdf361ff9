"""The on-track table: how many pupils stand below, at and above what is expected of them at a point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from domain.progress.entries import Results
from domain.progress.figures import Counts, Standings, added, standing_counts, standings
from domain.progress.groups import Group, Member
from domain.progress.question import Question
from domain.progress.report import parts_of, subjects_of


class OnTrack(msgspec.Struct, frozen=True, kw_only=True):
    """How some pupils stand in a subject.

    Attributes:
        pupils: How many they are, with a result or without.
        without: Those without a result.
        standings: How those with one stand.
    """

    pupils: int
    without: int
    standings: Standings

    @property
    def on_track(self) -> int:
        """At what is expected, or above."""
        return self.standings.at + self.standings.above


class GroupOnTrack(msgspec.Struct, frozen=True):
    """A part of a group, and how it stands in each subject."""

    value: str
    subjects: dict[str, OnTrack]


class OnTrackTable(msgspec.Struct, frozen=True, kw_only=True):
    """The on-track table.

    Attributes:
        subjects: The subjects that there are results in.
        whole: All, by subject.
        groups: Every part of the groups asked for; none for a group that whoever asks may not know.
    """

    subjects: list[str]
    whole: dict[str, OnTrack]
    groups: dict[Group, list[GroupOnTrack] | None]


def on_track(
    question: Question,
    members: Sequence[Member],
    results: Results,
    groups: Collection[Group] = tuple(Group),
) -> OnTrackTable:
    """The table of a point; the arguments are those of :func:`domain.progress.report.report`."""
    subjects = subjects_of(question, members, results)
    counts: dict[str, list[Counts]] = {
        subject: [
            standing_counts(results.get(member.pupil_id, {}).get(subject, {}).get(question.end))
            for member in members
        ]
        for subject in subjects
    }
    return OnTrackTable(
        subjects=subjects,
        whole={subject: _of(counts[subject]) for subject in subjects},
        groups={
            group: None
            if parts is None
            else [
                GroupOnTrack(
                    value,
                    {subject: _of(counts[subject][place] for place in places) for subject in subjects},
                )
                for value, places in parts.items()
            ]
            for group in groups
            for parts in [parts_of(members, group)]
        },
    )


def _of(counts: Iterable[Counts]) -> OnTrack:
    counted = list(counts)
    total = added(counted)
    return OnTrack(pupils=len(counted), without=total[4], standings=standings(total[:4]))
