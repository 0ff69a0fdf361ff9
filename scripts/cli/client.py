"""Talks to the API: HTTPS only, certificates verified, commands sent again safely when an answer is lost."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from scripts.cli.failures import Misused, Refused, Unreachable

ATTEMPTS = 5
"""How often a request is sent before the service counts as unreachable."""

LONGEST = 120.0
"""Seconds to wait for an answer: a large import takes a while."""

POSITION = "Target-Tracker-Position"


@dataclass(frozen=True)
class Reply:
    """An answer of the API.

    Attributes:
        content: The body as it came.
        headers: The headers.
    """

    content: bytes
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        """The body, decoded; nothing, if it is empty.

        Raises:
            Unreachable: It is not JSON: somebody else answered.
        """
        try:
            return msgspec.json.decode(self.content) if self.content else None
        except msgspec.DecodeError:
            raise Unreachable("what answered is not a Target Tracker service") from None

    @property
    def position(self) -> int:
        """For commands: the position that a query has to wait for to show what was done."""
        return int(self.headers.get(POSITION, "0"))

    @property
    def repeated(self) -> bool:
        """For commands: it had been carried out before."""
        return self.headers.get("Idempotent-Replayed") == "true"


class Client:
    """One server, as one caller."""

    def __init__(
        self,
        server: str,
        *,
        ca: Path | None = None,
        token: str | None = None,
        login_key: str | None = None,
        position: int = 0,
    ) -> None:
        """Connects to nothing yet.

        Args:
            server: The address, such as `https://127.0.0.1:8443`.
            ca: The authority that the server's certificate comes from; those of the system if not given.
            token: A session's token, or the operator's.
            login_key: The login key of the school on whose behalf the operator acts.
            position: What queries have to show at least; commands raise it.

        Raises:
            Misused: The address is not one of HTTPS, or the file of the authority cannot be used.
        """
        address = urlsplit(server)
        if address.scheme != "https" or not address.hostname:
            raise Misused(
                "The server must be an address such as https://127.0.0.1:8443: HTTPS and nothing else"
            )
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if login_key:
            headers["Target-Tracker-Login-Key"] = login_key
        self.position = position
        self.server = server
        self._http = httpx.Client(
            base_url=server,
            headers=headers,
            verify=_trust(ca),
            timeout=httpx.Timeout(LONGEST, connect=10),
            # A proxy for the outside has no business on this machine.
            trust_env=address.hostname not in {"localhost", "127.0.0.1", "::1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def query(self, path: str, /, **parameters: object) -> Reply:
        """Asks, and waits for what was written here before.

        Args:
            path: The path.
            **parameters: The query string; what is `None` is left out.

        Raises:
            Refused: The service refuses.
            Unreachable: It does not answer.
        """
        if self.position:
            parameters["min_position"] = self.position
        given = {name: _text(value) for name, value in parameters.items() if value is not None}
        return self._send(self._http.build_request("GET", path, params=given))

    def search(self, path: str, body: object) -> Reply:
        """Asks with a body, for what has no place in an address."""
        parameters = {"min_position": str(self.position)} if self.position else {}
        content = msgspec.json.encode(body)
        return self._send(self._http.build_request("POST", path, params=parameters, content=content))

    def release(self, path: str, body: object) -> Reply:
        """Has data released; sent once, because each answer is a release of its own.

        Raises:
            Refused: The service refuses.
            Unreachable: It does not answer; whether the release was recorded is not known.
        """
        return self._send(
            self._http.build_request("POST", path, content=msgspec.json.encode(body)), attempts=1
        )

    def command(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content: bytes | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Reply:
        """Has something done, once, however often it has to be sent.

        Args:
            method: The method.
            path: The path.
            body: What to send as JSON.
            content: What to send as it is, instead.
            key: The id of the command; a random one if not given.
            headers: More headers.
            parameters: The query string.

        Raises:
            Refused: The service refuses.
            Unreachable: It does not answer.
        """
        if content is None and body is not None:
            content = msgspec.json.encode(body)
        reply = self._send(
            self._http.build_request(
                method,
                path,
                params=parameters,
                content=content,
                headers={"Idempotency-Key": key or secrets.token_hex(16), **(headers or {})},
            )
        )
        self.position = max(self.position, reply.position)
        return reply

    def download(self, path: str, file: BinaryIO) -> int:
        """Asks for a file, and writes it as it comes, without holding the whole of it.

        Args:
            path: The path.
            file: Where to; when this fails, there may be a part of it.

        Returns:
            How many bytes it has.

        Raises:
            Refused: The service refuses.
            Unreachable: It does not answer, or the file broke off.
        """
        parameters = {"min_position": str(self.position)} if self.position else {}
        size = 0
        try:
            with self._http.stream("GET", path, params=parameters) as response:
                if not response.is_success:
                    response.read()
                    raise Refused(response.status_code, _problem(response))
                for piece in response.iter_bytes():
                    file.write(piece)
                    size += len(piece)
        except httpx.TransportError as error:
            if size or isinstance(error, httpx.RemoteProtocolError):
                raise Unreachable("the file broke off: nothing was kept; ask again") from None
            raise Unreachable(_reason(error, self.server)) from None
        return size

    def _send(self, request: httpx.Request, attempts: int = ATTEMPTS) -> Reply:
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                # What was never reached is not there; what was reached and lost may have done it.
                absent = attempt == 0 and isinstance(error, httpx.ConnectError)
                if last or absent or isinstance(error, httpx.TimeoutException):
                    raise Unreachable(_reason(error, self.server)) from None
            except (httpx.InvalidURL, httpx.HTTPError):
                raise Unreachable(f"{self.server} does not answer as a Target Tracker service does") from None
            else:
                if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
                    return Reply(response.content, response.headers)
                refused = Refused(response.status_code, _problem(response))
                if last or not _is_busy(refused):
                    raise refused
            time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")


def _trust(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError):
        raise Misused(f"{ca} is not a file with an authority's certificate") from None


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _problem(response: httpx.Response) -> dict[str, Any]:
    with suppress(msgspec.DecodeError):
        problem = msgspec.json.decode(response.content)
        if isinstance(problem, dict):
            return problem
    return {"title": f"Status {response.status_code}", "detail": "The service did not say why"}


def _is_busy(refused: Refused) -> bool:
    return refused.status == httpx.codes.SERVICE_UNAVAILABLE and str(refused.problem.get("type")).endswith(
        ":service-unavailable"
    )


def _reason(error: httpx.TransportError, server: str) -> str:
    """Why a connection failed, for people."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {server} is not to be trusted ({cause.verify_message}). "
                "If it comes from an authority of your own, name its certificate with --ca"
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return f"{server} does not answer in time"
    return f"nothing answers at {server}: is the address right, and does the service run?"
