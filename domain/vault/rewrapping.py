"""Wrapping schools' keys anew, once the service has another key: in the background, while all goes on."""

from __future__ import annotations

import logging
import threading
from uuid import UUID

import psycopg

from domain.errors import DoesNotOpen, TargetTrackerError
from domain.ledger.database import Database
from domain.vault import keystore
from domain.vault.service_keys import ServiceKeys

INTERVAL = 10.0
"""Seconds between looks."""

SOME = 500
"""Schools that are looked up at once."""

log = logging.getLogger(__name__)


def rewrap_all(database: Database, service_keys: ServiceKeys, stop: threading.Event | None = None) -> int:
    """Wraps every school's record key under the service's current key, and returns how many were not.

    Any number of workers may do it at once: whoever comes second finds it done. A school whose key does not
    open is passed over, and logged.

    Args:
        database: Connections of the worker's role.
        service_keys: The service's keys.
        stop: When set, it ends after the school that it is at.
    """
    done, after = 0, UUID(int=0)
    while stop is None or not stop.is_set():
        with database.transaction() as connection:
            current = service_keys.held().current
            waiting = keystore.wrapped_under_others(connection, current, after, SOME)
        if not waiting:
            break
        after = waiting[-1]
        for school_id in waiting:
            if stop is not None and stop.is_set():
                break
            try:
                with database.bound_to(school_id) as connection:
                    done += keystore.rewrap_for_service(connection, school_id, service_keys)
            except DoesNotOpen as error:
                log.warning("the key of school %s cannot be wrapped anew: %s", school_id, error)
    if done:
        log.info("the keys of %d schools are wrapped under the service's current key now", done)
    return done


def keep_rewrapping(database: Database, service_keys: ServiceKeys, stop: threading.Event) -> None:
    """Looks for what is to be wrapped anew until told to stop, and outlasts a database that goes away."""
    while not stop.is_set():
        try:
            rewrap_all(database, service_keys, stop)
        except (psycopg.OperationalError, TargetTrackerError) as error:
            log.warning("schools' keys could not be wrapped anew (%s): trying again", type(error).__name__)
        stop.wait(INTERVAL)
