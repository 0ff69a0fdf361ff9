"""What the API works with, put together elsewhere and handed to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.application.school_application import Schools
from domain.application.usage import ReadAudit
from domain.ledger.database import Database
from domain.mail import Mailer
from domain.vault.erasures import ErasureRegister
from domain.vault.sessions import Sessions


@dataclass(frozen=True)
class Services:
    """Everything that the routes reach for.

    Attributes:
        schools: The write side, with the service's own keys.
        sessions: The sessions of every school.
        read: Connections for the projections.
        erasures: Where erasures are kept apart from the database.
        audit: Records who read what.
        operator_token: What the operator's requests carry; the operator's routes are shut if there is none.
        region: Where the data is kept, as the service reports it.
        mailer: What takes mail on its way, in the background; no new passwords by mail if there is none.
    """

    schools: Schools
    sessions: Sessions
    read: Database
    erasures: ErasureRegister
    audit: ReadAudit
    operator_token: str | None = field(repr=False)
    region: str
    mailer: Mailer | None = None
