"""Every name that a span of ours may carry; the only file to change when a convention does. Pure.

Sources, read 2026-11: OpenTelemetry's conventions for generative AI (repository
``semantic-conventions-genai``, development status), for HTTP, and for errors. What these have no
name for begins with ``steadyhand.``; among them is what an answer cost. Tokens and cost are those
of one attempt; sums over a request have other names, so that who adds up spans counts them once.
"""

from typing import Final

# Generative AI.
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
OUTPUT_TYPE: Final = "gen_ai.output.type"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_CHUNK_S: Final = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
PROMPT_NAME: Final = "gen_ai.prompt.name"
PROMPT_VERSION: Final = "gen_ai.prompt.version"
EVALUATION: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

# HTTP and errors.
METHOD: Final = "http.request.method"
STATUS: Final = "http.response.status_code"
REQUEST_BYTES: Final = "http.request.body.size"
RESPONSE_BYTES: Final = "http.response.body.size"
PATH: Final = "url.path"
SCHEME: Final = "url.scheme"
ERROR_TYPE: Final = "error.type"

# Resource.
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"

# Ours.
REQUEST_ID: Final = "steadyhand.request.id"
TENANT: Final = "steadyhand.tenant.id"
KEY: Final = "steadyhand.key.name"
CHANNEL: Final = "steadyhand.channel"
ROUTE: Final = "steadyhand.route"
RELEASE: Final = "steadyhand.release.digest"
SNAPSHOT: Final = "steadyhand.snapshot.digest"
ARM: Final = "steadyhand.rollout.arm"
ROLLOUT: Final = "steadyhand.rollout.id"
CANDIDATE_SHARE: Final = "steadyhand.rollout.candidate_share"
SLO: Final = "steadyhand.slo.class"
BUDGET_MS: Final = "steadyhand.budget_ms"
IN_TIME: Final = "steadyhand.in_time"
LEFT_MS: Final = "steadyhand.budget_left_ms"
OUTCOME: Final = "steadyhand.outcome"
REASON: Final = "steadyhand.reason"
RUNG: Final = "steadyhand.rung"
IS_FLOOR: Final = "steadyhand.is_floor"
DEPLOYMENT: Final = "steadyhand.deployment"
REGION: Final = "steadyhand.region"
ROLE: Final = "steadyhand.attempt.role"
BEGAN_BECAUSE: Final = "steadyhand.attempt.began_because"
ENDED_BECAUSE: Final = "steadyhand.attempt.ended_because"
SPEAKS: Final = "steadyhand.attempt.speaks"
COUNTING: Final = "steadyhand.usage.counting"
COST_USD: Final = "steadyhand.cost.usd"
ALL_INPUT_TOKENS: Final = "steadyhand.request.input_tokens"
ALL_OUTPUT_TOKENS: Final = "steadyhand.request.output_tokens"
ALL_COST_USD: Final = "steadyhand.request.cost_usd"
COST_IS_WHOLE: Final = "steadyhand.request.cost_is_whole"
AGE_MS: Final = "steadyhand.stored.age_ms"
CONFIDENCE: Final = "steadyhand.stored.confidence"
SOURCE: Final = "steadyhand.stored.source"
JUDGED_S: Final = "steadyhand.evaluation.judged_unix_s"
JUDGED_BY: Final = "steadyhand.evaluation.by"
UNMEASURED: Final = "steadyhand.evaluation.unmeasured_reason"
DRAWN_WITH: Final = "steadyhand.evaluation.sample_probability"
IS_DRILL: Final = "steadyhand.is_drill"
PROCESS: Final = "steadyhand.process"
FROM: Final = "steadyhand.from"
TO: Final = "steadyhand.to"

SWITCHED: Final = "steadyhand.switched"
"""Event: another rung or deployment was asked instead of the one before."""
HEDGED: Final = "steadyhand.hedged"
"""Event: another deployment was asked beside the one that was silent."""
NOT_HEDGED: Final = "steadyhand.not_hedged"
"""Event: a hedge was due, and the hedge budget refused."""
GAVE_UP: Final = "steadyhand.gave_up"
"""Event: nobody waited any longer for a candidate."""
PLANNED_AROUND: Final = "steadyhand.planned_around"
"""Event: a candidate had its turn and was not asked."""
SPOKE: Final = "steadyhand.spoke"
"""Event: the answer began to leave."""

CHAT: Final = "chat"

WELL_KNOWN: Final = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "openai": "openai",
    "perplexity": "perplexity",
    "vertex": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""The convention's name of a provider, by what a workspace is likely to call it."""

HOSTS: Final = {
    "api.anthropic.com": "anthropic",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.openai.com": "openai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""The convention's name of a provider, by the host that it is asked at."""


def provider_name(name: str, host: str = "") -> str:
    """Return the convention's name of a provider; the workspace's, if the convention has none."""
    if host in HOSTS:
        return HOSTS[host]
    if host.endswith((".openai.azure.com", ".services.ai.azure.com")):
        return "azure.ai.openai"
    if host.endswith("aiplatform.googleapis.com"):
        return "gcp.vertex_ai"
    if host.startswith("bedrock") and host.endswith(".amazonaws.com"):
        return "aws.bedrock"
    if host:
        return name
    return WELL_KNOWN.get(name.replace("-", "_").lower(), name)
