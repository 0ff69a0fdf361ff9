"""Throttling of logins: whoever guesses waits longer and longer, and keeps nobody out but themselves.

An attempt is counted before its password is verified, and taken back if it was right, so that guessing in
parallel gains nothing. It counts for the account and for the address that it came from. But an attempt from a
device that has logged in to the account before, and shows the token that it was given then, counts for that
device alone: so neither a stranger who fills the bucket of the account nor a neighbour who fills that of the
address keeps the owner out.

Buckets are named by keyed digests: neither usernames nor addresses are kept. A username that nobody has is
throttled like any other. Source: "Slow Down Online Guessing Attacks with Device Cookies", OWASP.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.errors import Throttled
from domain.ledger.database import Database
from domain.ledger.sql import load
from domain.staff import same_username

SQL = load("domain.vault", "throttle.sql")

REMEMBERED = timedelta(days=1)
"""After so long without another one, the failures of a bucket are forgotten."""

PREFIX = "ttd1_"
NONCE = 16
"""Bytes that tell the devices of one account apart."""

Digest = Callable[[str, bytes], bytes]
"""A keyed digest (32 bytes) of a purpose and a message; whoever lacks the key cannot make it."""


@dataclass(frozen=True)
class Limit:
    """How many failures are free, and how long the wait can grow that each further one doubles.

    Attributes:
        free: Failures before the first wait, which is one second.
        longest: The longest wait.
    """

    free: int
    longest: timedelta

    def wait_after(self, failures: int) -> timedelta | None:
        """How long the next attempt has to wait after so many failures; `None`: not at all."""
        doublings = failures - self.free
        if doublings < 0:
            return None
        return min(self.longest, timedelta(seconds=2 ** min(doublings, 20)))


OF_AN_ACCOUNT = Limit(5, timedelta(minutes=15))
"""For an account from unknown devices, and for each device that is known."""

OF_AN_ADDRESS = Limit(100, timedelta(minutes=1))
"""A whole school may share an address, and log in at once in the morning."""


@dataclass(frozen=True)
class Attempt:
    """An attempt that may be made; it counts as failed until :meth:`Throttle.succeeded` is told otherwise.

    Attributes:
        school_id: The school.
        own: The bucket of the account, or of the device; empty where nothing is counted.
        address: The bucket of the address; empty for a device that is known.
        at: When the attempt was counted.
        before: When the address's last one before it was.
    """

    school_id: UUID
    own: bytes = b""
    address: bytes = b""
    at: datetime | None = None
    before: datetime | None = None


class _Bucket(NamedTuple):
    """A row of the table, locked, and the time at which it was."""

    name: bytes
    failures: int
    last_failed_at: datetime
    blocked_until: datetime | None
    refused: bool
    now: datetime


class Throttle:
    """Counts attempts to log in.

    Args:
        database: The API's connections.
        digest: What names the buckets and signs the tokens of devices.
        enabled: Whether anybody ever has to wait.
        of_an_address: The limit for all attempts from one network address.
    """

    def __init__(
        self,
        database: Database,
        digest: Digest,
        *,
        enabled: bool = True,
        of_an_address: Limit = OF_AN_ADDRESS,
    ) -> None:
        self._of_an_address = of_an_address
        self._database = database
        self._digest = digest
        self._enabled = enabled

    def attempt(
        self, school_id: UUID, username: str, address: str, device: str | None, *, now: datetime | None = None
    ) -> Attempt:
        """Counts an attempt, which may then be made; to be called before the password is verified.

        Args:
            school_id: The school whose login key was shown.
            username: As it was typed; it need not be anybody's.
            address: The network address that the attempt came from.
            device: The token that this device was given, if any; that of another account counts as none.
            now: The time, with its zone; the database's clock, if not given.

        Raises:
            Throttled: Too many attempts have failed; this one does not count. Its `first` says whether nobody
                has been told so yet during this wait.
        """
        if not self._enabled:
            return Attempt(school_id)
        known = self._own_nonce(school_id, username, device)
        own = self._bucket("device" if known else "account", school_id, known + _octets(username))
        by_address = b"" if known else self._bucket("address", school_id, _network(address))
        limits = {own: OF_AN_ACCOUNT} | ({by_address: self._of_an_address} if by_address else {})
        with self._database.bound_to(school_id) as connection:
            given = {"school": school_id, "buckets": sorted(limits), "now": now}
            found = [_Bucket(*row) for row in connection.execute(SQL["lock"], given)]
            at = max(bucket.now for bucket in found)
            waiting = {
                bucket.name: bucket.blocked_until - at
                for bucket in found
                if bucket.blocked_until and bucket.blocked_until > at
            }
            if waiting:
                connection.execute(SQL["refuse"], {**given, "waiting": list(waiting)})
            else:
                for bucket in found:
                    failures = 1 + (bucket.failures if bucket.last_failed_at > at - REMEMBERED else 0)
                    wait = limits[bucket.name].wait_after(failures)
                    until = at + wait if wait else None
                    connection.execute(SQL["count"], [failures, at, until, school_id, bucket.name])
                connection.execute(SQL["forget"], {"school": school_id, "before": at - REMEMBERED})
        if waiting:  # Only here, where it has been committed that somebody was told.
            first = any(bucket.name in waiting and not bucket.refused for bucket in found)
            raise _throttled(max(waiting.values()), first=first)
        before = {bucket.name: bucket.last_failed_at for bucket in found}
        return Attempt(school_id, own, by_address, at, before.get(by_address))

    def succeeded(self, attempt: Attempt) -> None:
        """Forgets the failures of the account or device, and takes back what counted for the address."""
        if not attempt.own:
            return
        changes = [(attempt.own, "clear")]
        if attempt.address:
            changes.append((attempt.address, "take_back"))
        given = {"school": attempt.school_id, "at": attempt.at, "before": attempt.before}
        with self._database.bound_to(attempt.school_id) as connection:
            for bucket, change in sorted(changes):  # in the order in which every attempt locks them
                connection.execute(SQL[change], {**given, "bucket": bucket})

    def device_token(self, school_id: UUID, username: str) -> str:
        """What a device is given after a login to this account, and shows at the next one.

        It opens nothing. Each is another one, and none is kept here.
        """
        nonce = secrets.token_bytes(NONCE)
        return PREFIX + base64.urlsafe_b64encode(nonce + self._signature(school_id, username, nonce)).decode()

    def _own_nonce(self, school_id: UUID, username: str, device: str | None) -> bytes:
        """What tells this device from others, if its token is genuine and of this account; else nothing."""
        encoded = (device or "").removeprefix(PREFIX)
        try:
            token = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return b""
        nonce, signature = token[:NONCE], token[NONCE:]
        genuine = hmac.compare_digest(signature, self._signature(school_id, username, nonce))
        return nonce if genuine and encoded != device else b""

    def _signature(self, school_id: UUID, username: str, nonce: bytes) -> bytes:
        return self._digest("throttle: token of a device", school_id.bytes + nonce + _octets(username))

    def _bucket(self, kind: str, school_id: UUID, of: bytes) -> bytes:
        return self._digest(f"throttle: bucket of one {kind}", school_id.bytes + of)


def _octets(username: str) -> bytes:
    return same_username(username).encode(errors="surrogatepass")


def _network(address: str) -> bytes:
    """What one subscriber has: an IPv4 address, or the 64 bits that an IPv6 one begins with (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address.encode(errors="surrogatepass")  # a socket of this host has no address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return found.packed[:8]
        found = found.ipv4_mapped
    return found.packed


def _throttled(wait: timedelta, *, first: bool) -> Throttled:
    seconds = math.ceil(wait.total_seconds())
    unit = "second" if seconds == 1 else "seconds"
    message = f"Too many attempts to log in have failed: the next one counts in {seconds} {unit}"
    return Throttled(message, retry_after=seconds, first=first)
