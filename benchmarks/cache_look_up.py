"""What a look into memory costs, and what the hot tier's eviction is worth.

``python -m benchmarks.cache_look_up [--save NAME] [--gate]``. Microseconds are the best of many
short rounds, as everything that disturbs a round makes it longer. Beside each stands what one
msgspec decode of the same body costs, which moves with the machine. The look is the whole
of it: address (decode of the top level, hash) and table.

The second table plays one Zipf trace, whose questions come once or often, on the hot tier and on a
least-recently-used table of the same bytes.
"""

import argparse
import json
import random
import timeit
from collections import OrderedDict
from pathlib import Path
from time import monotonic

import msgspec

from benchmarks.cache_zipf import zipf
from steadyhand.caching.entry import Entry
from steadyhand.caching.hot import OVERHEAD_BYTES, HotTier
from steadyhand.caching.service import Cache
from steadyhand.core.chat import ChatRequest
from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.ports import CacheTerms
from steadyhand.routing.rungs.base import GoodAnswer, Question

MOST_LOOK_US = 5.0
"""The column of the latency budget for a prompt of 1 KB; held against the plain body."""
ROUNDS, TIMES = 800, 100
TERMS = CacheTerms(shared=False, sampled=True, keep_s=3_600.0)
TRACE = 300_000
HOT_ENTRIES = 2_000
RESULTS = Path(__file__).resolve().parent / "results"


def body(characters: int, **fields: object) -> bytes:
    """Return a chat body with a prompt of about so many characters."""
    text = ("How do I vacuum a table? " * (characters // 25 + 1))[:characters]
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]
    return msgspec.json.encode({"messages": messages, "model": "support", **fields})


BODIES = {
    "1 KB": body(1_000, temperature=0.2),
    "1 KB, a stream": body(
        1_000, temperature=0.2, stream=True, stream_options={"include_usage": True}, user="u-1"
    ),
    "1 KB, with blanks": json.dumps(json.loads(body(1_000, temperature=0.2))).encode(),
    "16 KB": body(16_000, temperature=0.2),
}


def question(asked: bytes) -> Question:
    """Return ``asked`` as a gateway puts it."""
    return Question(
        tenant="acme",
        key="app",
        user="u-1",
        route="support",
        release="ab" * 32,
        stream=False,
        modality="text",
        body=asked,
        messages=[],
        asked_s=monotonic(),
    )


def looks() -> dict[str, dict[str, float]]:
    """Return body → microseconds of a hit, a miss and a decode."""
    cache = Cache(b"s" * 32, HotTier(1 << 24), (), wall_clock_us, max_age_s=3_600)
    decoder = msgspec.json.Decoder(ChatRequest)
    found = {}
    for name, asked in BODIES.items():
        cache.keep(question(asked), TERMS, GoodAnswer("x" * 500, "stop", "m", None, "p/m"))
        hit, miss = question(asked), question(asked.replace(b"vacuum", b"vacuuM"))
        # Two questions in turn: the cache remembers the address of the last one only.
        pair = best_us(lambda: (cache.peek(hit, TERMS), cache.peek(miss, TERMS)))  # noqa: B023
        found[name] = {
            "look_us": pair / 2,
            "decode_us": best_us(lambda: decoder.decode(asked)),  # noqa: B023
        }
        assert cache.peek(hit, TERMS) is not None
        assert cache.peek(miss, TERMS) is None
    return found


def best_us(work: object) -> float:
    """Return the microseconds of one call, in the best of many rounds."""
    return min(timeit.repeat(work, number=TIMES, repeat=ROUNDS)) / TIMES * 1e6  # type: ignore[arg-type]


def evictions() -> dict[str, float]:
    """Return policy → share of hits on one trace: Zipf, and as many questions that come once."""
    entry = Entry("x" * 400, 1)
    hot = HotTier(HOT_ENTRIES * (OVERHEAD_BYTES + 400))
    recent: OrderedDict[bytes, Entry] = OrderedDict()
    chance = random.Random(7)
    ranks = zipf(chance)
    hits = {"S3-FIFO": 0, "least recently used": 0}
    for number in range(TRACE):
        once = chance.random() < 0.5
        name = (number + 10**9 if once else next(ranks)).to_bytes(32, "big")
        if hot.get(name) is None:
            hot.put(name, entry)
        else:
            hits["S3-FIFO"] += 1
        if name in recent:
            recent.move_to_end(name)
            hits["least recently used"] += 1
        else:
            recent[name] = entry
            if len(recent) > HOT_ENTRIES:
                recent.popitem(last=False)
    return {policy: count / TRACE for policy, count in hits.items()}


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--save", metavar="NAME", help="also results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit code 1 if a look takes too long")
    options = parser.parse_args()
    found, shares = looks(), evictions()
    print("| body | look µs | of it decode of the request's struct, for scale |\n|---|---|---|")
    for name, row in found.items():
        print(f"| {name} | {row['look_us']:.2f} | {row['decode_us']:.2f} |")
    print("\n| eviction | hits |\n|---|---|")
    for policy, share in shares.items():
        print(f"| {policy} | {share:.1%} |")
    if options.save:
        text = json.dumps({"looks": found, "evictions": shares}, indent=2) + "\n"
        (RESULTS / f"{options.save}.json").write_text(text)
    return int(options.gate and found["1 KB"]["look_us"] > MOST_LOOK_US)


if __name__ == "__main__":
    raise SystemExit(main())
