"""Messages to a real receiver, from a real database: once, in order, whatever fails."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.alerting.model import Alert
from steadyhand.alerting.notifier import Notifier, WebhookMissing
from steadyhand.alerting.retrying import GIVEN_UP_S
from steadyhand.alerting.settings import WebhookSettings
from steadyhand.alerting.signature import is_genuine
from steadyhand.alerting.store import MOST_WAITING, AlertStore, Delivery
from steadyhand.core.errors import SecretUnavailable
from steadyhand.storage.database import Database, DatabaseUnavailable
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from tests.support.programs import eventually
from tests.support.webhooks import Answer, Receiver, drip, hang, lie, receiving, status

START_S = 1_800_000_000.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def alert(route: str = "support") -> Alert:
    return Alert("Burns", "page", (("route", route),), f"{route} burns.", "on-call.md#burns", 1.0)


class House:
    """A notifier whose clock, secrets and webhooks are the test's."""

    def __init__(self, database: Database, receiver: Receiver) -> None:
        self.now_s = START_S
        self.store = AlertStore(database)
        self.secrets = {"env:URL": receiver.url, "env:SECRET": SECRET}
        self.webhooks = [self.webhook("team")]
        self.notifier = self.another()

    def webhook(self, name: str, url: str = "env:URL") -> WebhookSettings:
        return WebhookSettings(
            name=name, url=url, secret="env:SECRET", group_wait_s=0, timeout_s=0.5
        )

    def another(self) -> Notifier:
        """Return one that knows only what is stored, as after a restart."""

        def secret(reference: str) -> str:
            if reference not in self.secrets:
                raise SecretUnavailable(f"{reference} is not set")
            return self.secrets[reference]

        return Notifier(
            lambda: self.webhooks, self.store, secret, lambda place: place, lambda: self.now_s
        )

    def deliver(self) -> Delivery:
        """Send what waits, and return what came of the newest."""
        self.notifier.deliver("team")
        return self.store.deliveries()[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(tmp_path / "x.db"), busy_timeout_ms=100)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def house(database: Database, receiver: Receiver) -> House:
    return House(database, receiver)


def test_a_message_is_delivered_signed_and_once(house: House, receiver: Receiver) -> None:
    house.notifier.tell([alert()])
    house.notifier.tell([alert()])
    assert house.deliver().state == "delivered"
    house.notifier.deliver("team")
    assert len(receiver.received) == 1
    got = receiver.received[0]
    assert got.path == "/hook?team=a"
    assert got.json["began"][0]["summary"] == "support burns."
    head = got.headers
    stamp_s = int(head["webhook-timestamp"])
    signature, id_ = head["webhook-signature"], head["webhook-id"]
    assert is_genuine(SECRET, id_, stamp_s, got.body, signature, house.now_s)
    assert house.notifier.counts().messages["team", "delivered"] == 1


def test_after_a_restart_nothing_is_told_twice_and_the_end_is_told(
    house: House, receiver: Receiver
) -> None:
    house.notifier.tell([alert()])
    house.deliver()
    house.notifier = house.another()
    house.notifier.tell([alert()])
    house.notifier.deliver("team")
    assert len(receiver.received) == 1
    house.notifier.tell([])
    house.now_s += 1
    house.notifier.deliver("team")
    assert receiver.received[-1].json["ended"][0]["name"] == "Burns"


