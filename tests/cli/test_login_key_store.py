"""Where login keys are kept: in a keyring that works, otherwise in files of their owner's alone."""

from __future__ import annotations

import json
import os
import random
import stat
import string
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from domain.vault import private_files
from scripts.cli import login_key_store
from scripts.cli.failures import Misused
from scripts.cli.login_key_store import forget, recall, store

SERVER, URN = "https://127.0.0.1:8443", "100001"


def made_up_key(seed: int) -> str:
    """550 letters, numbers and symbols."""
    characters = string.ascii_letters + string.digits + string.punctuation
    return "".join(random.Random(seed).choices(characters, k=550))


KEY, OTHER_KEY = made_up_key(1), made_up_key(2)


class InAFile(KeyringBackend):
    """A keyring that keeps its secrets in a file."""

    priority = 5

    def __init__(
        self, file: Path
    ) -> None:  # with an argument, so that the package does not choose it by itself
        super().__init__()  # type: ignore[no-untyped-call] # the library has no type for it
        self.file = file

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret, by service and user."""
        secrets: dict[str, str] = json.loads(self.file.read_text()) if self.file.exists() else {}
        return secrets

    def get_password(self, service: str, username: str) -> str | None:
        return self.secrets.get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.file.write_text(json.dumps(self.secrets | {f"{service} {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        secrets = self.secrets
        if secrets.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError
        self.file.write_text(json.dumps(secrets))


class Forgetful(InAFile):
    """A keyring that takes secrets and keeps none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Locked(InAFile):
    """A keyring whose prompt was dismissed; what it says holds what must not be shown."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"no access to {username}: {KEY}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"no access to {username}: {password}")


class Prompting(InAFile):
    """A keyring that waits for somebody to answer its prompt."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait(60)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.answered.wait(60)
        super().set_password(service, username, password)


class Plain(InAFile):
    """A keyring that its makers do not recommend."""

    priority = 0.5  # type: ignore[assignment] # not always a whole number


@pytest.fixture(autouse=True)
def no_keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the keyring of whoever runs the tests out of them."""
    monkeypatch.delenv("TARGET_TRACKER_KEYRING", raising=False)
    choose(monkeypatch, made(fail.Keyring))


def choose(monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend | None) -> None:
    """Has the package use this keyring for the length of a test; or look for one itself."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)


def made(backend: Callable[[], KeyringBackend]) -> KeyringBackend:
    """A keyring of the package, whose classes have no types."""
    return backend()


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InAFile:
    """A keyring that works."""
    ring = InAFile(tmp_path / "ring.json")
    choose(monkeypatch, ring)
    return ring


def files(home: Path) -> list[Path]:
    """The files of login keys, partial ones, too."""
    return sorted((home / "login-keys").iterdir()) if home.exists() else []


def test_a_keyring_that_works_keeps_the_key(ring: InAFile, home: Path) -> None:
    assert recall(SERVER, URN) is None
    where = store(SERVER, URN, KEY)
    assert where.startswith("the keyring of the operating system (")
    assert ring.secrets == {f"Target Tracker at {SERVER} {URN}": KEY}
    assert recall(SERVER, URN) == KEY
    assert not home.exists(), "nothing is written beside it"
    store(SERVER, URN, OTHER_KEY)
    assert recall(SERVER, URN) == OTHER_KEY
    forget(SERVER, URN)
    assert recall(SERVER, URN) is None
    assert not ring.secrets
    forget(SERVER, URN)


def test_without_a_keyring_a_file_keeps_the_key(home: Path) -> None:
    assert recall(SERVER, URN) is None
    where = store(SERVER, URN, KEY)
    [file] = files(home)
    assert where == f"the file {file}, which only you can read"
    assert recall(SERVER, URN) == KEY
    store(SERVER, URN, OTHER_KEY)
    assert recall(SERVER, URN) == OTHER_KEY
    forget(SERVER, URN)
    assert recall(SERVER, URN) is None
    assert not files(home)
    forget(SERVER, URN)


def keeps_others_out(home: Path) -> bool:
    """Whether nobody else can read the files, or what lies beside them: the check of the twin, too."""
    paths = [home, home / "login-keys", *files(home)]
    return len(paths) == 3 and not any(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in paths)


