"""Clients that nobody here wrote, against a running installation.

``programs/`` and ``node/`` hold one program for each; here stands what they must find. A client
that stumbles over us is our fault until it stumbles over OpenAI too.
"""

from typing import Any

import pytest

from tests.support.clients import Answers, Client, Conversations
from tests.support.installations import FLOOR_TEXT
from tests.support.tree import ROOT

SAID = "You asked: “How warm is it in {}?”. A simulated model answers; no model was asked."
SEPARATORS = "One line\u2028two lines\u2029three lines\u0085and a last one, café \U0001f600."

EVERY = frozenset(
    {
        *("version", "page", "plain", "structured"),
        *("wrong_key", "unknown_model", "refused", "rate_limit", "retries", "no_answer", "cut"),
    }
)
CHAT = EVERY | {
    *("stream", "tools", "tools_streamed", "tools_at_once", "cut_call"),
    *("floor", "floor_streamed", "odd_streams"),
}
ASYNC = CHAT | {"plain_async", "stream_async"}

OPENAI = {
    "wrong_key": "AuthenticationError",
    "unknown_model": "NotFoundError",
    "refused": "BadRequestError",
    "rate_limit": "RateLimitError",
    "no_answer": "InternalServerError",
    "cut": "APIError",
}
"""The exceptions of OpenAI's own package, which many clients raise or derive theirs from."""

CLIENTS = [  # the slowest to import first
    Client(
        "litellm",
        ("litellm",),
        {**OPENAI, "no_answer": "ServiceUnavailableError", "cut": "MidStreamFallbackError"},
        ASYNC,
    ),
    Client("llamaindex", ("llamaindex",), OPENAI, ASYNC | {"structured_by_tool"}),
    Client("openai-agents", ("openai_agents",), OPENAI, CHAT),
    Client(
        "langchain",
        ("langchain",),
        {
            "wrong_key": "ModelAuthenticationError",
            "unknown_model": "ModelNotFoundError",
            "refused": "ContextOverflowError",
            "rate_limit": "ModelRateLimitError",
            "no_answer": "ModelAPIError",
            "cut": "APIError",
        },
        ASYNC | {"structured_by_tool"},
    ),
    Client(
        "pydantic-ai",
        ("pydantic_ai",),
        {**dict.fromkeys(OPENAI, "ModelHTTPError"), "cut": "APIError"},
        CHAT | {"structured_by_tool"},
    ),
    Client(
        "instructor",
        ("instructor",),
        dict.fromkeys(OPENAI, "InstructorRetryException"),
        EVERY
        | {"structured_async", "structured_by_tool", "structured_streamed", "structured_list"},
    ),
    Client(
        "openai-node",
        ("openai.js",),
        OPENAI,
        CHAT | {"tools_run_by_the_client", "structured_streamed"},
    ),
    *(
        Client(
            f"ai-sdk-{kind}",
            ("ai_sdk.js", kind),
            {**dict.fromkeys(OPENAI, "APICallError"), "cut": "Object"},
            CHAT | {"structured_streamed", "cut_told_to_readers"},
        )
        for kind in ("openai", "openai-compatible")
    ),
]
STATUS = {
    "wrong_key": 401,
    "unknown_model": 404,
    "refused": 400,
    "rate_limit": 429,
    "no_answer": 503,
}
CODES = {
    "wrong_key": "invalid_api_key",
    "unknown_model": "model_not_found",
    "refused": "context_length_exceeded",
    "rate_limit": "rate_limit_exceeded",
    "no_answer": "no_answer",
}
OWN_CODES = {("litellm", "rate_limit"): "429"}
"""Where a client puts the status in the place of the code."""


def rows(*scenarios: str) -> list[Any]:
    """Return (client, scenario) for those clients that have it."""
    return [
        pytest.param(client, scenario, id=f"{client.name}-{scenario}")
        for client in CLIENTS
        for scenario in scenarios
        if scenario in client.scenarios
    ]


def text_of(found: dict[str, Any]) -> str:
    """Return the words of an answer, in one piece or many."""
    return str(found["text"]) if "text" in found else "".join(found["pieces"])


@pytest.fixture
def answers(conversations: Conversations, client: Client) -> Answers:
    """What the client of this test found."""
    return conversations.of(client)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_scenario_ran_and_no_other(client: Client, answers: Answers) -> None:
    assert sorted(answers.lines) == sorted(client.scenarios), answers.said


@pytest.mark.parametrize(("client", "scenario"), rows("version"))
def test_the_guide_names_the_version(client: Client, scenario: str, answers: Answers) -> None:
    found = answers.found(scenario)
    guide = (ROOT / "docs/guides/clients.md").read_text(encoding="utf-8")
    assert f"`{found['package']}` {found['version']}" in guide


