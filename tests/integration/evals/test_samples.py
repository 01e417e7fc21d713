"""Samples from spool to store: once, until they expire, whatever fails, for those allowed."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from steadyhand.app.sampling import samples_of
from steadyhand.evals.grounding.checker import COUNT_EACH_S, Checker
from steadyhand.evals.grounding.finding import Finding, Source, checked
from steadyhand.evals.grounding.metrics import GroundingMetrics
from steadyhand.evals.grounding.rate import wilson
from steadyhand.evals.grounding.sample import KIND, Sample, encoded
from steadyhand.evals.grounding.settings import GroundingSettings, RouteGrounding
from steadyhand.evals.grounding.spool import Spool
from steadyhand.evals.grounding.store import SampleStore, Which
from steadyhand.records.annotation import Annotation, Grounding, body_of
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.storage.database import Database, DatabaseUnavailable
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry import collectors
from steadyhand.tenancy.settings import HASH_SCHEME, PrincipalSettings
from tests.support.control_plane import running_control

CONTEXT = "Refunds are possible within 30 days of purchase."
LIE = "We were founded in 1987 by Anna Miller."
NOON_US = 1_800_000_000_000_000
HOUR_US = 3_600_000_000


def made(
    answer: str, *, tenant: str = "acme", route: str = "support", keep_s: float = 60
) -> Sample:
    asked = {"messages": [{"role": "tool", "content": CONTEXT}]}
    return Sample(tenant, route, "", 0.5, keep_s, json.dumps(asked).encode(), answer)


class House:
    """A spool, a store and what checks, with a clock of the test's own."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder / "samples"
        self.now_us = NOON_US
        self.said: list[Annotation] = []
        self.store = SampleStore(database)
        self.checker = self.new_checker()

    def new_checker(self) -> Checker:
        """Begin again, as a control process that was killed does."""
        return Checker(Spool(self.folder), self.store, self.said.append, lambda: self.now_us)

    def write(self, *samples: tuple[str, Sample]) -> RecordLog:
        """Write samples as a gateway process that has ended."""
        log = RecordLog(self.folder, LogSettings(10))
        for request_id, sample in samples:
            log.append(Annotation(request_id, KIND, NOON_US, encoded(sample)))
        log.close()
        return log

    def step(self) -> int:
        return asyncio.run(self.checker.step())

    def verdicts(self) -> list[tuple[str, str]]:
        bodies = [(note.request_id, body_of(note)) for note in self.said]
        return [(id_, body.verdict) for id_, body in bodies if isinstance(body, Grounding)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(tmp_path / "samples.db"))
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def house(tmp_path: Path, database: Database) -> House:
    return House(tmp_path, database)


def test_samples_are_checked_kept_and_said_once(house: House) -> None:
    house.write(("req_1", made(LIE)), ("req_2", made(CONTEXT)))
    assert house.step() == 2
    assert house.verdicts() == [("req_1", "ungrounded"), ("req_2", "grounded")]
    assert not any(house.folder.iterdir())
    house.write(("req_1", made(CONTEXT)))  # as if it had not been deleted
    assert house.step() == 0
    assert len(house.verdicts()) == 2
    kept = house.store.list(now_us=house.now_us)
    assert {one.finding.request_id: one.finding.verdict for one in kept} == {
        "req_1": "ungrounded",
        "req_2": "grounded",
    }


def test_the_rate_of_what_is_kept_is_scraped_with_its_interval(house: House) -> None:
    metrics = GroundingMetrics(lambda: house.checker.status)

    def rates() -> dict[str, float]:
        text, _ = collectors.scrape(collectors.registry([metrics]))
        lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#"]
        return {name: float(value) for name, value in lines if 'route="support"' in name}

    house.write(("req_1", made(LIE)), ("req_2", made(CONTEXT)), ("req_3", made("Thank you.")))
    house.step()
    where = '{release="-",route="support"}'
    found = rates()
    assert found[f"steadyhand_grounding_ungrounded_ratio{where}"] == 0.5
    assert found[f"steadyhand_grounding_measured_samples{where}"] == 2
    low, high = wilson(0.5, 2)
    assert found[f"steadyhand_grounding_ungrounded_low_ratio{where}"] == pytest.approx(low)
    assert found[f"steadyhand_grounding_ungrounded_high_ratio{where}"] == pytest.approx(high)
    house.write(("req_4", made(CONTEXT)))
    house.step()
    assert rates() == found, "not counted again after each pass"
    house.now_us += round(COUNT_EACH_S * 1e6)
    house.step()
    assert rates()[f"steadyhand_grounding_measured_samples{where}"] == 3
    house.now_us += HOUR_US
    house.step()
    assert rates() == {}, "all have expired"


