"""The recovery pair as two files: the public half goes to the service, the private one into a safe.

Whatever a school would lose with its last login key is sealed to the public half as well. The private half is
needed only to issue a new login key, and no server ever holds it. A file of the pair is text that can be
printed and typed in again: a line that says which half it is, the key in base64, and a check of both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import Enum
from pathlib import Path

from domain.errors import AlreadyExists, Misconfigured
from domain.vault import key_files, private_files
from domain.vault.recipients import PUBLIC_LENGTH, SEED_LENGTH, PrivateKey

PRIVATE_NAME = "recovery-private.key"
PUBLIC_NAME = "recovery-public.key"

_LINE = 64
_CHECK = "check "
_CHECK_LENGTH = 8


class _Half(Enum):
    """A half of the pair: what its first line says, and how many bytes its key has."""

    PRIVATE = (
        "Target Tracker recovery key 1, the private half: keep it locked away, and off every server",
        SEED_LENGTH,
    )
    PUBLIC = ("Target Tracker recovery key 1, the public half: the service seals to it", PUBLIC_LENGTH)

    @property
    def heading(self) -> str:
        return self.value[0]

    @property
    def length(self) -> int:
        return self.value[1]


def write_recovery_pair(folder: Path) -> tuple[Path, Path]:
    """Makes a new pair: `recovery-private.key`, for its owner's eyes only, and `recovery-public.key`.

    Args:
        folder: A folder that is there and holds neither of the two.

    Returns:
        Where the private half lies, and where the public one does.

    Raises:
        AlreadyExists: One of the files is there; both are left as they are.
        Misconfigured: The folder is not there or cannot be written to.
    """
    pair = PrivateKey.generate()
    private, public = folder / PRIVATE_NAME, folder / PUBLIC_NAME
    key_files.create(public, _text(_Half.PUBLIC, pair.public_bytes()), private_files.READABLE)
    try:
        key_files.create(private, _text(_Half.PRIVATE, pair.seed))
    except (AlreadyExists, Misconfigured):
        public.unlink()  # one half without the other would be taken for a pair
        raise
    return private, public


def read_recovery_private(path: Path) -> PrivateKey:
    """The private half from its file.

    Raises:
        Misconfigured: It cannot be read, is another file, or was damaged.
    """
    return PrivateKey(_read(path, _Half.PRIVATE))


def read_recovery_public(path: Path) -> bytes:
    """The public half from its file, as :func:`domain.vault.recipients.seal` takes it.

    Raises:
        Misconfigured: It cannot be read, is another file, or was damaged.
    """
    return _read(path, _Half.PUBLIC)


def _text(half: _Half, key: bytes) -> bytes:
    encoded = base64.b64encode(key).decode()
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return "\n".join([half.heading, *lines, _CHECK + _check(half, key), ""]).encode()


def _check(half: _Half, key: bytes) -> str:
    return hashlib.sha256(half.heading.encode() + b"\n" + key).digest()[:_CHECK_LENGTH].hex()


def _read(path: Path, half: _Half) -> bytes:
    content = key_files.read(path, private=False)  # it lies on a medium that may know no owners
    lines = [stripped for line in content.decode(errors="replace").splitlines() if (stripped := line.strip())]
    wanted = f"the {half.name.lower()} half of the recovery key"
    heading = lines[0] if lines else ""
    if heading != half.heading:
        other = next((each for each in _Half if each.heading == heading), None)
        found = f"the {other.name.lower()} half" if other else "something else"
        raise Misconfigured(
            f"{path} holds {found}, and {wanted} is needed: its first line is “{half.heading}”"
        )
    try:
        encoded = "".join(lines[1:-1])
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if base64.b64encode(key).decode() != encoded:
        key = b""  # the last character has bits to spare, which decoding does not look at
    check = lines[-1].encode()
    if len(key) != half.length or not hmac.compare_digest(check, (_CHECK + _check(half, key)).encode()):
        raise Misconfigured(f"{path} is damaged: it is not as {wanted} was written. Take another copy of it")
    return key
