"""Throttling: guessing gets slow, the owner gets in, and nothing readable is kept of either."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.errors import Throttled
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.vault.throttle import OF_AN_ACCOUNT, REMEMBERED, Attempt, Limit, Throttle
from tests.application.examples import at_once
from tests.conftest import TestDatabase

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OFFICE = "192.0.2.7"
ELSEWHERE = "198.51.100.9"
SECOND = timedelta(seconds=1)


def digest(purpose: str, message: bytes) -> bytes:
    return hmac.digest(b"a key of the service", purpose.encode() + b"\0" + message, "sha256")


@pytest.fixture
def throttle(database: Database) -> Throttle:
    return Throttle(database, digest, of_an_address=AN_ADDRESS)


@pytest.fixture
def off(database: Database) -> Throttle:
    """The sabotaged twin of each check."""
    return Throttle(database, digest, enabled=False, of_an_address=AN_ADDRESS)


def tried(
    throttle: Throttle,
    school_id: UUID,
    username: str,
    address: str = OFFICE,
    device: str | None = None,
    *,
    now: datetime = NOON,
) -> Attempt | Throttled:
    """What comes of an attempt: it may be made, or it was refused."""
    try:
        return throttle.attempt(school_id, username, address, device, now=now)
    except Throttled as refused:
        return refused


def is_refused(throttle: Throttle, school_id: UUID, *attempt: str | None, now: datetime = NOON) -> bool:
    """Whether an attempt is refused; what it consists of is as in :func:`tried`."""
    return isinstance(tried(throttle, school_id, *attempt, now=now), Throttled)  # type: ignore[arg-type]


def rows(test_database: TestDatabase) -> list[tuple[Any, ...]]:
    with test_database.connect("postgres") as connection:
        return connection.execute(
            "SELECT failures, last_failed_at, blocked_until, refused FROM vault.attempts ORDER BY failures"
        ).fetchall()


def waits(throttle: Throttle, school_id: UUID, count: int, *, addresses: int, users: int) -> list[int]:
    """The waits between so many attempts of somebody who never waits longer than they must."""
    now, found = NOON, []
    for number in range(count):
        user, address = f"user{number % users}", f"192.0.2.{number % addresses}"
        wait = 0
        if isinstance(refused := tried(throttle, school_id, user, address, now=now), Throttled):
            wait = refused.retry_after
            early = tried(throttle, school_id, user, address, now=now + (wait - 1) * SECOND)
            assert isinstance(early, Throttled)
            now += wait * SECOND
            throttle.attempt(school_id, user, address, None, now=now)
        found.append(wait)
    return found


AN_ADDRESS = Limit(20, timedelta(minutes=1))
"""Fewer than the service has, so that these tests need fewer."""

OF_ACCOUNTS = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
OF_ADDRESSES = [0] * 20 + [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_account_waits_longer_each_time(throttle: Throttle, off: Throttle, school_id: UUID) -> None:
    assert waits(throttle, school_id, 18, addresses=200, users=1) == OF_ACCOUNTS
    assert waits(off, school_id, 18, addresses=200, users=1) != OF_ACCOUNTS


def test_an_address_waits_longer_each_time(throttle: Throttle, off: Throttle, school_id: UUID) -> None:
    assert waits(throttle, school_id, 29, addresses=1, users=200) == OF_ADDRESSES
    assert waits(off, school_id, 29, addresses=1, users=200) != OF_ADDRESSES


def owner_gets_in(throttle: Throttle, school_id: UUID) -> tuple[bool, bool, bool]:
    """After a storm of guesses from the office: who may try, a stranger, or the owner, and that twice."""
    mine = throttle.device_token(school_id, "Owner")
    for second in range(200):
        tried(throttle, school_id, "owner", now=NOON + second * SECOND)
    after = NOON + 200 * SECOND
    return (
        not is_refused(throttle, school_id, "owner", ELSEWHERE, now=after),
        not is_refused(throttle, school_id, "OWNER ", OFFICE, mine, now=after),
        not is_refused(throttle, school_id, "owner", OFFICE, mine, now=after),
    )


def test_the_owner_gets_in_while_a_stranger_guesses(
    throttle: Throttle, off: Throttle, school_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owner_gets_in(throttle, school_id) == (False, True, True)
    assert owner_gets_in(off, new_id()) != (False, True, True)
    monkeypatch.setattr(Throttle, "_own_nonce", lambda *_: b"")
    assert owner_gets_in(throttle, new_id()) == (False, False, False)


def test_a_known_device_is_throttled_by_itself(throttle: Throttle, school_id: UUID) -> None:
    stolen, other = (throttle.device_token(school_id, "owner") for _ in range(2))
    for _ in range(5):
        throttle.attempt(school_id, "owner", OFFICE, stolen, now=NOON)
    assert is_refused(throttle, school_id, "owner", OFFICE, stolen, now=NOON)
    throttle.attempt(school_id, "owner", OFFICE, other, now=NOON)
    throttle.attempt(school_id, "owner", OFFICE, None, now=NOON)


def test_a_token_is_of_one_account_at_one_school(
    throttle: Throttle, database: Database, school_id: UUID
) -> None:
    """Whatever else is shown is nobody's device: it counts for the account."""
    genuine = throttle.device_token(school_id, "owner")
    others = [
        throttle.device_token(school_id, "colleague"),
        throttle.device_token(new_id(), "owner"),
        Throttle(database, lambda *_: b"x" * 32, of_an_address=AN_ADDRESS).device_token(school_id, "owner"),
        genuine[:-1] + ("A" if genuine[-1] != "A" else "B"),
        genuine[:20] + ("A" if genuine[20] != "A" else "B") + genuine[21:],
        genuine.removeprefix("ttd1_"),
        genuine + "AAAA",
        genuine[:-4],
        "",
        "ttd1_",
        "ttd1_é",
        "\x00",
        "x" * 10_000,
    ]
    for _ in range(5):
        throttle.attempt(school_id, "owner", ELSEWHERE, None, now=NOON)
    for other in others:
        assert is_refused(throttle, school_id, "owner", OFFICE, other, now=NOON), other
    throttle.attempt(school_id, "owner", OFFICE, genuine, now=NOON)