def test_what_a_killed_control_process_left_is_not_said_again(house: House) -> None:
    house.write(("req_1", made(LIE)))
    killed = pytest.MonkeyPatch()
    killed.setattr(Spool, "done", lambda *_: (_ for _ in ()).throw(OSError("killed here")))
    assert house.step() == 0
    killed.undo()
    assert house.checker.status.failures == 1
    house.checker = house.new_checker()
    assert house.step() == 0
    assert house.verdicts() == [("req_1", "ungrounded")]
    assert not any(house.folder.iterdir())


def test_while_the_database_is_gone_samples_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise DatabaseUnavailable("it does not answer")

    house.write(("req_1", made(LIE)))
    with monkeypatch.context() as broken:
        broken.setattr(SampleStore, "known", gone)
        assert house.step() == 0
    assert house.checker.status.failures == 1
    assert house.said == []
    assert house.step() == 1
    assert house.verdicts() == [("req_1", "ungrounded")]


def test_samples_expire_by_the_clock_stored_or_not(house: House) -> None:
    house.write(("req_1", made(LIE, keep_s=3_600)))
    house.step()
    house.write(("req_2", made(LIE, keep_s=60)))
    house.now_us += 61_000_000
    assert house.step() == 0  # its time was over before anybody looked
    assert [one.finding.request_id for one in house.store.list(now_us=house.now_us)] == ["req_1"]
    house.now_us = NOON_US + HOUR_US
    assert house.store.list(now_us=house.now_us) == []
    assert house.store.rates(now_us=house.now_us) == {}
    house.step()
    assert house.checker.status.expired == 2
    assert house.store.list(now_us=NOON_US) == []  # deleted, not hidden


def test_a_clock_that_was_set_back_does_not_stop_the_deletion(house: House) -> None:
    house.write(("req_1", made(LIE, keep_s=1)))
    house.step()
    house.checker.status.expired = 0
    house.now_us += 2 * HOUR_US
    house.step()
    assert house.checker.status.expired == 1
    house.now_us -= HOUR_US
    house.step()
    assert house.checker.status.failures == 0


def test_damaged_and_foreign_frames_are_counted_and_keep_nobody_waiting(house: House) -> None:
    log = RecordLog(house.folder, LogSettings(10))
    log.append(Annotation("req_1", KIND, NOON_US, b"\x93no sample"))
    log.append(Annotation("req_2", "another_kind", NOON_US, b""))
    log.append(Annotation("req_3", KIND, NOON_US, encoded(made(LIE))))
    log.close()
    assert house.step() == 1
    assert house.checker.status.unreadable == 2
    assert house.verdicts() == [("req_3", "ungrounded")]


def test_a_sample_that_the_check_cannot_bear_is_left_out(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request_id: str, made_us: int, sample: Sample, sources: Sequence[Source]) -> Finding:
        if request_id == "req_1":
            raise RecursionError(sample.answer)
        return checked(request_id, made_us, sample, sources)

    monkeypatch.setattr("steadyhand.evals.grounding.checker.checked", broken)
    house.write(("req_1", made(LIE)), ("req_2", made(LIE)))
    assert house.step() == 1
    assert house.checker.status.unreadable == 1
    assert "req_1" in caplog.text
    assert "Anna" not in caplog.text
    assert not any(house.folder.iterdir())


def test_a_full_spool_drops_and_counts_and_answers_nothing_worse(tmp_path: Path) -> None:
    settings = GroundingSettings(routes={"support": RouteGrounding(sample_percent=100)})
    log = RecordLog(tmp_path, LogSettings(10_000, max_bytes=2_000, max_pending_bytes=2_000))
    samples = samples_of(settings, log, b"secret")
    assert samples is not None
    for number in range(50):
        assert samples.drawn("support", f"req_{number}") is not None
        samples.take(f"req_{number}", NOON_US, made(LIE))
    assert samples.taken == 50
    assert log.dropped > 0
    assert log.appended + log.dropped == 50
    log.close()
    assert samples.drawn("another", "req_1") is None
    assert samples_of(GroundingSettings(), None, b"secret") is None


