"""A ring of service keys, and the file that it lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.vault.key_ring import KeyRing, new_ring
from domain.vault.key_sources import write


@pytest.fixture
def ring() -> KeyRing:
    return new_ring()


@pytest.fixture
def path(tmp_path: Path, ring: KeyRing) -> Path:
    """The file of that ring."""
    file = tmp_path / "service-keys.json"
    write(file, ring)
    return file
