"""Observations of a child: words and photographs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.files.photographs import EXTENSIONS, check_file
from domain.school_time import today
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused, Refused
from scripts.cli.options import Json, PupilId, read_day, read_id
from scripts.cli.output import clean, day, say, show_fields, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="Write down what you see a child do, with photographs.")

PAGE = 500
"""The most observations that the API lists at once."""

SHOWN = 60
"""So many characters of a text stand in a list."""

ObservationId = Annotated[
    str, typer.Argument(parser=read_id, metavar="OBSERVATION", help="The observation's id.")
]
PhotographId = Annotated[
    str, typer.Argument(parser=read_id, metavar="PHOTOGRAPH", help="The photograph's id.")
]
Words = Annotated[
    str | None, typer.Option("--text", metavar="TEXT", help="What you saw: up to 5,000 characters.")
]
WordsFile = Annotated[
    Path | None,
    typer.Option("--text-file", metavar="FILE", help="Read the text from a file; - for standard input."),
]
Subject = Annotated[str | None, typer.Option("--subject", metavar="CODE", help="REA, WRI, MAT, ...")]
Photographs = Annotated[
    list[Path] | None,
    typer.Option("--photograph", metavar="FILE", help="JPEG, PNG, WebP or HEIC; once for each."),
]


def _at(pupil_id: str, *more: str) -> str:
    """The path of a pupil's observations, or of something below it."""
    return "/".join((f"/v1/pupils/{pupil_id}/observations", *more))


