"""More requests than a process can take: refused early, in OpenAI's shape, and counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.installations import Installation, Upstreams, chat_request, marker, serving
from tests.support.load import loaded
from tests.support.programs import eventually
from tests.support.raw_client import Answer, Line

ALWAYS_ADMITTED = 16


def scraped(house: Installation, reason: str) -> float:
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    start = f'steadyhand_http_overload_refused_total{{process="0",reason="{reason}"}}'
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if start in line)


@contextmanager
def house_with(
    factory: pytest.TempPathFactory, upstreams: Upstreams, **settings: str
) -> Iterator[Installation]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(f"STEADYHAND_SERVER__{name.upper()}", value)
        with serving(factory.mktemp("overload"), upstreams) as made:
            yield made


@pytest.fixture(scope="module")
def lagging(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Installation]:
    """A gateway that finds any turn of its loop too long: a microsecond."""
    settings = {"overload_target_ms": "0.001", "overload_interval_ms": "1"}
    with house_with(tmp_path_factory, upstreams, **settings) as made:
        yield made


@pytest.fixture(scope="module")
def narrow(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Installation]:
    """A gateway that answers four requests at once."""
    with house_with(tmp_path_factory, upstreams, max_in_flight="4") as made:
        yield made


def check_refusal(answer: Answer) -> None:
    assert (answer.status, answer.is_whole) == (503, True)
    assert (answer.error["code"], answer.error["type"]) == ("overloaded", "server_error")
    assert answer.headers["retry-after"] == "1"
    assert answer.request_id.startswith("req_")


def hold(house: Installation, stack: ExitStack, count: int) -> list[Line]:
    """Have ``count`` requests wait for a slow provider."""
    word = marker()
    lines = [stack.enter_context(house.line()) for _ in range(count)]
    for line in lines:
        line.send(chat_request("up/slow:ttft_ms=6000", user=word))
    eventually(
        lambda: (
            sum(
                word in row["body"]
                for row in house.simulated.control("GET", "/simulate/requests")["requests"]
            )
            == count
        ),
        "all of them upstream",
    )
    return lines


def test_a_lagging_loop_refuses_what_does_not_fit_and_keeps_the_connection(
    lagging: Installation,
) -> None:
    with ExitStack() as stack:
        held = hold(lagging, stack, ALWAYS_ADMITTED)
        line = stack.enter_context(lagging.line())
        answers = []
        for _ in range(60):
            line.send(chat_request("up/steady"))
            answers.append(line.answer())
        refused = [answer for answer in answers if answer.status != 200]
        assert len(refused) > 30
        for answer in refused:
            check_refusal(answer)
        assert len({answer.request_id for answer in answers}) == 60
        assert line.ask("GET", "/healthz").status == 200, "only chat requests are refused"
        assert {one.answer().status for one in held} == {200}, "whoever was admitted is answered"
    eventually(lambda: scraped(lagging, "loop_lag") >= len(refused), "the metric")
    assert [lagging.ask("up/steady").status for _ in range(20)] == [200] * 20


def test_many_clients_get_an_answer_or_a_refusal_and_nothing_else(lagging: Installation) -> None:
    with loaded(lagging, 60, ("kept", "fresh")) as load:
        eventually(lambda: len(load.answered) > 300 and len(load.refused) > 100, "both")
    assert not load.broken
    assert Counter(load.refused).keys() == {503}
    eventually(lambda: lagging.ask("up/steady").status == 200, "calm")


def test_one_more_than_max_in_flight_is_refused_before_it_is_read(narrow: Installation) -> None:
    with ExitStack() as stack:
        held = hold(narrow, stack, 4)
        line = stack.enter_context(narrow.line())
        request = chat_request("up/steady")
        line.send(request)
        check_refusal(line.answer())
        head, _, body = request.partition(b"\r\n\r\n")
        line.send(head + b"\r\n\r\n" + body[:10])  # the rest never comes: nobody waits for it
        answer = line.answer()
        check_refusal(answer)
        assert answer.headers["connection"] == "close"
        assert line.is_closed()
        assert {one.answer().status for one in held} == {200}
    eventually(lambda: narrow.ask("up/steady").status == 200, "room")
    eventually(lambda: scraped(narrow, "in_flight") >= 2, "the metric")
