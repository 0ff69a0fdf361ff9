"""Nothing personal stands in an address, a header, an error or a log, whatever all these tests sent.

This comes last, and searches what every other test of the API has sent and got; run by itself, only what it
sends.
"""

from __future__ import annotations

import logging

import httpx
import pytest

from scripts.embedded import EmbeddedPostgres
from tests.api.conftest import PASSWORD, SchoolUnderTest, Served, admit
from tests.api.traffic import Traffic


@pytest.fixture
def sent(traffic: Traffic, served: Served, school: SchoolUnderTest, admin: httpx.Client) -> Traffic:
    """At least something of each kind."""
    pupil_id = admit(admin, surname="Zanzibarcanary", forename="Quokkacanary", postcode="CM99 9ZZ")
    admin.patch(f"/v1/pupils/{pupil_id}", json={"surname": "Ostrichcanary"}, headers={"If-Match": '"7"'})
    admin.post("/v1/pupils/search", json={"name": "Zanzibarcanary"})
    admin.post("/v1/pupils", json={"surname": "Wharfcanary", "sex": "canary"})
    with served.client() as nobody:
        for username, password in (("Lynxcanary", PASSWORD), ("head", "Heroncanary Heroncanary")):
            given = {"login_key": school.login_key, "username": username, "password": password}
            assert nobody.post("/v1/sessions", json=given).status_code == 401
        nobody.post("/v1/sessions", json={"login_key": school.login_key[:-1], "username": "", "password": ""})
    return traffic


def test_nothing_personal_stands_anywhere_but_in_bodies(sent: Traffic, server: EmbeddedPostgres) -> None:
    assert {"Zanzibarcanary", "Wharfcanary", "Lynxcanary", "CM99 9ZZ", PASSWORD} <= sent.words
    assert all(sent.seen.values())
    assert sent.found() == []
    log = (server.home / "server.log").read_text(errors="replace")
    assert not [word for word in sent.words if len(word) >= 8 and word in log]


@pytest.mark.parametrize("place", ["address", "header", "error", "log"])
def test_it_would_be_seen(sent: Traffic, place: str) -> None:
    """The sabotaged twin: a service that says one name too many, in each of these places."""
    careless = Traffic()
    careless.words = sent.words
    careless.seen = {name: list(lines) for name, lines in sent.seen.items()}
    if place == "log":
        careless.handle(logging.makeLogRecord({"name": "api", "msg": "admitted Zanzibarcanary"}))
    else:
        request = httpx.Request("GET", f"https://x/v1/pupils{'?name=Zanzibarcanary' * (place == 'address')}")
        headers = {"X-Name": "Zanzibarcanary"} if place == "header" else {}
        body = {"detail": "Zanzibarcanary has left"} if place == "error" else {}
        careless.note(httpx.Response(409, headers=headers, json=body, request=request))
    found = careless.found()
    assert (place, "Zanzibarcanary") in found
    assert {where for where, _ in found} == {place}