@pytest.mark.parametrize(("client", "scenario"), rows("page"))
def test_the_lines_of_the_guide_work(client: Client, scenario: str, answers: Answers) -> None:
    assert "How do I dump a large database?" in answers.found(scenario)["printed"]


@pytest.mark.parametrize(("client", "scenario"), rows("plain", "plain_async"))
def test_an_answer(client: Client, scenario: str, answers: Answers) -> None:
    found = answers.found(scenario)
    assert found["text"] == SAID.format(answers.word)
    assert found.get("finish", "stop") == "stop"
    if "usage" in found:
        assert min(found["usage"].values()) > 0


@pytest.mark.parametrize(("client", "scenario"), rows("stream", "stream_async"))
def test_a_stream_and_its_usage(client: Client, scenario: str, answers: Answers) -> None:
    found = answers.found(scenario)
    assert "".join(found["pieces"]) == SAID.format(answers.word)
    assert len(found["pieces"]) > 3
    if scenario == "stream":
        assert found["usage"] == answers.found("plain")["usage"]


@pytest.mark.parametrize(("client", "scenario"), rows("odd_streams"))
def test_streams_that_are_odd_but_whole(client: Client, scenario: str, answers: Answers) -> None:
    usage = answers.found("plain")["usage"]
    for name, found in answers.found(scenario).items():
        said = SEPARATORS if name == "unicode-separators" else SAID.format(answers.word)
        assert "".join(found["pieces"]) == said, name
        assert found["usage"]["input"] == usage["input"], name
        if name not in ("unicode-separators", "reasoning"):  # those say more, or less
            assert found["usage"]["output"] == usage["output"], name


@pytest.mark.parametrize(
    ("client", "scenario"), rows("tools", "tools_streamed", "tools_run_by_the_client")
)
def test_a_tool_is_called_and_its_result_told(
    client: Client, scenario: str, answers: Answers
) -> None:
    found = answers.found(scenario)
    assert found["called"] == "weather"
    assert found["arguments"] == {"city": "sample city"}
    assert found["text"] == "The tool answered: 31 degrees in sample city"


@pytest.mark.parametrize(("client", "scenario"), rows("tools_at_once"))
def test_several_tools_are_called_at_once(client: Client, scenario: str, answers: Answers) -> None:
    both = ["weather", "news"]
    assert answers.found(scenario) == {"plain": both, "streamed": both}


@pytest.mark.parametrize(
    ("client", "scenario"),
    rows(
        *("structured", "structured_async", "structured_by_tool"),
        *("structured_streamed", "structured_list"),
    ),
)
def test_a_structured_answer(client: Client, scenario: str, answers: Answers) -> None:
    assert answers.found(scenario) == {"city": "sample city", "celsius": 1.5, "sky": "clear"}


@pytest.mark.parametrize(("client", "scenario"), rows("floor", "floor_streamed"))
def test_a_floor_is_an_answer_like_any(client: Client, scenario: str, answers: Answers) -> None:
    assert text_of(answers.found(scenario)) == FLOOR_TEXT


@pytest.mark.parametrize(("client", "scenario"), rows(*STATUS))
def test_an_error_is_the_clients_own(client: Client, scenario: str, answers: Answers) -> None:
    found = answers.found(scenario)
    assert client.errors[scenario] in found["types"]
    assert found["status_code"] == STATUS[scenario]
    assert found["code"] == OWN_CODES.get((client.name, scenario), CODES[scenario])


@pytest.mark.parametrize(("client", "scenario"), rows("rate_limit"))
def test_an_error_says_how_long_to_wait(client: Client, scenario: str, answers: Answers) -> None:
    assert answers.found(scenario)["retry_after"] == "3"


@pytest.mark.parametrize(("client", "scenario"), rows("retries"))
def test_a_retry_waits_as_told(client: Client, scenario: str, answers: Answers) -> None:
    assert 429 in answers.found(scenario).values()
    assert sum("retry_after_s=0.2" in body for body in answers.bodies) == 2
    assert answers.lines[scenario]["took_s"] >= 0.15


@pytest.mark.parametrize(("client", "scenario"), rows("cut", "cut_call"))
def test_a_cut_stream_is_an_error_and_no_end(
    client: Client, scenario: str, answers: Answers
) -> None:
    found = answers.found(scenario)
    assert client.errors["cut"] in found["types"]
    assert "the answer was cut off before its end" in found["text"]


@pytest.mark.parametrize(("client", "scenario"), rows("cut_told_to_readers"))
def test_a_cut_stream_reaches_who_reads_only_text(
    client: Client, scenario: str, answers: Answers
) -> None:
    """The SDK ends ``textStream`` as if whole; the finish reason tells, as the guide says."""
    found = answers.found(scenario)
    assert found["finish"] == "error"
    assert "cut off" in found["told"]
