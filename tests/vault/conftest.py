"""The schools of the application's tests, and a worker's connections to the same database."""

from __future__ import annotations

from tests.application.conftest import registered, school, schools, sessions
from tests.projections.conftest import worker

__all__ = ["registered", "school", "schools", "sessions", "worker"]
