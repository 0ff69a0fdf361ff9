"""Mail goes out in the background: nobody waits for it, what may pass is tried again, the log is terse."""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import dataclass, field

import pytest

from api.tls import LocalCertificates
from domain.errors import InvalidInput
from domain.mail import Mailer, MailLoginRefused, MailServerUnavailable
from scripts.mailing import queued
from scripts.mailing.queued import QueuedMailer
from scripts.mailing.smtp import MailLogin, SmtpMailer
from tests.logs import said_by
from tests.mailing.server import OFFICE, PASSWORD, SENDER, USER, MailServer, mail_server

SUBJECT, TEXT = "A made-up subject", "A made-up text with a code: c0de.\n"
AT_ONCE = (0.0, 0.0, 0.0)


@dataclass
class Doing:
    """Does with each mail what it was told to, and notes which thread sent it.

    Attributes:
        outcomes: The errors of the next mails; none for the mails after them.
        hold: If given, each mail waits until it is set.
    """

    outcomes: list[Exception] = field(default_factory=list)
    hold: threading.Event | None = None
    tried: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    begun: threading.Event = field(default_factory=threading.Event)

    def send(self, to: str, subject: str, text: str) -> None:
        self.threads.add(threading.get_ident())
        self.tried.append(to)
        self.begun.set()
        if self.hold:
            assert self.hold.wait(30)
        if self.outcomes:
            raise self.outcomes.pop(0)
        self.sent.append(to)


def smtp_mailer(server: MailServer, certificates: LocalCertificates, password: str = PASSWORD) -> SmtpMailer:
    return SmtpMailer(
        host="localhost",
        port=server.port,
        implicit_tls=server.implicit_tls,
        sender=SENDER,
        login=MailLogin(USER, password),
        ca=certificates.ca,
    )


def test_mail_is_tried_again_until_the_server_takes_it(certificates: LocalCertificates) -> None:
    with mail_server(certificates) as server:
        server.answers += ["451 Later", "421 Closing"]
        with QueuedMailer(smtp_mailer(server, certificates), waits=AT_ONCE) as mailer:
            mailer.send(OFFICE, SUBJECT, TEXT)
            mailer.send("other@elmlane.example", SUBJECT, TEXT)
    assert [mail.recipients for mail in server.received] == [[OFFICE], ["other@elmlane.example"]]


