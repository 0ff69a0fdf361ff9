"""The composition root: the one place that knows every part and puts them together.

Settings come from the environment; what is secret stands in files that the environment names:

| variable | for | what |
|---|---|---|
| TARGET_TRACKER_DATABASE | all | a libpq connection string for the role that the process works as: the owner for `migrate`, the API's for `serve`, the worker's for all others; its password stands in a password file (`passfile=`, or PGPASSFILE) |
| TARGET_TRACKER_TLS_CERTIFICATE | `serve` | the file of the server's certificate, PEM, with the chain |
| TARGET_TRACKER_TLS_KEY | `serve` | the file of its private key, PEM |
| TARGET_TRACKER_OPERATOR_TOKEN_FILE | `serve` | the file of the operator's token, 32 characters or more; nobody can register schools if it is not set |
| TARGET_TRACKER_SERVICE_KEY_FILE | all but `migrate` | the file of the service's own keys, from `keys init-service` |
| TARGET_TRACKER_SERVICE_KEY | all but `migrate` | the same keys themselves, where a secret store puts them into the environment |
| TARGET_TRACKER_RECOVERY_KEY | `serve` | the file of the public recovery key, from `keys init-recovery`: without it no school can be registered |
| TARGET_TRACKER_ERASURES | `serve` | the file in which erasures are noted, on other storage than the database; `worker` looks at it, if it is named |
| TARGET_TRACKER_READ_AUDIT | `serve` | `gathered`: reads are recorded a second after they were answered; `strict`: before; gathered if not set |
| TARGET_TRACKER_LISTEN | `serve` | address and port; 127.0.0.1:8443 if not set |
| TARGET_TRACKER_METRICS | `worker` | address and port to answer Prometheus at; no metrics if not set. Over TLS, with the files above, where they are set; they must be, if it is not on the loopback address |
| TARGET_TRACKER_REGION | `serve` | where the data is kept, as the service reports it |

Those of mail stand in `scripts/mailing/settings.py`.
"""  # noqa: E501 - a table

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api.services import Services
from domain.application.school_application import Schools
from domain.application.usage import ReadAudit
from domain.errors import Misconfigured
from domain.ledger.database import Database
from domain.vault.erasures import FileRegister
from domain.vault.key_sources import EnvironmentSource, FileSource
from domain.vault.recovery_pair import read_recovery_public
from domain.vault.reloading_keys import ReloadingKeys
from domain.vault.service_keys import ServiceKeys
from domain.vault.sessions import Sessions
from scripts.mailing.queued import QueuedMailer
from scripts.mailing.settings import mailer_from

MIGRATIONS = ("domain.ledger.migrations", "domain.vault.migrations", "projections.migrations")
"""The packages whose `.sql` files make up the database."""

