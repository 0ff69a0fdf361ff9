"""The pages of the documentation, and what they say that can be checked."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer

from scripts.cli.main import app

ROOT = Path(__file__).parent.parent

_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?<![/\w.-])target-tracker(?=\s)([^\n|>;()`]*)")


def pages() -> list[Path]:
    """Every page, in the repository's folder and below it."""
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)
    )


def code_of(text: str) -> Iterator[str]:
    """The code in a page: its blocks, whether fenced or indented, and the spans in its prose."""
    fenced = False
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()
        else:
            yield from _CODE_SPAN.findall(line)


def wrong_commands(text: str) -> list[str]:
    """What a page says of the `target-tracker` command that is not so."""
    return [
        problem
        for code in code_of(text)
        for found in _COMMAND.findall(code)
        if (problem := wrong_with_command(found))
    ]


@cache
def _whole_command() -> Any:
    return typer.main.get_command(app)


def wrong_with_command(arguments: str) -> str | None:
    """Why there is no such subcommand, or no such option of it; nothing, if there is."""
    words = iter(shlex.split(arguments, comments=True))
    command = _whole_command()
    for word in words:
        if word.startswith("-"):
            name = word.partition("=")[0]
            options = {each: option for option in command.params for each in getattr(option, "opts", ())}
            if name in {"--help", "-h"}:
                continue
            if name not in options:
                return f"target-tracker {arguments.strip()}: there is no option {name}"
            if not options[name].is_flag and "=" not in word:
                next(words, None)
        elif hasattr(command, "commands") and not word.isupper():
            if word not in command.commands:
                return f"target-tracker {arguments.strip()}: there is no command {word}"
            command = command.commands[word]
    return None


def broken_links(page: Path, text: str) -> list[str]:
    """The links of a page to files or headings that are not there."""
    return [
        target
        for target in _LINK.findall(text)
        if not re.match(r"[a-z]+:", target) and not _leads_somewhere(page, target)
    ]


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not (file.exists() and file.is_relative_to(ROOT)):
        return False
    return not anchor or anchor in anchors_of(file.read_text(encoding="utf-8"))


def anchors_of(text: str) -> set[str]:
    """The names by which links reach the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables_of(text: str) -> Iterator[dict[str, str]]:
    """The rows of every table of a page, by column."""
    heading: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not heading:
            heading = cells
        elif not re.fullmatch(r"[\s|:-]+", line):
            yield dict(zip(heading, cells, strict=False))


def code_spans(text: str) -> list[str]:
    """The code spans of a piece of prose."""
    return _CODE_SPAN.findall(text)


@cache
def names_of_tests(file: Path) -> frozenset[str]:
    """The names under which pytest finds the tests of a file: `test_a`, `TestB::test_c`."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {
            prefix + each.name
            for each in inside
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_")
        }
    return frozenset(found)
