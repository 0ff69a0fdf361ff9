"""What the documentation names exists: settings, commands, links, routes, events."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.app import RESOURCES
from domain.events import REGISTRY
from tests.documents import ROOT, anchors_of, broken_links, code_spans, pages, wrong_commands

CODE = ("domain", "projections", "api", "scripts", "docker")

_SETTING = re.compile(r"TARGET_TRACKER_[A-Z_]*[A-Z]")
_MADE_FROM_PREFIX = re.compile(r"\{PREFIX\}([A-Z_]*[A-Z])")
_ROUTE = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /v1/[^\s`?]+")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


every_page = pytest.mark.parametrize("page", pages(), ids=named)


def settings_in_code() -> set[str]:
    found: set[str] = set()
    for folder in CODE:
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and file.suffix in {"", ".py", ".sh", ".yaml"}:
                text = file.read_text(encoding="utf-8")
                found |= set(_SETTING.findall(text))
                found |= {f"TARGET_TRACKER_{name}" for name in _MADE_FROM_PREFIX.findall(text)}
    return found


def settings_in_table(text: str) -> set[str]:
    return set(re.findall(r"^\| `(TARGET_TRACKER_[A-Z_]+)` \|", text, re.MULTILINE))


def test_every_setting_is_described_and_no_other() -> None:
    assert settings_in_table(read("docs/operating.md")) == settings_in_code()


@every_page
def test_no_page_names_a_setting_that_there_is_not(page: Path) -> None:
    assert set(_SETTING.findall(page.read_text(encoding="utf-8"))) <= settings_in_code()


def test_a_setting_that_is_not_described_would_be_noticed() -> None:
    text = read("docs/operating.md").replace("| `TARGET_TRACKER_REGION` |", "| `TARGET_TRACKER_REALM` |")
    assert settings_in_table(text) ^ settings_in_code() == {"TARGET_TRACKER_REGION", "TARGET_TRACKER_REALM"}


@every_page
def test_every_command_exists(page: Path) -> None:
    assert wrong_commands(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("    target-tracker pupils dance", "there is no command dance"),
        ("Say `target-tracker dance`.", "there is no command dance"),
        ("```\ntarget-tracker --ca FILE pupils list --colour red\n```", "there is no option --colour"),
        ("    target-tracker benchmarks --year 2025/26 \\\n      --volume 11", "there is no option --volume"),
        ("    target-tracker --verbose pupils list", "there is no option --verbose"),
    ],
)
def test_a_command_that_there_is_not_would_be_noticed(text: str, problem: str) -> None:
    [found] = wrong_commands(text)
    assert problem in found


def test_commands_that_there_are_pass() -> None:
    assert not wrong_commands(
        "    target-tracker --server https://127.0.0.1:8443 pupils search 'ma ben' --nc-year 6 | head\n"
        "Files in /etc/target-tracker are read; `target-tracker COMMAND --help` helps.\n"
        "    target-tracker benchmarks --year 2025/26 # the last\n"
    )


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


def test_a_broken_link_would_be_noticed() -> None:
    page = ROOT / "docs" / "operating.md"
    text = "[a](nowhere.md) [b](schools.md) [c](#settings) [d](#nothing) [e](../../elsewhere) [f](https://a.example)"
    assert broken_links(page, text) == ["nowhere.md", "#nothing", "../../elsewhere"]


def test_anchors_are_made_as_readers_of_markdown_make_them() -> None:
    assert anchors_of("# What is promised, and what not\n\n## The `API`\n") == {
        "what-is-promised-and-what-not",
        "the-api",
    }


def routes() -> set[str]:
    return {
        f"{method} {route.path}"
        for resource in RESOURCES
        for route in resource.routes.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def described_routes(text: str) -> set[str]:
    return {span for span in code_spans(text) if _ROUTE.fullmatch(span)}


def test_every_route_is_described_and_no_other() -> None:
    assert len(routes()) > 20
    assert described_routes(read("docs/api.md")) == routes()


def test_a_route_that_is_not_described_would_be_noticed() -> None:
    text = read("docs/api.md").replace("`GET /v1/logins`", "`GET /v1/logouts`")
    assert described_routes(text) ^ routes() == {"GET /v1/logins", "GET /v1/logouts"}


def test_every_event_is_named() -> None:
    spans = set(code_spans(read("docs/how-it-works.md")))
    assert REGISTRY.classes.keys() <= spans, "docs/how-it-works.md has a table of the events"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\((\d{4}-[a-z-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {file.name for file in folder.glob("0*.md")}