def tried_at_once(throttle: Throttle, school_id: UUID, attempts: list[tuple[str, str]]) -> int:
    """How many of the attempts that are made at the same moment may be made."""
    answers = at_once(*(lambda each=each: tried(throttle, school_id, *each) for each in attempts))
    assert {type(answer) for answer in answers} <= {Attempt, Throttled}, answers
    firsts = [answer for answer in answers if isinstance(answer, Throttled) and answer.first]
    assert len(firsts) <= 1, "one of them is worth a record"
    return sum(isinstance(answer, Attempt) for answer in answers)


def test_guessing_in_parallel_gains_nothing(throttle: Throttle, off: Throttle, school_id: UUID) -> None:
    at_one_account = [("owner", f"192.0.2.{number}") for number in range(30)]
    assert tried_at_once(throttle, school_id, at_one_account) == OF_AN_ACCOUNT.free
    assert tried_at_once(off, school_id, at_one_account) == 30
    from_one_address = [(f"user{number}", ELSEWHERE) for number in range(40)]
    assert tried_at_once(throttle, school_id, from_one_address) == AN_ADDRESS.free
    assert tried_at_once(off, school_id, from_one_address) == 40


def test_attempts_that_cross_do_not_wait_for_each_other(throttle: Throttle, school_id: UUID) -> None:
    """Many accounts at many addresses, some of them right: no deadlock, whatever the order of the buckets."""

    def login(number: int) -> None:
        for turn in range(10):
            attempt = throttle.attempt(school_id, f"user{(number + turn) % 3}", f"192.0.2.{number % 4}", None)
            throttle.succeeded(attempt)

    assert at_once(*(lambda number=number: login(number) for number in range(6))) == [None] * 6