def test_a_message_that_was_queued_before_a_kill_is_sent_after_it_with_its_id(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = status(500)
    house.notifier.tell([alert()])
    house.deliver()
    house.notifier = house.another()
    receiver.answer = status(200)
    house.now_s += 10
    assert house.deliver().state == "delivered"
    ids = [got.headers["webhook-id"] for got in receiver.received]
    assert len(ids) == 2
    assert len(set(ids)) == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (status(500), "status 500"),
        (status(301, Location="http://127.0.0.1:1/"), "status 301"),
        (status(429, Retry_After="60"), "status 429"),
        (status(503, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"), "status 503"),
        (hang, "no whole answer within 0.5 s"),
        (drip, "no whole answer within 0.5 s"),
    ],
    ids=["500", "redirect", "429", "503", "hang", "drip"],
)
def test_who_does_not_take_it_is_asked_again_later(
    house: House, receiver: Receiver, answer: Answer, problem: str
) -> None:
    receiver.answer = answer
    house.notifier.tell([alert()])
    found = house.deliver()
    assert found.state == "waiting"
    assert problem in found.problem
    assert found.next_s > house.now_s
    if "429" in problem:
        assert found.next_s >= house.now_s + 60
    receiver.answer = status(200)
    house.now_s = found.next_s
    assert house.deliver().state == "delivered"


def test_one_that_lies_about_its_length_has_taken_the_message(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = lie  # its status said so; what follows is nobody's concern
    house.notifier.tell([alert()])
    assert house.deliver().state in {"delivered", "waiting"}
    house.now_s += 10
    receiver.answer = status(200)
    assert house.deliver().state == "delivered"


def test_one_that_is_gone_is_tried_for_a_day_and_given_up(house: House) -> None:
    house.secrets["env:URL"] = "http://127.0.0.1:9/"
    house.notifier.tell([alert()])
    found = house.deliver()
    while found.state == "waiting":
        house.now_s = found.next_s
        found = house.deliver()
    assert found.state == "given_up"
    assert house.now_s >= START_S + GIVEN_UP_S
    assert house.notifier.counts().messages["team", "given_up"] == 1


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.com/hook", "neither https"),
        ("ftp://127.0.0.1/", "neither https"),
        ("", "neither https"),
        (None, "is not set"),
    ],
)
def test_a_bad_address_is_named_and_sent_to_when_it_is_mended(
    house: House, receiver: Receiver, url: str | None, problem: str
) -> None:
    if url is None:
        del house.secrets["env:URL"]
    else:
        house.secrets["env:URL"] = url
    house.notifier.tell([alert()])
    assert problem in house.deliver().problem
    house.secrets["env:URL"] = receiver.url
    house.now_s += 10
    assert house.deliver().state == "delivered"


def test_a_slow_receiver_keeps_no_other_waiting(house: House, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.answer = hang
        house.secrets["env:SLOW"] = slow.url
        house.webhooks.append(
            house.webhook("slow", "env:SLOW").model_copy(update={"timeout_s": 20})
        )
        house.notifier.tell([alert()])
        sender = threading.Thread(target=house.notifier.deliver, args=("slow",), daemon=True)
        sender.start()
        eventually(lambda: slow.received, "the slow one to be asked")
        house.notifier.deliver("team")
        assert len(receiver.received) == 1
        slow.answer = status(200)


def test_messages_are_in_their_order(house: House, receiver: Receiver) -> None:
    house.notifier.tell([alert()])
    house.now_s += 1
    house.notifier.tell([])
    for _ in range(2):
        house.notifier.deliver("team")
    assert [bool(got.json["began"]) for got in receiver.received] == [True, False]


def test_of_too_many_that_wait_those_that_only_ended_go_first(house: House) -> None:
    for number in range(MOST_WAITING):
        house.now_s += 1
        house.notifier.tell([alert()] if number % 2 == 0 else [])
    assert house.notifier.counts().waiting["team"][0] == MOST_WAITING
    for number in range(4):
        house.now_s += 1
        house.notifier.tell([alert("other")] if number % 2 == 0 else [])
    assert house.notifier.counts().waiting["team"][0] == MOST_WAITING
    dropped = [one for one in house.store.deliveries(limit=500) if one.state == "dropped"]
    assert len(dropped) == 4
    assert not any(one.message.began for one in dropped)
    assert house.notifier.counts().messages["team", "dropped"] == 4


def test_a_storm_of_ten_thousand_is_one_message(house: House, receiver: Receiver) -> None:
    storm = [alert(f"r{number}") for number in range(10_000)]
    house.notifier.tell(storm)
    house.notifier.tell(storm)
    house.deliver()
    assert len(receiver.received) == 1
    assert receiver.received[0].json["unlisted"] == 9_980
    assert len(receiver.received[0].body) < 20_000
    house.now_s += 1
    house.notifier.tell([])
    house.notifier.deliver("team")
    assert receiver.received[-1].json["unlisted"] == 9_980


def test_while_the_database_is_locked_nothing_is_lost(
    house: House, receiver: Receiver, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "x.db", isolation_level=None) as blocker:
        blocker.execute("begin exclusive")
        with pytest.raises(DatabaseUnavailable):
            house.notifier.tell([alert()])
        blocker.execute("rollback")
    house.notifier.tell([alert()])
    house.deliver()
    assert len(receiver.received) == 1


def test_a_test_message_goes_the_same_way(house: House, receiver: Receiver) -> None:
    id_ = house.notifier.test("team")
    house.deliver()
    assert receiver.received[0].headers["webhook-id"] == id_
    assert receiver.received[0].json["type"] == "test"
    with pytest.raises(WebhookMissing, match="no webhook 'other'"):
        house.notifier.test("other")


def test_a_webhook_that_was_removed_is_told_nothing(house: House, receiver: Receiver) -> None:
    house.notifier.tell([alert()])
    house.webhooks.clear()
    house.notifier.deliver("team")
    assert not receiver.received
