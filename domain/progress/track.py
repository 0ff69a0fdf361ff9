"""A pupil's track: every result on a scheme over the years, beside what was expected."""

from __future__ import annotations

from domain.progress.entries import Courses, Entry
from domain.progress.question import place_in_time

Track = dict[str, list[Entry]]
"""The results by subject, in the order of time."""


def track(courses: Courses) -> Track:
    """A pupil's results as a track.

    Args:
        courses: The current results on one scheme, by subject and time.
    """
    return {
        subject: sorted(
            courses[subject].values(), key=lambda entry: (place_in_time(entry.at), entry.at.term or "")
        )
        for subject in sorted(courses)
    }
