"""What a release of two points gives away together, to whoever supposes that the pupils are the same."""

from __future__ import annotations

from math import inf

from projections.disclosure import Group, Measure
from tests.disclosure.attacker import PROMISED, STANDINGS, Judge, Knowledge, Leak, Release
from tests.disclosure.solving import System, Term


def attack_points(before: Release, now: Release) -> list[Leak]:
    """What means at two points and the progress in between give away of a suppressed mean.

    The attacker supposes that whoever has a result at one point has one at the other, and is in the same
    groups: then the points of now are those of then and what was gained.

    Args:
        before: What is told of the point before.
        now: What is told of the point, progress included.
    """
    system = System()
    old, new = Knowledge(system, before), Knowledge(system, now)
    both = [group for group in now.rows if group in before.rows]
    half = 0.5 * 10**-now.rules.mean_decimals
    for group in both:
        pupils = new.count(group, "pupils")
        gone = [(variable, -weight) for variable, weight in old.count(group, "pupils")]
        system.add([*pupils, *gone], 0, 0)
        progress = now.rows[group].progress.value
        if progress is None:
            continue
        gained = [*new.points(group), *((variable, -weight) for variable, weight in old.points(group))]
        for rate, bounds in ((float(progress) - half, (0.0, inf)), (float(progress) + half, (-inf, 0.0))):
            system.add([*gained, *((variable, -rate) for variable, _ in pupils)], *bounds)
    solver = system.prepare(whole=False)
    if not solver.feasible():
        return []  # They are not the same.
    narrow = Judge(PROMISED).narrow
    leaks = []

    def ask(point: str, group: Group, knowledge: Knowledge, release: Release) -> None:
        row, name = release.rows[group], f"{point}: {'/'.join(group)}"
        hidden: list[tuple[str, Measure, list[Term]]] = [
            ("suppressed", each, knowledge.count(group, each)) for each in STANDINGS
        ]
        for kind, measure, terms in (*hidden, ("points", "mean_points", knowledge.points(group))):
            if row.figure(measure).symbol == "c" and (found := solver.interval(terms, narrow)):
                leaks.append(Leak(kind, f"{name}: {measure}", *found))

    for group in both:
        ask("before", group, old, before)
        ask("now", group, new, now)
    return leaks
