"""Photographs on their way into a bundle: opened one at a time, and checked to be what was stored."""

from __future__ import annotations

from domain.application.held import HeldPhotograph
from domain.application.school_application import SchoolApplication
from domain.errors import KeyNotHeld
from domain.files.photographs import EXTENSIONS
from domain.ledger import photographs
from domain.ledger.photographs import Role
from domain.observation import Photograph

FOLDER = "photographs"


def file_of(name: str, photograph: Photograph) -> str:
    """The name of a photograph's file in a bundle."""
    return f"{FOLDER}/{name}.{EXTENSIONS[photograph.media_type]}"


def opened(school: SchoolApplication, picture: HeldPhotograph, role: Role) -> bytes:
    """A photograph that is held, or its thumbnail; also one that was withdrawn.

    Raises:
        DoesNotOpen: What lies there is not what was stored, or nothing does.
        KeyNotHeld: The names key is not held, or was destroyed meanwhile.
    """
    photograph = picture.photograph
    sha256 = photograph.sha256 if role is Role.PHOTOGRAPH else photograph.thumbnail_sha256
    with school.database.bound_to(school.school_id) as connection:
        sealed = photographs.get(connection, school.school_id, picture.pupil_id, photograph.id, role)
    content = photographs.opened(school.keys, picture.pupil_id, photograph.id, role, sealed, sha256)
    if not isinstance(content, bytes):
        raise KeyNotHeld("A photograph is sealed, and its key is not at hand")
    return content