def test_what_cannot_pass_is_tried_once(
    certificates: LocalCertificates, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server(certificates) as server:
        with QueuedMailer(smtp_mailer(server, certificates, "wrong"), waits=AT_ONCE) as mailer:
            mailer.send(OFFICE, SUBJECT, TEXT)
        assert len(server.logins) == 1
        assert not server.received
    assert "a mail was not sent: MailLoginRefused" in caplog.messages


def test_tries_end() -> None:
    doing = Doing([MailServerUnavailable("away") for _ in range(10)])
    with QueuedMailer(doing, waits=AT_ONCE) as mailer:
        mailer.send(OFFICE, SUBJECT, TEXT)
    assert len(doing.tried) == 1 + len(AT_ONCE)
    assert not doing.sent


def test_each_wait_is_longer_than_the_one_before() -> None:
    assert sorted(set(queued.WAITS)) == list(queued.WAITS)


def does_not_wait(mailer: Mailer, doing: Doing, patience: float = 30) -> bool:
    """Whether sending returns while the mail is still on its way: the check of the twin, too."""
    asked = threading.Thread(target=mailer.send, args=(OFFICE, SUBJECT, TEXT), daemon=True)
    asked.start()
    assert doing.begun.wait(30)
    asked.join(patience)
    return not asked.is_alive()


def test_nobody_waits_for_mail() -> None:
    doing = Doing(hold=threading.Event())
    assert doing.hold
    with QueuedMailer(doing) as mailer:
        assert does_not_wait(mailer, doing)
        assert not doing.sent
        doing.hold.set()
    assert doing.sent == [OFFICE]
    assert threading.get_ident() not in doing.threads


def test_a_mailer_that_one_waits_for_would_be_noticed() -> None:
    """The sabotaged twin: the mailer without its queue."""
    doing = Doing(hold=threading.Event())
    assert doing.hold
    assert not does_not_wait(doing, doing, patience=0.2)
    doing.hold.set()


def test_what_there_is_no_room_for_is_dropped_at_once(caplog: pytest.LogCaptureFixture) -> None:
    doing = Doing(hold=threading.Event())
    assert doing.hold
    with QueuedMailer(doing, room=2) as mailer:
        mailer.send("first@elmlane.example", SUBJECT, TEXT)
        assert doing.begun.wait(30)
        for number in range(5):
            mailer.send(f"office{number}@elmlane.example", SUBJECT, TEXT)
        doing.hold.set()
    assert doing.sent == ["first@elmlane.example", "office0@elmlane.example", "office1@elmlane.example"]
    assert caplog.messages.count("a mail was not sent: 2 are waiting already") == 3


def test_an_unforeseen_failure_stops_nothing() -> None:
    doing = Doing([ZeroDivisionError("unforeseen"), InvalidInput("not like this")])
    with QueuedMailer(doing, waits=AT_ONCE) as mailer:
        for to in ("a@elmlane.example", "b@elmlane.example", "c@elmlane.example"):
            mailer.send(to, SUBJECT, TEXT)
    assert doing.tried == ["a@elmlane.example", "b@elmlane.example", "c@elmlane.example"]
    assert doing.sent == ["c@elmlane.example"]


def test_closing_sends_what_waits_and_takes_no_more(caplog: pytest.LogCaptureFixture) -> None:
    doing = Doing([MailServerUnavailable("away")])
    mailer = QueuedMailer(doing, waits=(3600.0,))
    for number in range(5):
        mailer.send(f"office{number}@elmlane.example", SUBJECT, TEXT)
    mailer.close()
    assert doing.sent == [f"office{number}@elmlane.example" for number in range(5)]
    mailer.send(OFFICE, SUBJECT, TEXT)
    mailer.close()
    assert OFFICE not in doing.tried
    assert said_by(queued.__name__, caplog)[-1] == "a mail was not sent: the service is stopping"


def test_closing_ends_although_a_server_does_not(caplog: pytest.LogCaptureFixture) -> None:
    doing = Doing(hold=threading.Event())
    assert doing.hold
    mailer = QueuedMailer(doing, room=2)
    mailer.send(OFFICE, SUBJECT, TEXT)
    assert doing.begun.wait(30)
    for number in range(2):
        mailer.send(f"office{number}@elmlane.example", SUBJECT, TEXT)
    mailer.close(within=0.1)
    assert said_by(queued.__name__, caplog)[-1] == "the service stops while 3 mails are still to be sent"
    doing.hold.set()
    mailer.close()
    assert doing.tried == [OFFICE], "what was dropped is not sent afterwards"


def says_who_gets_what(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether an address, a text or a password stands in the log: the check of the twin, too."""
    logged = "\n".join(
        f"{record.getMessage()} {record.args} {record.exc_text} {record.exc_info}"
        for record in caplog.records
        if not record.name.startswith("mail.")  # what aiosmtpd, the other side, logs
    )
    return any(secret in logged for secret in (OFFICE, "elmlane", SUBJECT, "c0de", PASSWORD, "away"))


def test_failures_are_logged_by_their_class_alone(
    certificates: LocalCertificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = MailServer(implicit_tls=True, port=taken.getsockname()[1])
        with QueuedMailer(smtp_mailer(nobody, certificates), waits=(0.0,)) as mailer:
            mailer.send(OFFICE, SUBJECT, TEXT)
            mailer.send("nobody", SUBJECT, TEXT)
    with mail_server(certificates) as server:
        server.refuses = "550"
        with QueuedMailer(smtp_mailer(server, certificates)) as mailer:
            mailer.send(OFFICE, SUBJECT, TEXT)
        server.refuses = None
        with QueuedMailer(smtp_mailer(server, certificates)) as mailer:
            mailer.send(OFFICE, SUBJECT, TEXT)
    unforeseen = Doing([ValueError(f"{OFFICE}: {TEXT}")])
    with QueuedMailer(unforeseen) as mailer:
        mailer.send(OFFICE, SUBJECT, TEXT)
    assert said_by(queued.__name__, caplog) == [
        "a mail was not sent: MailServerUnavailable",
        "a mail was not sent: MailServerUnavailable",
        "a mail was not sent: InvalidInput",
        "a mail was not sent: MailRefused",
        "a mail was sent",
        "a mail was not sent: ValueError",
    ]
    assert not says_who_gets_what(caplog)


def test_a_log_that_says_more_would_be_noticed(caplog: pytest.LogCaptureFixture) -> None:
    """The sabotaged twin: a mailer that logs what failed in full."""

    class Talkative(Doing):
        def send(self, to: str, subject: str, text: str) -> None:
            try:
                super().send(to, subject, text)
            except MailLoginRefused:
                logging.getLogger("talkative").exception("not sent to %s", to)
                raise

    with QueuedMailer(Talkative([MailLoginRefused("refused")])) as mailer:
        mailer.send(OFFICE, SUBJECT, TEXT)
    assert says_who_gets_what(caplog)
