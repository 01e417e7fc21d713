"""Grounding of a real installation: sampled, checked, shown, counted, deleted, never logged."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.canned_upstream import CannedUpstream
from tests.support.chats import answer_body, text_events
from tests.support.commands import steadyhand
from tests.support.curated import answer_file
from tests.support.installations import Installation, Upstreams, route_text, serving, settings_text
from tests.support.programs import eventually
from tests.support.raw_client import Line
from tests.support.tree import ROOT

GROUNDING = """
[grounding.routes.sampled]
sample_percent = 100
keep_hours = 1

[grounding.routes.streamed]
sample_percent = 100

[grounding.routes.curated]
sample_percent = 100
collections = ["help"]

[objectives.routes.sampled]
grounded = {target_percent = 90}
"""
SHOP = (
    "<document id='terms'>Refunds are possible within 30 days of purchase. Shipping is free above "
    "50 EUR.</document>\nWhat are your terms?"
)
QUESTION = [{"role": "user", "content": SHOP}]
SECRET = "Zebras of Atlantis paid 7,777 EUR to Anna Miller."
TRUE = "Refunds are possible within 30 days of purchase."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    canned: CannedUpstream = upstreams.canned
    lies = canned.answer(answer_body(SECRET))
    streamed = canned.stream(*text_events(TRUE))
    files = {
        "steadyhand.toml": settings_text(upstreams) + GROUNDING,
        "routes/sampled.toml": route_text(f"canned/{lies.model}"),
        "routes/streamed.toml": route_text(f"canned/{streamed.model}"),
        "routes/curated.toml": route_text(f"canned/{lies.model}"),
        "answers/help/pay.md": answer_file(["Who paid Anna Miller?"], "Nobody paid Anna Miller."),
        "routes/quiet.toml": route_text(f"canned/{lies.model}"),
    }
    with serving(tmp_path_factory.mktemp("grounding"), upstreams, files) as made:
        yield made


def finding(house: Installation, request_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        status, found = house.rest(f"/grounding/samples/{request_id}")
        return found if status == 200 else None

    return eventually(look, f"{request_id} to be checked")


def ask(house: Installation, route: str, **fields: Any) -> str:
    answer = house.ask(route, messages=QUESTION, **fields)
    assert answer.status == 200
    return answer.headers["x-steadyhand-request-id"]


def test_an_answer_from_nowhere_is_found_and_told(house: Installation, tmp_path: Path) -> None:
    request_id = ask(house, "sampled")
    found = finding(house, request_id)
    assert found["verdict"] == "ungrounded"
    assert found["answer"] == SECRET
    assert found["context"] == [
        "Refunds are possible within 30 days of purchase. Shipping is free above 50 EUR."
    ]
    assert [one["verdict"] for one in found["scores"]] == ["ungrounded"]
    assert found["probability"] == 1
    assert found["tenant"] == "acme"

    def annotated() -> dict[str, Any] | None:
        notes = house.record(request_id)["annotations"]
        return next((note["grounding"] for note in notes if note["kind"] == "grounding"), None)

    said = eventually(annotated, "the annotation")
    assert (said["verdict"], said["by"]) == ("ungrounded", "overlap-1")
    assert "found ungrounded by overlap-1" in house.record(request_id)["explanation"]

    def is_counted() -> bool:
        with Line(house.control_port) as line:
            text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
        counted = 'checked_total{release="-",route="sampled",verdict="ungrounded"}'
        bad = 'steadyhand_objective_bad_events_total{objective="grounded",route="sampled"} 0.0'
        return counted in text and "objective_bad_events_total" in text and bad not in text

    eventually(is_counted, "metric and objective")
    _, rates = house.rest("/grounding/rates?route=sampled")
    (rate,) = rates["items"]
    assert rate["ungrounded_percent"] == 100
    assert 0 < rate["low_percent"] < 100 == rate["high_percent"]
    for path in (tmp_path, house.root.parent):
        for log in path.glob("*.log"):
            assert "Atlantis" not in log.read_text()


def test_a_stream_is_sampled_and_a_route_that_is_not_named_never(house: Installation) -> None:
    quiet = ask(house, "quiet")
    request_id = ask(house, "streamed", stream=True)
    found = finding(house, request_id)
    assert (found["verdict"], found["answer"]) == ("grounded", TRUE)
    house.record(quiet)
    assert house.rest(f"/grounding/samples/{quiet}")[0] == 404


def test_curated_answers_on_the_question_are_context(house: Installation) -> None:
    asked = [{"role": "user", "content": "Who paid Anna Miller?"}]
    answer = house.ask("curated", messages=asked)
    found = finding(house, answer.headers["x-steadyhand-request-id"])
    assert found["verdict"] == "ungrounded"
    assert found["sources"] == ["manual"]
    assert found["context"] == ["Nobody paid Anna Miller."]


def test_without_labelled_context_nothing_is_measured(house: Installation) -> None:
    answer = house.ask("sampled", messages=[{"role": "user", "content": "What are your terms?"}])
    found = finding(house, answer.headers["x-steadyhand-request-id"])
    assert (found["verdict"], found["reason"]) == ("not_measured", "no_context")


def test_the_reference_describes_what_an_installation_offers(house: Installation) -> None:
    status, served = house.rest("/openapi.json")
    assert status == 200
    written = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8"))
    assert served["paths"].keys() == written["paths"].keys()


def test_the_command_lists_shows_and_deletes(house: Installation) -> None:
    request_id = ask(house, "sampled")
    finding(house, request_id)
    where = ("--workspace", str(house.root), "--url", f"http://127.0.0.1:{house.control_port}")
    listed = steadyhand("grounding", "list", "--verdict", "ungrounded", *where).stdout
    assert request_id in listed
    assert "Atlantis" not in listed
    shown = steadyhand("grounding", "show", request_id, *where).stdout
    assert SECRET in shown
    assert "sampled" in steadyhand("grounding", "rates", *where).stdout
    assert "1 deleted" in steadyhand("grounding", "delete", request_id, *where).stdout
    assert house.rest(f"/grounding/samples/{request_id}")[0] == 404
    assert steadyhand("grounding", "delete", "--tenant", "acme", *where).returncode == 0