def test_only_their_owner_can_read_the_files(home: Path) -> None:
    before = os.umask(0)
    try:
        store(SERVER, URN, KEY)
    finally:
        os.umask(before)
    assert keeps_others_out(home)
    [file] = files(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_others_can_read_would_be_noticed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sabotaged twin."""
    monkeypatch.setattr(login_key_store, "FOLDER_MODE", 0o755)
    store(SERVER, URN, KEY)
    assert not keeps_others_out(home)


def test_a_file_that_others_can_read_would_be_noticed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sabotaged twin."""
    write = private_files.write
    monkeypatch.setattr(private_files, "write", lambda path, content: write(path, content, 0o644))
    store(SERVER, URN, KEY)
    assert not keeps_others_out(home)


def test_a_file_that_is_open_to_others_is_replaced_by_one_that_is_not(home: Path) -> None:
    store(SERVER, URN, KEY)
    [file] = files(home)
    file.chmod(0o644)
    store(SERVER, URN, OTHER_KEY)
    assert keeps_others_out(home)


def test_a_file_is_written_whole_or_not_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(SERVER, URN, KEY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Misused, match="cannot be written: No space left on device"):
            store(SERVER, URN, OTHER_KEY)
    assert recall(SERVER, URN) == KEY
    store(SERVER, URN, OTHER_KEY)
    assert recall(SERVER, URN) == OTHER_KEY
    assert len(files(home)) == 1, "what was left of the failure is gone"


@pytest.mark.parametrize("in_keyring", [True, False])
def test_schools_and_servers_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_keyring: bool
) -> None:
    if in_keyring:
        choose(monkeypatch, InAFile(tmp_path / "ring.json"))
    places = [
        (server, school)
        for server in (SERVER, "https://tracker.example")
        for school in (URN, "100002", "Élm Lane Primary School", "../../elsewhere")
    ]
    for number, (server, school) in enumerate(places):
        store(server, school, made_up_key(number))
    assert [recall(server, school) for server, school in places] == [made_up_key(n) for n in range(8)]
    forget(*places[3])
    assert [recall(server, school) is None for server, school in places] == [n == 3 for n in range(8)]


@pytest.mark.parametrize("in_keyring", [True, False])
def test_an_address_with_a_slash_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_keyring: bool
) -> None:
    if in_keyring:
        choose(monkeypatch, InAFile(tmp_path / "ring.json"))
    store(f"{SERVER}/", f" {URN} ", KEY)
    assert recall(SERVER, URN) == recall(f"{SERVER}/", f" {URN}") == KEY


def test_white_space_is_dropped(home: Path) -> None:
    lines = "\r\n".join(KEY[start : start + 55] for start in range(0, 550, 55))
    store(SERVER, URN, f"\ufeff {lines[:20]}\t\u00a0\u200b{lines[20:]}\n\n")
    assert recall(SERVER, URN) == KEY


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("", "it has 0 characters instead of 550"),
        (KEY[1:], "it has 549 characters instead of 550"),
        (f"{KEY}x", "it has 551 characters instead of 550"),
        (f"{KEY[1:]}é", "it has characters other than letters, numbers and symbols"),
        (f"{KEY[1:]}\x00", "it has characters other than letters, numbers and symbols"),
    ],
)
def test_what_is_not_a_login_key(ring: InAFile, home: Path, key: str, wrong: str) -> None:
    with pytest.raises(Misused) as raised:
        store(SERVER, URN, key)
    assert str(raised.value) == f"This is not a login key: {wrong}. Copy all of it from its file again"
    assert not ring.secrets
    assert not home.exists()


USELESS: dict[str, Callable[[Path], KeyringBackend]] = {
    "fail": lambda _: made(fail.Keyring),
    "null": lambda _: made(null.Keyring),
    "an empty chain": lambda _: made(chainer.ChainerBackend),
    "not recommended": Plain,
    "forgetful": Forgetful,
}


@pytest.mark.parametrize("backend", USELESS.values(), ids=USELESS.keys())
def test_keyrings_that_keep_nothing_are_passed_over(
    backend: Callable[[Path], KeyringBackend], home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [])
    choose(monkeypatch, backend(tmp_path / "ring.json"))
    assert store(SERVER, URN, KEY).startswith("the file ")
    assert recall(SERVER, URN) == KEY
    assert len(files(home)) == 1
    forget(SERVER, URN)
    assert recall(SERVER, URN) is None


def test_a_chain_with_something_in_it_is_used(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ring = InAFile(tmp_path / "ring.json")
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [ring])
    choose(monkeypatch, made(chainer.ChainerBackend))
    assert store(SERVER, URN, KEY).startswith("the keyring ")
    assert list(ring.secrets.values()) == [KEY]
    assert recall(SERVER, URN) == KEY
    forget(SERVER, URN)
    assert not ring.secrets