def test_rates_are_by_route_and_release(house: House) -> None:
    house.write(
        *((f"req_{number}", made(LIE)) for number in range(3)),
        ("req_a", made(CONTEXT)),
        ("req_b", made("Hello!")),
        ("req_c", made(LIE, tenant="globex")),
    )
    house.step()
    found = house.store.rates(Which({"acme"}), now_us=house.now_us)
    rate = found["support", ""]
    assert (rate.ungrounded, rate.grounded, rate.not_measured) == (3, 1, 1)
    assert rate.share == 0.75
    assert rate.most == 0.8
    since = Which(since_us=house.now_us + 1)
    assert house.store.rates(since, now_us=house.now_us) == {}


def test_what_is_scraped(house: House) -> None:
    metrics = GroundingMetrics(lambda: house.checker.status)
    house.write(("req_1", made(LIE)), ("req_2", made("Hello!")))
    house.step()
    metrics.consume_annotations([*house.said, Annotation("req_3", "unknown", 1, b"")])
    house.checker.status.judged["late"] = 2
    text = collectors.scrape(collectors.registry([metrics]))[0].decode()
    assert 'grounding_checked_total{release="-",route="support",verdict="ungrounded"} 1.0' in text
    assert 'grounding_unmeasured_total{reason="no_claim",route="support"} 1.0' in text
    assert 'grounding_judged_total{outcome="late"} 2.0' in text
    assert "grounding_lag_seconds 0.0" in text


PRINCIPALS = {
    "owner": ("shp_owner_token_000000000000000000", ("operator",), ()),
    "reader": ("shp_reader_token_00000000000000000", ("reader",), ()),
    "globex": ("shp_globex_token_00000000000000000", ("operator",), ("globex",)),
}


def principals() -> dict[str, PrincipalSettings]:
    return {
        name: PrincipalSettings.model_validate(
            {
                "hash": HASH_SCHEME + sha256(token.encode()).hexdigest(),
                "roles": roles,
                "tenants": tenants,
            }
        )
        for name, (token, roles, tenants) in PRINCIPALS.items()
    }


def test_content_is_for_operators_and_each_tenants_for_its_own(
    tmp_path: Path, house: House
) -> None:
    mine, theirs = "req_1111111111", "req_2222222222"
    house.write((mine, made(LIE)), (theirs, made(LIE, tenant="globex")))
    house.step()
    with running_control(
        tmp_path,
        grounding=house.store,
        principals=principals,
        clock=lambda: house.now_us / 1e6,
    ) as control:

        def ask(name: str, path: str, method: str = "GET") -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {PRINCIPALS[name][0]}"}
            answer = control.get(f"/api/v1/grounding{path}", headers, method=method)
            return answer.status, answer.json

        def listed(name: str) -> set[str]:
            return {one["request_id"] for one in ask(name, "/samples")[1]["items"]}

        assert listed("owner") == listed("reader") == {mine, theirs}
        assert listed("globex") == {theirs}
        assert ask("owner", f"/samples/{mine}")[1]["answer"] == LIE
        assert ask("reader", f"/samples/{mine}")[0] == 403
        assert ask("globex", f"/samples/{mine}")[0] == 404
        assert ask("globex", f"/samples/{theirs}")[1]["scores"][0]["verdict"] == "ungrounded"
        assert [one["ungrounded"] for one in ask("globex", "/rates")[1]["items"]] == [1]
        assert ask("reader", f"/samples/{mine}", "DELETE")[0] == 403
        assert ask("globex", f"/samples/{mine}", "DELETE")[0] == 404
        assert ask("globex", "/samples?tenant=acme", "DELETE") == (200, {"deleted": 0})
        assert ask("globex", "/samples?route=support", "DELETE") == (200, {"deleted": 1})
        assert listed("owner") == {mine}
        assert ask("owner", "/samples", "DELETE")[1]["error"]["code"] == "nothing_named"
        assert ask("owner", f"/samples/{mine}", "DELETE") == (200, {"deleted": 1})
        assert ask("owner", f"/samples/{mine}", "DELETE")[0] == 404
