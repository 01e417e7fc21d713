"""The status file is damaged, kept away or impossible to write: answers go on, the view says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.telemetry.status import read_status
from tests.support.installations import Installation, Upstreams, serving
from tests.support.programs import eventually
from tests.support.raw_client import Line


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    with serving(tmp_path_factory.mktemp("status"), upstreams) as made:
        eventually(lambda: fresh(made) == 1, "a first status")
        yield made


def status_path(house: Installation) -> Path:
    return house.root / ".steadyhand/run/gateway-0.status.json"


def scrape(house: Installation) -> str:
    with Line(house.control_port) as line:
        answer = line.ask("GET", "/metrics", {"Host": "localhost"})
    assert answer.status == 200
    return answer.body.decode()


def metric(house: Installation, name: str) -> float | None:
    rows = [row for row in scrape(house).splitlines() if row.startswith(f"{name}{{")]
    return float(rows[0].rpartition(" ")[2]) if rows else None


def fresh(house: Installation) -> float | None:
    return metric(house, "steadyhand_status_fresh")


def looks_and_answers_go_on(house: Installation) -> None:
    assert house.ask("answers").status == 200
    for path in ("/upstreams", "/routes", "/routes/answers"):
        assert house.rest(path)[0] == 200


@pytest.mark.parametrize(
    "content", [b"", b"{\x00", b'{"made_us": 1}'], ids=["empty", "torn", "old"]
)
def test_a_damaged_file_is_unknown_until_the_next_second(
    house: Installation, content: bytes
) -> None:
    status_path(house).write_bytes(content)
    looks_and_answers_go_on(house)
    eventually(lambda: fresh(house) == 1, "the next status")


def test_a_file_that_cannot_be_replaced_is_counted_and_heals(house: Installation) -> None:
    """A folder in its place: what no write can get past, root's neither."""
    path = status_path(house)
    before = read_status(path)
    assert before is not None
    while path.is_file():
        path.unlink()
        try:
            path.mkdir()
        except FileExistsError:
            continue  # the gateway was quicker
    (path / "inside").touch()  # or a rename would take its place
    looks_and_answers_go_on(house)
    eventually(lambda: fresh(house) == 0, "the view to be unknown")
    _, shown = house.rest("/upstreams/up")
    assert [each["health"] for each in shown["deployments"]] == [None] * len(shown["deployments"])
    eventually(lambda: list(path.parent.glob(f".{path.name}.*")), "a write to be tried in vain")
    (path / "inside").unlink()
    path.rmdir()
    eventually(lambda: fresh(house) == 1, "the view to come back")
    assert (metric(house, "steadyhand_status_write_failures_total") or 0) > 0
