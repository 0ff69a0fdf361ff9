"""Notes and concerns about a pupil."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import Json, PupilId, read_day, read_id
from scripts.cli.output import day, say, show_fields, show_json

notes = typer.Typer(no_args_is_help=True, help="Write notes about a pupil.")
concerns = typer.Typer(no_args_is_help=True, help="Open and close concerns about a pupil.")

Words = Annotated[
    Path | None,
    typer.Option("--text-file", metavar="FILE", help="Read the text from a file; - for standard input."),
]
Text = Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The text.")]
NoteId = Annotated[str, typer.Argument(parser=read_id, metavar="NOTE", help="The note's id.")]
ConcernId = Annotated[str, typer.Argument(parser=read_id, metavar="CONCERN", help="The concern's id.")]
On = Annotated[
    str | None, typer.Option(parser=read_day, metavar="DATE", help="The day; today, if not given.")
]


@notes.command("list")
def list_notes(context: typer.Context, pupil_id: PupilId, as_json: Json = False) -> None:
    """List the notes about a pupil."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}/notes")
    if as_json:
        show_json(reply.content)
        return
    for note in reply.body["notes"]:
        show_fields([("Note id", note["note_id"])], title=day(note["written_on"]))
        _say_words(note["text"])
    _say_number(len(reply.body["notes"]), "note")


@notes.command("write")
def write_note(
    context: typer.Context, pupil_id: PupilId, text: Text = None, file: Words = None, on: On = None
) -> None:
    """Write a note about a pupil."""
    words = _words(text, file)
    with signed_in(context) as client:
        kept = client.command("POST", f"/v1/pupils/{pupil_id}/notes", {"text": words, "written_on": on}).body
    say(f"Written: note {kept['note_id']}.")


@notes.command("change")
def change_note(
    context: typer.Context, pupil_id: PupilId, note_id: NoteId, text: Text = None, file: Words = None
) -> None:
    """Change what a note says; what it said stays in the history."""
    words = _words(text, file)
    with signed_in(context) as client:
        client.command("PUT", f"/v1/pupils/{pupil_id}/notes/{note_id}", {"text": words})
    say("Changed.")


@notes.command("remove")
def remove_note(context: typer.Context, pupil_id: PupilId, note_id: NoteId) -> None:
    """Take a note away; what it said stays in the history until the child is erased."""
    with signed_in(context) as client:
        client.command("POST", f"/v1/pupils/{pupil_id}/notes/{note_id}/remove")
    say("Removed.")


@concerns.command("list")
def list_concerns(context: typer.Context, pupil_id: PupilId, as_json: Json = False) -> None:
    """List the concerns about a pupil, the closed ones too."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}/concerns")
    if as_json:
        show_json(reply.content)
        return
    for concern in reply.body["concerns"]:
        until = f" to {day(concern['closed_on'])}" if concern["closed_on"] else ", active"
        show_fields([("Concern id", concern["concern_id"])], title=f"{day(concern['opened_on'])}{until}")
        _say_words(concern["text"])
        if concern["outcome"]:
            _say_words(f"Outcome: {concern['outcome']}")
    _say_number(reply.body["active"], "active concern")


@concerns.command("open")
def open_concern(
    context: typer.Context, pupil_id: PupilId, text: Text = None, file: Words = None, on: On = None
) -> None:
    """Open a concern about a pupil."""
    sent = {"text": _words(text, file), "opened_on": on}
    with signed_in(context) as client:
        kept = client.command("POST", f"/v1/pupils/{pupil_id}/concerns", sent).body
    say(f"Opened: concern {kept['concern_id']}; {_number(kept['active'], 'active concern')}.")


@concerns.command("close")
def close_concern(
    context: typer.Context,
    pupil_id: PupilId,
    concern_id: ConcernId,
    outcome: Annotated[str | None, typer.Option(help="What came of it.")] = None,
    on: On = None,
) -> None:
    """Close a concern."""
    sent: dict[str, Any] = {"closed_on": on, "outcome": outcome}
    with signed_in(context) as client:
        kept = client.command("POST", f"/v1/pupils/{pupil_id}/concerns/{concern_id}/close", sent).body
    say(f"Closed; {_number(kept['active'], 'active concern')}.")


def _words(text: str | None, file: Path | None) -> str:
    """The text, from the command line or from a file.

    Raises:
        Misused: There is none, or it stands in both places, or the file cannot be read.
    """
    if (text is None) == (file is None):
        raise Misused("Say the text on the command line, or name a file with --text-file")
    if file is None:
        return text or ""
    try:
        return sys.stdin.read() if file == Path("-") else file.read_text(encoding="utf-8")
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Misused(f"{file} is not text in UTF-8") from None


def _say_words(words: str | None) -> None:
    for line in (words or "(not shown to your access level)").splitlines():
        say(f"  {line}")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _say_number(count: int, what: str) -> None:
    say(f"{_number(count, what)}.")
