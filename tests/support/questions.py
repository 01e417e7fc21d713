"""Questions put to the cache, and answers given to it, with defaults."""

import json
from time import monotonic
from typing import Any

import msgspec

from steadyhand.routing.ports import CacheTerms
from steadyhand.routing.rungs.base import GoodAnswer, Question

TERMS = CacheTerms(shared=False, sampled=True, keep_s=3600.0)
SHARED = CacheTerms(shared=True, sampled=True, keep_s=3600.0)


def body(text: str = "How do I vacuum a table?", **fields: Any) -> bytes:
    """Return a chat body without blanks, as SDKs write it."""
    messages = [{"role": "user", "content": text}]
    whole = {"messages": messages, "model": "support", **fields}
    return json.dumps(whole, separators=(",", ":")).encode()


def question(
    asked: bytes | None = None,
    *,
    tenant: str = "acme",
    key: str = "app",
    user: str = "",
    route: str = "support",
    release: str = "r1",
    has_user_context: bool = False,
) -> Question:
    """Return a question that is asked now."""
    return Question(
        tenant=tenant,
        key=key,
        user=user,
        route=route,
        release=release,
        stream=False,
        modality="text",
        body=body() if asked is None else asked,
        messages=[msgspec.Raw(b"{}")],
        has_user_context=has_user_context,
        asked_s=monotonic(),
    )


def answer(content: str = "VACUUM table;", finish_reason: str = "stop") -> GoodAnswer:
    """Return a whole live answer."""
    return GoodAnswer(content, finish_reason, "gpt-fast-0613", None, "openai/gpt-fast")
