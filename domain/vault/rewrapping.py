"""Wrapping schools' keys anew, once the service has another key: in the background, while all goes on."""

from __future__ import annotations

import logging
import threading

import psycopg

from domain.errors import TargetTrackerError
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

    Any number of workers may do it at once: whoever comes second finds it done.

    Args:
        database: Connections of the worker's role.
        service_keys: The service's keys.
        stop: When set, it ends after the school that it is at.

    Raises:
        DoesNotOpen: A school's key is wrapped under a key that the service does not have any more.
    """
    done = 0
    while stop is None or not stop.is_set():
        with database.transaction() as connection:
            waiting = keystore.wrapped_under_others(connection, service_keys.held().current, SOME)
        if not waiting:
            break
        for school_id in waiting:
            if stop is not None and stop.is_set():
                break
            with database.bound_to(school_id) as connection:
                done += keystore.rewrap_for_service(connection, school_id, service_keys)
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
