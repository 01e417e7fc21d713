"""A workspace for measuring: one key, and routes to the mock upstream.

The floors are ``error``, so that an answer which did not come from upstream never reads as good;
one more route has a floor that speaks.
"""

from hashlib import sha256
from pathlib import Path

from benchmarks.prompts import MODEL

KEY = "sk-sh-benchmarks-only-0000000000000000000000000"
"""Opens nothing but the workspaces that are made here."""

FAULTY = "faulty"
"""A route of its own provider, so that errors asked for do not count against the other one."""

FLOORED = "floored"
"""The same provider below a floor that speaks: what callers get while every model is down."""

_SETTINGS = """\
[providers.{route}]
kind = "openai"
base_url = "{upstream}/v1"
api_key = "file:{secret}"

[providers.{faulty}]
kind = "openai"
base_url = "{upstream}/v1"
api_key = "file:{secret}"
"""

_KEYS = """\
[keys.bench]
hash = "sha256:{digest}"
tenant = "bench"
routes = ["{route}", "{faulty}", "{floored}"]
"""

_ROUTE = """\
slo = "interactive"

[[rungs]]
kind = "live"
provider = "{provider}"
model = "mock-model"

[floor]
{floor}
"""

_ERROR = 'kind = "error"'
_TEXT = 'kind = "template"\ntext = "No model can be reached; this was prepared."'


def write_workspace(folder: Path, upstream: str) -> None:
    """Write a workspace to ``folder``, which is made, in front of the server at ``upstream``."""
    (folder / "routes").mkdir(parents=True)
    secret = folder / "upstream.key"
    secret.write_text("sk-upstream-benchmark\n", encoding="utf-8")
    secret.chmod(0o600)
    digest = sha256(KEY.encode()).hexdigest()
    texts = {
        "steadyhand.toml": _SETTINGS.format(
            route=MODEL, faulty=FAULTY, upstream=upstream, secret=secret.name
        ),
        "keys.toml": _KEYS.format(digest=digest, route=MODEL, faulty=FAULTY, floored=FLOORED),
        f"routes/{MODEL}.toml": _ROUTE.format(provider=MODEL, floor=_ERROR),
        f"routes/{FAULTY}.toml": _ROUTE.format(provider=FAULTY, floor=_ERROR),
        f"routes/{FLOORED}.toml": _ROUTE.format(provider=FAULTY, floor=_TEXT),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