def test_a_success_is_not_held_against_anybody(
    throttle: Throttle, test_database: TestDatabase, school_id: UUID
) -> None:
    """Forty colleagues at one address, and each has mistyped four times before."""
    for number in range(40):
        at = NOON + number * timedelta(hours=1)
        for _ in range(4):
            throttle.attempt(school_id, f"user{number}", f"198.51.100.{number}", None, now=at)
        attempt = throttle.attempt(school_id, f"user{number}", OFFICE, None, now=at)
        throttle.succeeded(attempt)
        for _ in range(4):  # It was forgotten: as many slips are free again.
            throttle.attempt(school_id, f"user{number}", f"203.0.113.{number}", None, now=at)
    assert [row for row in rows(test_database) if row[0] > 4] == []
    assert [row[0] for row in rows(test_database)].count(0) == 1, "nothing is left with the office"


def test_a_success_takes_back_no_failure_of_a_neighbour(throttle: Throttle, school_id: UUID) -> None:
    """Somebody who has an account of their own does not reset the address with it."""
    for number in range(25):
        now = NOON + number * timedelta(minutes=4)
        throttle.attempt(school_id, f"user{number}", OFFICE, None, now=now)
        for minutes in (2, 3):
            later = now + timedelta(minutes=minutes)
            throttle.succeeded(throttle.attempt(school_id, "own", OFFICE, None, now=later))
    throttle.attempt(school_id, "victim", OFFICE, None, now=later)  # a right password leaves no wait behind
    refused = tried(throttle, school_id, "another", now=later)
    assert isinstance(refused, Throttled)
    assert refused.retry_after == 60, "as after 26 failures"


def test_only_the_first_refusal_of_a_wait_is_worth_a_record(throttle: Throttle, school_id: UUID) -> None:
    now, firsts = NOON, []
    for _ in range(5):
        throttle.attempt(school_id, "owner", OFFICE, None, now=now)
    for _ in range(3):
        for _ in range(4):
            refused = tried(throttle, school_id, "owner", now=now)
            assert isinstance(refused, Throttled)
            firsts.append(refused.first)
            wait = refused.retry_after
            assert f" {wait} second" in str(refused)
        now += wait * SECOND
        throttle.attempt(school_id, "owner", OFFICE, None, now=now)
    assert firsts == [True, False, False, False] * 3


def test_failures_are_forgotten_after_a_quiet_day(throttle: Throttle, school_id: UUID) -> None:
    for _ in range(5):
        throttle.attempt(school_id, "owner", OFFICE, None, now=NOON)
    almost = NOON + REMEMBERED - SECOND
    throttle.attempt(school_id, "owner", OFFICE, None, now=almost)
    assert is_refused(throttle, school_id, "owner", OFFICE, now=almost + SECOND)
    for _ in range(5):
        throttle.attempt(school_id, "owner", OFFICE, None, now=almost + REMEMBERED)
    assert is_refused(throttle, school_id, "owner", OFFICE, now=almost + REMEMBERED)


def test_old_rows_are_removed_a_few_at_a_time(
    throttle: Throttle, test_database: TestDatabase, school_id: UUID
) -> None:
    for number in range(50):
        throttle.attempt(school_id, f"user{number}", f"192.0.2.{number}", None, now=NOON)
    counts = []
    for day in range(5):
        throttle.attempt(school_id, "owner", OFFICE, None, now=NOON + REMEMBERED + SECOND * (2 + day * 1000))
        counts.append(len(rows(test_database)))
    assert counts == [81, 61, 41, 21, 2]


def test_whoever_is_refused_makes_no_rows(
    throttle: Throttle, test_database: TestDatabase, school_id: UUID
) -> None:
    for number in range(60):
        tried(throttle, school_id, f"user{number}", now=NOON)
    assert len(rows(test_database)) == AN_ADDRESS.free + 1


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
        ("", "testclient", False),
    ],
)
def test_an_address_is_what_one_subscriber_has(
    throttle: Throttle, school_id: UUID, first: str, second: str, same: bool
) -> None:
    for number in range(20):
        throttle.attempt(school_id, f"user{number}", first, None, now=NOON)
    assert is_refused(throttle, school_id, "owner", second) is same


