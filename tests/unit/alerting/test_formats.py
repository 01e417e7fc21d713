"""Forms of a message."""

import json
from typing import Any

from steadyhand.alerting.formats import json as plain
from steadyhand.alerting.formats import slack
from steadyhand.alerting.model import Alert, Message

BASE = "https://docs.example/"
HOSTILE = "<!channel> <@U1|x> *bold* `code` & <https://evil|click>\n\x00" + "x" * 5_000


def alert(route: str = "support", summary: str = "It burns.", severity: Any = "page") -> Alert:
    return Alert("SteadyhandBudgetBurns", severity, (("route", route),), summary, "on-call.md#x", 7)


def link(runbook: str) -> str:
    return BASE + runbook


def said(message: Message) -> tuple[str, str]:
    told = json.loads(slack.body(message, link))
    return told["text"], "\n".join(block["text"]["text"] for block in told["blocks"])


def test_json_has_everything_a_program_needs() -> None:
    message = Message("msg_1", 9, (alert(),), (alert("classify"),), 3, 4)
    assert json.loads(plain.body(message, link)) == {
        "type": "alerts",
        "made_at_s": 9,
        "firing": 4,
        "unlisted": 3,
        "began": [
            {
                "name": "SteadyhandBudgetBurns",
                "fingerprint": alert().fingerprint,
                "severity": "page",
                "labels": {"route": "support"},
                "summary": "It burns.",
                "runbook": "https://docs.example/on-call.md#x",
                "since_s": 7,
            }
        ],
        "ended": [
            {
                "name": "SteadyhandBudgetBurns",
                "fingerprint": alert("classify").fingerprint,
                "severity": "page",
                "labels": {"route": "classify"},
                "summary": "It burns.",
                "runbook": "https://docs.example/on-call.md#x",
                "since_s": 7,
            }
        ],
    }
    assert json.loads(plain.body(Message("m", 0, (), (), is_test=True), link))["type"] == "test"


def test_slack_says_what_began_what_is_over_and_where_the_runbook_is() -> None:
    began = (alert(), alert("slow", "It leaks.", "ticket"))
    headline, text = said(Message("m", 0, began, (alert("classify", "It was bad."),), 5, 9))
    assert headline == "Steadyhand: It burns. (and 6 more)"
    lines = text.splitlines()
    assert lines[0] == (
        "🔴 *SteadyhandBudgetBurns* It burns. <https://docs.example/on-call.md#x|runbook>"
    )
    assert lines[1].startswith("🟡 *SteadyhandBudgetBurns* It leaks.")
    assert lines[2].startswith("🟢 over: *SteadyhandBudgetBurns* It was bad.")
    assert lines[3] == "… and 5 more"


def test_slack_without_an_address_names_the_file() -> None:
    told = json.loads(slack.body(Message("m", 0, (alert(),), ()), lambda runbook: runbook))
    assert told["blocks"][0]["text"]["text"].endswith("`on-call.md#x`")


def test_slack_says_what_is_over_and_what_is_a_test() -> None:
    assert said(Message("m", 0, (), (alert(),), 0, 2))[0] == "Steadyhand: 1 over, 2 still firing"
    headline, text = said(Message("m", 0, (), (), is_test=True))
    assert "test message" in headline
    assert text == "Nothing is wrong."


def test_nothing_that_a_label_says_is_read_by_slack() -> None:
    many = tuple(alert(f"r{number}", HOSTILE) for number in range(20))
    told = json.loads(slack.body(Message("m", 0, many, ()), link))
    assert len(told["blocks"]) > 1
    for block in told["blocks"]:
        text = block["text"]["text"]
        assert len(text) <= 3_000
        assert "<!channel>" not in text
        assert "<@" not in text
        assert "evil|" not in text.replace("&lt;https://evil|click&gt;", "")
        assert "&lt;!channel&gt;" in text
    assert "<" not in told["text"]
