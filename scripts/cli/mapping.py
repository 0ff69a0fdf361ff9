"""Mappings of CSV files that are not Target Tracker's own: guessed, written down, and sent with a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from domain.errors import Finding
from scripts.cli.client import Client
from scripts.cli.failures import Misused
from scripts.cli.output import clean, say, show_findings, show_json, show_table

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "|"}


def offer_mapping(client: Client, content: bytes, output: Path | None, *, as_json: bool) -> None:
    """Shows the mapping that the service guesses, or writes it to a file, and says what to look at.

    Args:
        client: Who asks.
        content: The CSV file.
        output: Where the mapping goes; onto standard output, if nothing is given.
        as_json: Show the service's answer as it is.

    Raises:
        Misused: The file is there already, or cannot be written.
    """
    headers = {"Content-Type": "application/octet-stream"}
    reply = client.command("POST", "/v1/imports/mapping", content=content, headers=headers)
    if as_json:
        show_json(reply.content)
        return
    guess = reply.body
    written = msgspec.json.format(msgspec.json.encode(guess["mapping"]), indent=2) + b"\n"
    if output is None:
        sys.stdout.write(written.decode())
    else:
        _write(output, written)
        say(f"The mapping is in {output}: look through it, and try it with --mapping {output} --dry-run")
    # Beside a mapping on standard output, what is said goes elsewhere.
    _show(guess, error=output is None)


def mapped(content: bytes, file: Path) -> bytes:
    """What is sent to import a file by the mapping in another.

    Raises:
        Misused: The mapping cannot be read, or is not JSON.
    """
    try:
        mapping = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise Misused(
            f'{file} is not a mapping, such as {{"fields": {{"surname": "Legal Surname"}}}}'
        ) from None
    return msgspec.json.encode({"mapping": mapping, "file": content})


def _write(output: Path, written: bytes) -> None:
    try:
        with output.open("xb") as file:
            file.write(written)
    except FileExistsError:
        raise Misused(f"{output} is there already: name another file, or remove it") from None
    except OSError as error:
        raise Misused(f"{output} cannot be written: {error.strerror}") from None


def _show(guess: dict[str, Any], *, error: bool) -> None:
    show_table(
        ["Column", "Fills"],
        [
            [column["heading"], column["field"] or f"nothing: {column['holds']}"]
            for column in guess["columns"]
        ],
        title=(
            f"Headings in row {guess['heading_row']}, between them {DELIMITERS[guess['delimiter']]}, "
            f"in {guess['encoding']}"
        ),
        error=error,
    )
    told = [f"Nothing fills {field}" for field in guess["missing"]]
    if guess["unrecognised"]:
        told.append("Not recognised: " + ", ".join(clean(heading) for heading in guess["unrecognised"]))
    told += [f"Look at this: {clean(remark)}" for remark in guess["remarks"]]
    for line in told:
        if error:
            sys.stderr.write(line + "\n")
        else:
            say(line)
    if guess["unread"]:
        show_findings([msgspec.convert(each, Finding) for each in guess["unread"]], error=error)