def test_the_keyring_can_be_switched_off(ring: InAFile, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("TARGET_TRACKER_KEYRING", "off")
    assert store(SERVER, URN, KEY).startswith("the file ")
    assert not ring.secrets
    assert recall(SERVER, URN) == KEY
    forget(SERVER, URN)
    assert recall(SERVER, URN) is None
    monkeypatch.setenv("TARGET_TRACKER_KEYRING", "")
    assert store(SERVER, URN, KEY).startswith("the keyring ")


def test_another_value_of_the_setting_is_refused(
    ring: InAFile, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("TARGET_TRACKER_KEYRING", "yes")
    with pytest.raises(Misused, match=r"TARGET_TRACKER_KEYRING must be off, .* or not be set"):
        store(SERVER, URN, KEY)
    assert not ring.secrets
    assert not home.exists()


def test_the_newest_key_counts_wherever_it_went(
    ring: InAFile, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    store(SERVER, URN, KEY)
    monkeypatch.setenv("TARGET_TRACKER_KEYRING", "off")
    store(SERVER, URN, OTHER_KEY)
    monkeypatch.delenv("TARGET_TRACKER_KEYRING")
    assert recall(SERVER, URN) == OTHER_KEY, "the file is newer"
    store(SERVER, URN, KEY)
    assert recall(SERVER, URN) == KEY
    assert not files(home), "no old key is left behind"
    monkeypatch.setenv("TARGET_TRACKER_KEYRING", "off")
    store(SERVER, URN, OTHER_KEY)
    monkeypatch.delenv("TARGET_TRACKER_KEYRING")
    forget(SERVER, URN)
    assert not files(home)
    assert not ring.secrets


def test_a_keyring_that_fails_is_named_and_not_quoted(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, Locked(tmp_path / "ring.json"))
    for attempt in (recall, forget):
        with pytest.raises(Misused, match=r"cannot be used \(KeyringLocked\): unlock it, or set") as raised:
            attempt(SERVER, URN)
        assert KEY not in "".join(traceback.format_exception(raised.value))
    assert str(raised.value).startswith(
        f"The login key may still be in the keyring, as 'Target Tracker at {SERVER}'"
    )
    assert store(SERVER, URN, KEY).startswith("the file ")
    assert recall(SERVER, URN) == KEY, "the file is enough"


def test_a_prompt_that_nobody_answers_is_not_waited_for(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_key_store, "PATIENCE", 0.1)
    prompting = Prompting(tmp_path / "ring.json")
    choose(monkeypatch, prompting)
    with pytest.raises(Misused, match=r"no answer within 0\.1 seconds"):
        recall(SERVER, URN)
    assert store(SERVER, URN, KEY).startswith("the file ")
    assert recall(SERVER, URN) == KEY
    assert not prompting.secrets
    prompting.answered.set()


def test_a_prompt_that_is_waited_for_would_be_noticed(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: without the limit it lasts until somebody comes."""
    monkeypatch.setattr(login_key_store, "PATIENCE", 60)
    prompting = Prompting(tmp_path / "ring.json")
    choose(monkeypatch, prompting)
    asked = threading.Thread(target=recall, args=(SERVER, URN))
    asked.start()
    asked.join(0.2)
    assert asked.is_alive()
    prompting.answered.set()
    asked.join()


def test_a_keyring_that_cannot_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with PYTHON_KEYRING_BACKEND that names nothing: the package then looks for it at the first use."""
    choose(monkeypatch, None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "nowhere.Keyring")
    with pytest.raises(Misused, match=r"cannot be used \(ModuleNotFoundError\)"):
        recall(SERVER, URN)
    assert store(SERVER, URN, KEY).startswith("the file ")


def test_a_keyring_that_is_damaged(ring: InAFile, home: Path) -> None:
    ring.set_password(f"Target Tracker at {SERVER}", URN, KEY[:-1])
    with pytest.raises(
        Misused, match=r"is not a login key: it has 549 characters .*Store it again"
    ) as raised:
        recall(SERVER, URN)
    assert KEY[:20] not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        json.dumps({"server": SERVER, "school": URN}).encode(),
        json.dumps({"server": SERVER, "school": URN, "key": KEY[:-1]}).encode(),
        json.dumps({"server": SERVER, "school": URN, "key": f"{KEY[:-1]} "}).encode(),
        json.dumps({"server": SERVER, "school": "100002", "key": KEY}).encode(),
        json.dumps({"server": "https://tracker.example", "school": URN, "key": KEY}).encode(),
    ],
)
def test_a_damaged_file_is_said_to_be_one(home: Path, content: bytes) -> None:
    store(SERVER, URN, KEY)
    [file] = files(home)
    file.write_bytes(content)
    with pytest.raises(Misused) as raised:
        recall(SERVER, URN)
    assert str(raised.value) == (
        f"{file} is damaged, and holds no login key: remove it and store the key again"
    )
    store(SERVER, URN, OTHER_KEY)
    assert recall(SERVER, URN) == OTHER_KEY


def test_places_that_cannot_be_used(home: Path) -> None:
    home.write_text("a file, where a folder should be")
    with pytest.raises(Misused, match=r"cannot be written: (Not a directory|File exists)"):
        store(SERVER, URN, KEY)
    with pytest.raises(Misused, match="cannot be read: Not a directory"):
        recall(SERVER, URN)
    with pytest.raises(Misused, match="cannot be removed: Not a directory"):
        forget(SERVER, URN)


def test_a_key_is_never_printed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    where = store(SERVER, URN, KEY)
    [file] = files(home)
    recall(SERVER, URN)
    forget(SERVER, URN)
    assert KEY not in where + str(file) + repr(login_key_store._Kept(SERVER, URN, KEY))
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is that of Linux desktops")
def test_a_server_without_a_desktop(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own choice, where no bus is to be reached."""
    choose(monkeypatch, None)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent))
    assert type(keyring.get_keyring()) is fail.Keyring
    assert store(SERVER, URN, KEY).startswith("the file ")
    assert recall(SERVER, URN) == KEY