PREFIX = "TARGET_TRACKER_"
SERVICE_KEY = f"{PREFIX}SERVICE_KEY"
LEAST_OPERATOR_TOKEN = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a process is configured.

    Attributes:
        database: How to reach the database.
        tls_certificate: The file of the server's certificate.
        tls_key: The file of its private key.
        operator_token_file: The file of the operator's token.
        service_key_file: The file of the service's own keys.
        recovery_key: The file of the public recovery key.
        erasures: The file in which erasures are noted.
        strict_audit: Whether reads are recorded before they are answered, and not shortly after.
        host: The address to listen on.
        port: The port.
        region: Where the data is kept.
        metrics: The address and port at which a worker tells its metrics, if it does.
        environment: Where the rest is looked for when it is asked for: the service's keys, where they are not
            in a file, and the mail server. It may hold secrets, and is not shown.
    """

    database: str | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    operator_token_file: Path | None = None
    service_key_file: Path | None = None
    recovery_key: Path | None = None
    erasures: Path | None = None
    strict_audit: bool = False
    host: str = "127.0.0.1"
    port: int = 8443
    region: str = "not stated"
    metrics: tuple[str, int] | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings in the environment.

        Args:
            environment: The variables; those of the process if not given.

        Raises:
            Misconfigured: An address to listen on is not one, or the audit of reads is neither gathered nor
                strict.
        """

        def file(name: str) -> Path | None:
            return Path(value) if (value := environment.get(PREFIX + name)) else None

        host, port = _address("LISTEN", environment.get(f"{PREFIX}LISTEN") or "127.0.0.1:8443")
        metrics = environment.get(f"{PREFIX}METRICS")
        return cls(
            database=environment.get(f"{PREFIX}DATABASE") or None,
            tls_certificate=file("TLS_CERTIFICATE"),
            tls_key=file("TLS_KEY"),
            operator_token_file=file("OPERATOR_TOKEN_FILE"),
            service_key_file=file("SERVICE_KEY_FILE"),
            recovery_key=file("RECOVERY_KEY"),
            erasures=file("ERASURES"),
            strict_audit=_is_strict(environment.get(f"{PREFIX}READ_AUDIT") or "gathered"),
            host=host,
            port=port,
            region=environment.get(f"{PREFIX}REGION") or "not stated",
            metrics=_address("METRICS", metrics) if metrics else None,
            environment=environment,
        )

    def conninfo(self) -> str:
        """How to reach the database.

        Raises:
            Misconfigured: It is not said, holds a password, or would cross a network unverified.
        """
        if not self.database:
            raise Misconfigured(
                f"{PREFIX}DATABASE must hold a connection string, such as host=... dbname=..."
            )
        try:
            parts = conninfo_to_dict(self.database)
        except psycopg.ProgrammingError:
            # What libpq says may quote the string.
            raise Misconfigured(f"{PREFIX}DATABASE is not a connection string of libpq") from None
        if "password" in parts:
            raise Misconfigured(
                f"{PREFIX}DATABASE holds a password, which others can see in the environment: "
                "put it into a password file, and name that with passfile="
            )
        # libpq looks into the environment of the process, whichever the settings come from.
        if parts.get("service") or "PGSERVICE" in os.environ:
            raise Misconfigured(
                f"{PREFIX}DATABASE must say by itself where the database is: "
                "a service file could send it anywhere"
            )
        # An address, where one is given, is what libpq connects to, whatever the host is called.
        named = str(parts.get("host") or os.environ.get("PGHOST") or "")
        address = str(parts.get("hostaddr") or os.environ.get("PGHOSTADDR") or "")
        hosts = f"{named},{address}" if address else named
        verified = str(parts.get("sslmode") or os.environ.get("PGSSLMODE")) == "verify-full"
        if not verified and not all(map(is_here, hosts.split(","))):
            raise Misconfigured(
                f"{PREFIX}DATABASE is on another machine: sslmode=verify-full (with sslrootcert=) is needed"
            )
        return self.database

    def operator_token(self) -> str | None:
        """The operator's token, if there is one.

        Raises:
            Misconfigured: Its file cannot be read, or it is too short to be a secret.
        """
        if self.operator_token_file is None:
            return None
        try:
            token = self.operator_token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeError):
            raise Misconfigured(f"{self.operator_token_file} cannot be read") from None
        if len(token) < LEAST_OPERATOR_TOKEN:
            raise Misconfigured(
                f"The operator's token in {self.operator_token_file} must have {LEAST_OPERATOR_TOKEN} "
                "characters or more, all chosen at random"
            )
        return token

    def service_keys(self) -> ServiceKeys:
        """The service's own keys.

        Raises:
            Misconfigured: They are not said, or not as they must be.
        """
        if self.service_key_file is not None:
            return ReloadingKeys(FileSource(self.service_key_file))
        if SERVICE_KEY in self.environment:
            return ReloadingKeys(EnvironmentSource(SERVICE_KEY, self.environment))
        raise Misconfigured(
            f"{PREFIX}SERVICE_KEY_FILE must name the file of the service's keys: "
            "target-tracker keys init-service makes one"
        )

    def recovery(self) -> bytes | None:
        """The public recovery key, if there is one.

        Raises:
            Misconfigured: Its file cannot be read, or is damaged.
        """
        return read_recovery_public(self.recovery_key) if self.recovery_key else None

    def mailer(self) -> QueuedMailer | None:
        """What sends mail in the background; nothing, if no mail server is set. Whoever gets it closes it.

        Raises:
            Misconfigured: A setting of mail is missing, or not as it must be.
        """
        return mailer_from(self.environment)

    def register_of_erasures(self) -> FileRegister:
        """The register of erasures.

        Raises:
            Misconfigured: It is not said, or cannot be written.
        """
        if self.erasures is None:
            raise Misconfigured(
                f"{PREFIX}ERASURES must name the file in which erasures are noted, "
                "on other storage than the database: a backup that is restored has to be told of them"
            )
        return FileRegister(self.erasures)


def _address(name: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if host and port.isdecimal() and int(port) < 65536:
        return host.removeprefix("[").removesuffix("]"), int(port)
    example = "127.0.0.1:9100" if name == "METRICS" else "127.0.0.1:8443"
    raise Misconfigured(f"{PREFIX}{name} must be an address and a port, such as {example}")


def _is_strict(read_audit: str) -> bool:
    if read_audit not in {"gathered", "strict"}:
        raise Misconfigured(f"{PREFIX}READ_AUDIT must be gathered or strict")
    return read_audit == "strict"


def is_here(host: str) -> bool:
    """Whether connections to this host stay on this machine: a socket's folder, or the loopback address."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def build_schools(settings: Settings) -> Schools:
    """Puts the write side together.

    Raises:
        Misconfigured: A setting is missing, or not as it must be.
    """
    return Schools(settings.conninfo(), settings.service_keys(), recovery=settings.recovery())


def build_services(settings: Settings) -> Services:
    """Puts together what the API works with.

    Raises:
        Misconfigured: A setting is missing, or not as it must be.
    """
    conninfo = settings.conninfo()
    operator_token = settings.operator_token()
    schools = build_schools(settings)
    return Services(
        schools=schools,
        sessions=Sessions(schools.database),
        read=Database(conninfo),
        erasures=settings.register_of_erasures(),
        audit=ReadAudit(schools, strict=settings.strict_audit),
        operator_token=operator_token,
        region=settings.region,
        mailer=settings.mailer(),
    )


def close_mailer(services: Services) -> None:
    """Sends the mail that waits, within a few seconds, and stops."""
    if isinstance(services.mailer, QueuedMailer):
        services.mailer.close()
