"""What stands in place of names, for those who may not know them: the same each time, and useless elsewhere.

Both come from keys of the school that stay when the others are replaced, so that they do not change. Without
those keys nobody can tell whether a guess at a name was right.
"""

from __future__ import annotations

import base64
from uuid import UUID

from domain.events import Compartment
from domain.identifiers import id_of_digest
from domain.vault.keyring import Keyring


def class_id_of(keys: Keyring, class_name: str) -> UUID:
    """The id of a class in addresses and filters, where its name, which may be a teacher's, does not belong.

    Raises:
        KeyNotHeld: The record key is not held.
    """
    text = " ".join(class_name.split()).casefold().encode()
    return id_of_digest(keys.digest(Compartment.RECORD, "class", text, stays=True))


def alias_of(keys: Keyring, pupil_id: UUID) -> str:
    """What a child is called where names may not be seen: `Pupil K7QD-3MXA`, 40 bits of a keyed digest.

    Raises:
        KeyNotHeld: The record key is not held.
    """
    digest = keys.digest(Compartment.RECORD, "alias", pupil_id.bytes, stays=True)
    letters = base64.b32encode(digest[:5]).decode()
    return f"Pupil {letters[:4]}-{letters[4:]}"
