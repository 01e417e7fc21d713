"""The recorder, against the simulator in place of a host that costs money."""

from pathlib import Path

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.contract.record_fixtures import KIND, Recorder, anonymous, answers, main
from tests.support.outcomes import events
from tests.support.simulators import simulator_server
from tests.support.wire_fixtures import exchanges


async def test_what_is_recorded_is_a_fixture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with simulator_server() as (server, url):
        missed = await Recorder(f"{url}/v1", "sk-secret-0123456789", "steady", tmp_path).run()
        assert server.log.latest[0].header("authorization") == "Bearer sk-secret-0123456789"
    recorded = {exchange.name: exchange for exchange in exchanges(KIND, tmp_path)}
    assert len(recorded) == len(answers()) - missed
    assert missed == 1, "the simulated model does not mind any temperature"
    assert "error_400_value" in capsys.readouterr().err
    for exchange in recorded.values():
        assert b"secret" not in exchange.body
        if exchange.stream:
            for chunk in events(exchange.body)[:-1]:
                ChatCompletionChunk.model_validate_json(chunk)
        elif exchange.failure is None:
            ChatCompletion.model_validate_json(exchange.body)


def test_ids_are_numbered_and_keep_apart() -> None:
    text = '["call_abc", "call_def", "call_abc", "chatcmpl-x-1", "recall_me"]'
    assert anonymous(text) == '["call_1", "call_2", "call_1", "chatcmpl-3", "recall_me"]'


def test_without_a_key_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main() == 2
    assert "OPENAI_API_KEY" in capsys.readouterr().err