@pytest.mark.parametrize("typed", ["owner", "OWNER", "  Owner ", "ｏｗｎｅｒ"])
def test_an_account_is_the_same_however_it_is_typed(throttle: Throttle, school_id: UUID, typed: str) -> None:
    for number in range(5):
        throttle.attempt(school_id, "Owner", f"192.0.2.{number}", None, now=NOON)
    assert is_refused(throttle, school_id, typed, OFFICE, now=NOON)
    throttle.attempt(school_id, typed + "s", OFFICE, None, now=NOON)
    throttle.attempt(new_id(), typed, OFFICE, None, now=NOON)


@pytest.mark.parametrize("odd", ["", "\x00", "\ud800", "u" * 1000, "'; DROP TABLE vault.attempts; --"])
def test_odd_usernames_are_counted_like_others(
    throttle: Throttle, off: Throttle, school_id: UUID, odd: str
) -> None:
    for _ in range(OF_AN_ACCOUNT.free):
        throttle.succeeded(throttle.attempt(school_id, odd, odd, odd, now=NOON))
    for _ in range(OF_AN_ACCOUNT.free):
        throttle.attempt(school_id, odd, odd, odd, now=NOON)
    assert is_refused(throttle, school_id, odd, OFFICE, now=NOON)
    assert not is_refused(off, school_id, odd, OFFICE, now=NOON)
    throttle.attempt(school_id, odd, OFFICE, throttle.device_token(school_id, odd), now=NOON)


def found_in_the_table(test_database: TestDatabase, words: list[str]) -> list[str]:
    with test_database.connect("postgres") as connection:
        [kept] = connection.execute(
            "SELECT string_agg(encode(bucket, 'escape') || ' ' || a::text, ' ') FROM vault.attempts a"
        ).fetchone() or [""]
    spellings = {word: (word.casefold(), word.encode().hex()) for word in words}
    return [word for word, spelt in spellings.items() if any(each in str(kept).casefold() for each in spelt)]


def test_nothing_readable_is_kept(
    database: Database, throttle: Throttle, test_database: TestDatabase, school_id: UUID
) -> None:
    words = ["canary-user", ELSEWHERE]
    device = throttle.device_token(school_id, "canary-user")
    for token in (None, device):
        attempt = throttle.attempt(school_id, "canary-user", ELSEWHERE, token)
        assert "canary" not in repr(attempt)
    assert len(rows(test_database)) == 3
    assert found_in_the_table(test_database, words) == []
    # The sabotaged twin: a digest that is none.
    Throttle(database, lambda _, message: message, of_an_address=AN_ADDRESS).attempt(
        school_id, "canary-user", ELSEWHERE, None
    )
    assert found_in_the_table(test_database, words[:1]) == words[:1]


def test_the_database_keeps_the_time_if_nobody_else_does(throttle: Throttle, school_id: UUID) -> None:
    attempt = throttle.attempt(school_id, "owner", OFFICE, None)
    assert attempt.at
    assert abs(datetime.now(UTC) - attempt.at) < timedelta(minutes=5)


def test_a_school_sees_its_own_buckets_only(
    throttle: Throttle, test_database: TestDatabase, school_id: UUID
) -> None:
    throttle.attempt(school_id, "owner", OFFICE, None)
    with test_database.connect() as connection:
        for bound_to, count in ((school_id, 2), (new_id(), 0), (None, 0)):
            with connection.transaction():
                if bound_to:
                    connection.execute(f"SET LOCAL target_tracker.school_id = '{bound_to}'".encode())
                assert connection.execute("SELECT count(*) FROM vault.attempts").fetchone() == (count,)
    for role in ("target_tracker_worker", "target_tracker_analytics"):
        with (
            test_database.connect(role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("SELECT FROM vault.attempts")