@app.command("list")
def list_observations(
    context: typer.Context,
    pupil_id: PupilId,
    as_at: Annotated[
        str | None,
        typer.Option("--as-at", parser=read_day, metavar="DATE", help="As it was at the end of this day."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List a child's observations, those that were made last first."""
    with signed_in(context) as client:
        pages = list(_pages(client, pupil_id, as_at))
    found = [observation for page in pages for observation in page["observations"]]
    if as_json:
        show_json({**pages[-1], "observations": found})
        return
    if not found:
        say("No observations.")
        return
    show_table(
        ["Observation id", "Seen on", "Subject", "Photos", "Text"],
        [
            [
                each["observation_id"],
                day(each["observed_on"]),
                each["subject"],
                len(each["photographs"]) or None,
                _beginning(each["text"]),
            ]
            for each in found
        ],
        whole=("Observation id",),
        right=("Photos",),
    )


def _pages(client: Client, pupil_id: str, as_at: str | None) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = client.query(_at(pupil_id), limit=PAGE, after=after, as_at=as_at).body
        yield page
        if (after := page["next"]) is None:
            return


def _beginning(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"


@app.command()
def show(
    context: typer.Context, pupil_id: PupilId, observation_id: ObservationId, as_json: Json = False
) -> None:
    """Show an observation whole, and what photographs it has."""
    with signed_in(context) as client:
        reply = client.query(_at(pupil_id, observation_id))
    if as_json:
        show_json(reply.content)
        return
    observation = reply.body["observation"]
    show_fields(
        [
            ("Observation id", observation["observation_id"]),
            ("Version", observation["version"]),
            ("Seen on", day(observation["observed_on"])),
            ("Subject", observation["subject"]),
        ]
    )
    for line in observation["text"].splitlines():
        say(clean(line) if line else "")
    if observation["photographs"]:
        show_table(
            ["Photograph id", "Kind", "Size"],
            [
                [
                    each["photograph_id"],
                    EXTENSIONS.get(each["media_type"]),
                    f"{each['width']} x {each['height']}",
                ]
                for each in observation["photographs"]
            ],
            whole=("Photograph id",),
        )


@app.command()
def add(
    context: typer.Context,
    pupil_id: PupilId,
    text: Words = None,
    text_file: WordsFile = None,
    on: Annotated[
        str | None, typer.Option("--on", parser=read_day, metavar="DATE", help="Today, if not given.")
    ] = None,
    subject: Subject = None,
    photograph: Photographs = None,
) -> None:
    """Write down what you saw a child do, and attach photographs.

    Where a photograph was taken, and with what, is not kept: only the picture is.
    """
    body = {"observed_on": on or _today(), "text": _text(text, text_file), "subject": _subject(subject)}
    files = _read(photograph or [])
    with signed_in(context) as client:
        kept = client.command("POST", _at(pupil_id), body).body
        say(f"Kept: observation {kept['observation_id']}.")
        _attach(client, pupil_id, kept["observation_id"], files)


@app.command()
def attach(
    context: typer.Context,
    pupil_id: PupilId,
    observation_id: ObservationId,
    photograph: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JPEG, PNG, WebP or HEIC.")],
) -> None:
    """Attach photographs to an observation that is there."""
    files = _read(photograph)
    with signed_in(context) as client:
        _attach(client, pupil_id, observation_id, files)


@app.command()
def change(
    context: typer.Context,
    pupil_id: PupilId,
    observation_id: ObservationId,
    text: Words = None,
    text_file: WordsFile = None,
    on: Annotated[
        str | None, typer.Option("--on", parser=read_day, metavar="DATE", help="When it was seen.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="CODE", help="REA, WRI, MAT, ...; empty for none.")
    ] = None,
) -> None:
    """Change what an observation says; what is not given stays, and so does the history."""
    if text is None and text_file is None and on is None and subject is None:
        raise Misused("Say what to change: --text, --text-file, --on or --subject")
    with signed_in(context) as client:
        reply = client.query(_at(pupil_id, observation_id))
        before = reply.body["observation"]
        body = {
            "observed_on": on or before["observed_on"],
            "text": before["text"] if text is None and text_file is None else _text(text, text_file),
            "subject": before["subject"] if subject is None else _subject(subject),
        }
        headers = {"If-Match": reply.headers["ETag"]}
        answer = client.command("PUT", _at(pupil_id, observation_id), body, headers=headers).body
    say(f"Changed: version {answer['version']}.")


@app.command()
def withdraw(
    context: typer.Context,
    pupil_id: PupilId,
    observation_id: ObservationId,
    photograph_id: Annotated[
        str | None,
        typer.Option(
            "--photograph",
            parser=read_id,
            metavar="PHOTOGRAPH",
            help="Only this photograph of it, by its id.",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Take an observation out of sight, with its photographs, or one of these alone; the history keeps it."""
    if photograph_id and reason:
        raise Misused("A reason is kept for a whole observation only")
    with signed_in(context) as client:
        if photograph_id:
            client.command("POST", _at(pupil_id, observation_id, "photographs", photograph_id, "withdraw"))
        else:
            client.command("POST", _at(pupil_id, observation_id, "withdraw"), {"reason": reason})
    say("Withdrawn.")


@app.command()
def photo(
    context: typer.Context,
    pupil_id: PupilId,
    observation_id: ObservationId,
    photograph_id: PhotographId,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file to write, that only you can read.")
    ],
    thumbnail: Annotated[bool, typer.Option("--thumbnail", help="The small one.")] = False,
) -> None:
    """Fetch a photograph of an observation."""
    more = ("thumbnail",) if thumbnail else ()
    with signed_in(context) as client:
        reply = client.query(_at(pupil_id, observation_id, "photographs", photograph_id, *more))
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(reply.content)
    except FileExistsError:
        raise Misused(f"{out} is there already: name another file") from None
    except OSError as error:
        raise Misused(f"{out} cannot be written: {error.strerror}") from None
    say(f"Written: {out}, {len(reply.content):,} bytes, {EXTENSIONS.get(reply.headers['Content-Type'])}.")


def _attach(client: Client, pupil_id: str, observation_id: str, files: dict[Path, bytes]) -> None:
    """Attaches the files, one after the other.

    Raises:
        Refused: The service does not take one: it is told which, and how it and the rest are sent again.
    """
    waiting = list(files)
    for file, content in files.items():
        try:
            attached = client.command(
                "POST",
                _at(pupil_id, observation_id, "photographs"),
                content=content,
                headers={"Content-Type": "application/octet-stream"},
            ).body
        except Refused as refused:
            for finding in refused.problem.get("findings") or []:
                if finding.get("field") == "photograph":
                    finding["field"] = str(file)
            again = f"target-tracker observations attach {pupil_id} {observation_id}"
            say(f"Not attached: {', '.join(map(str, waiting))}. When that is mended: {again} FILE...")
            raise
        waiting.remove(file)
        say(f"Attached: photograph {attached['photograph_id']}.")


def _read(files: list[Path]) -> dict[Path, bytes]:
    """The files, which must at least begin as photographs do: before anything is sent."""
    contents = {}
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Misused(f"{file} cannot be read: {error.strerror}") from None
        check_file(content, str(file))
        contents[file] = content
    return contents


def _text(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise Misused("Say what you saw, with --text or with --text-file")
    if text is not None:
        return text
    assert file is not None
    try:
        return sys.stdin.read() if file == Path("-") else file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Misused(f"{file} is not text in UTF-8") from None


def _subject(code: str | None) -> str | None:
    return (code or "").strip().upper() or None


def _today() -> str:
    return today().isoformat()
