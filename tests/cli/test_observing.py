"""Observations through the command: written, illustrated, shown, changed, withdrawn."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domain.school_time import today
from tests.cli.conftest import Run, admit
from tests.photographs import FORMS, beside_the_pixels, jpeg, planted_in, same_colours, scene, written


def added(run: Run, pupil: str, *words: object) -> tuple[str, list[str]]:
    """Adds an observation; its id, and those of its photographs."""
    first, *others = run("observations", "add", pupil, *words).out.splitlines()
    return first.split()[-1].rstrip("."), [line.split()[-1].rstrip(".") for line in others]


@pytest.fixture
def pupil(run: Run, head: str) -> str:
    return admit(run, "Adams", "Zoë")


def test_an_observation_with_photographs_of_every_kind(run: Run, pupil: str, tmp_path: Path) -> None:
    files = []
    for form, make in FORMS.items():
        files.append(tmp_path / f"IMG_0001.{form}")  # the name does not count
        files[-1].write_bytes(make(6))
    words = [word for file in files for word in ("--photograph", file)]
    observation, photographs = added(
        run, pupil, "--text", "Shared twelve conkers.", "--on", "04/03/2025", "--subject", "mat", *words
    )
    assert len(photographs) == len(FORMS)
    shown = run("observations", "show", pupil, observation).out
    assert "Shared twelve conkers." in shown
    assert "04 Mar 2025" in shown
    assert shown.count("96 x 64") == len(FORMS)
    listed = run("observations", "list", pupil).out.splitlines()
    assert listed[1].split() == [observation, "04", "Mar", "2025", "MAT", "4", "Shared", "twelve", "conkers."]
    for photograph in photographs:
        for more, name in (((), "large"), (("--thumbnail",), "small")):
            out = tmp_path / f"{photograph}-{name}"
            said = run("observations", "photo", pupil, observation, photograph, "--out", out, *more).out
            assert said.startswith(f"Written: {out}")
            assert stat.S_IMODE(out.stat().st_mode) == 0o600
            content = out.read_bytes()
            assert same_colours(content)
            assert planted_in(content) | beside_the_pixels(content) == set()
    again = run("observations", "photo", pupil, observation, photographs[0], "--out", out, expect=2)
    assert "is there already" in again.error


def test_text_comes_from_a_file_too_and_keeps_its_lines(run: Run, pupil: str, tmp_path: Path) -> None:
    file = tmp_path / "seen.txt"
    file.write_text("Shared the conkers.\n\nThen Zoë counted them.\n", encoding="utf-8")
    observation, _ = added(run, pupil, "--text-file", file)
    shown = run("observations", "show", pupil, observation, "--json").json["observation"]
    assert shown["text"] == "Shared the conkers.\n\nThen Zoë counted them."
    assert (shown["subject"], shown["observed_on"]) == (None, today().isoformat())
    assert (
        "Shared the conkers.\n\nThen Zoë counted them.\n"
        in run("observations", "show", pupil, observation).out
    )
    given = run("observations", "add", pupil, "--text-file", "-", given="Counted them again.")
    assert given.out.startswith("Kept: observation ")
    assert len(run("observations", "list", pupil, "--json").json["observations"]) == 2


def test_what_cannot_be_kept_is_said(run: Run, pupil: str, tmp_path: Path) -> None:
    refused = run("observations", "add", pupil, "--text", "Lives at 12 Elm Road now", expect=1)
    assert "12 Elm Road" in refused.error
    assert "Say what you saw" in run("observations", "add", pupil, expect=2).error
    for name, content, found in (
        ("text.jpg", b"conkers", "text"),
        ("moving.jpg", written(scene().convert("P"), "GIF"), "a GIF"),
        ("large.jpg", jpeg().ljust(10_000_001, b"\0"), "10000001 bytes"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        said = run("observations", "add", pupil, "--text", "Shared", "--photograph", file, expect=2).error
        assert found in said
        assert "JPEG, PNG, WebP or HEIC" in said
    missing = run("observations", "add", pupil, "--text", "Shared", "--photograph", tmp_path / "no", expect=2)
    assert "cannot be read" in missing.error
    assert run("observations", "list", pupil).out == "No observations.\n", "nothing was sent"


def test_a_photograph_that_does_not_decode_leaves_the_words(run: Run, pupil: str, tmp_path: Path) -> None:
    file = tmp_path / "cut.jpg"
    file.write_bytes(jpeg()[:-400])
    whole, last = tmp_path / "whole.jpg", tmp_path / "last.jpg"
    whole.write_bytes(jpeg())
    last.write_bytes(jpeg())
    three = [word for each in (whole, file, last) for word in ("--photograph", each)]
    refused = run("observations", "add", pupil, "--text", "Shared", *three, expect=1)
    kept, attached, left, *_ = refused.out.splitlines()
    assert kept.startswith("Kept: observation ")
    assert attached.startswith("Attached: photograph ")
    assert "a JPEG that does not decode" in refused.error
    assert f"\n{file} " in refused.error, "it says which of them"
    observation = kept.split()[-1].rstrip(".")
    again = f"When that is mended: target-tracker observations attach {pupil} {observation} FILE..."
    assert left == f"Not attached: {file}, {last}. {again}"
    file.write_bytes(jpeg())
    assert run("observations", "attach", pupil, observation, file, last).out.count("Attached: ") == 2


def test_it_is_changed_and_withdrawn(run: Run, pupil: str, tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(jpeg())
    words = ("--text", "Shared twelve.", "--on", "2025-03-04", "--subject", "MAT")
    observation, [photograph] = added(run, pupil, *words, "--photograph", file)
    assert run("observations", "change", pupil, observation, "--text", "Shared thirteen.").out == (
        "Changed: version 3.\n"
    )
    shown = run("observations", "show", pupil, observation, "--json").json["observation"]
    assert (shown["text"], shown["observed_on"], shown["subject"]) == (
        "Shared thirteen.",
        "2025-03-04",
        "MAT",
    )
    run("observations", "change", pupil, observation, "--subject", "", "--on", "05/03/2025")
    shown = run("observations", "show", pupil, observation, "--json").json["observation"]
    assert (shown["observed_on"], shown["subject"]) == ("2025-03-05", None)
    assert "Say what to change" in run("observations", "change", pupil, observation, expect=2).error
    run("observations", "withdraw", pupil, observation, "--photograph", photograph)
    run("observations", "photo", pupil, observation, photograph, "--out", tmp_path / "gone", expect=1)
    assert not (tmp_path / "gone").exists()
    run("observations", "withdraw", pupil, observation, "--reason", "about another child")
    run("observations", "show", pupil, observation, expect=1)
    assert run("observations", "list", pupil).out == "No observations.\n"
    told = run("pupils", "history", pupil, "--json").json["entries"]
    assert [entry["event"] for entry in told] == [
        "pupil.admitted",
        "observation.made",
        "observation.photograph-added",
        "observation.changed",
        "observation.changed",
        "observation.photograph-withdrawn",
        "observation.withdrawn",
    ]
    assert run("pupils", "history", pupil).out.count("observation") >= 6


def test_an_erasure_says_how_much_of_observations_it_destroys(run: Run, pupil: str) -> None:
    observation, _ = added(run, pupil, "--text", "Shared twelve.")
    said = run("pupils", "erase", pupil, "--reason", "request", "--confirm", "ERASE").out
    assert "1 of observations" in said
    assert "erased" in run("observations", "show", pupil, observation, expect=1).error
