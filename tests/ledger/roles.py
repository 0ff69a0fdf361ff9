"""The roles that the database knows, and what a statement does when one of them runs it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

API = "target_tracker_api"
WORKER = "target_tracker_worker"
ANALYTICS = "target_tracker_analytics"

Session = psycopg.Connection[tuple[Any, ...]]


def run(session: Session, school_id: UUID | None, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Runs one statement, bound to a school or to none, and takes it back."""
    with session.transaction(force_rollback=True):
        if school_id:
            session.execute(f"SET LOCAL target_tracker.school_id = '{school_id}'".encode())
        cursor = session.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else [()] * cursor.rowcount


def refused(session: Session, school_id: UUID | None, statement: str, **parameters: Any) -> bool:
    """Whether a statement is refused for want of privilege, or by a policy."""
    try:
        run(session, school_id, statement, **parameters)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False
