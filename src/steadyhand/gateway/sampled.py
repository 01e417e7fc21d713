"""Take a sample of an answer, after its last byte has left. See ``docs/concepts/grounding.md``."""

from time import time

from steadyhand.evals.grounding.sample import NO_ARM, Arm, Problem, Sample
from steadyhand.gateway.attempt import BegunStream
from steadyhand.gateway.climb.keepable import good_stream, good_whole
from steadyhand.gateway.climb.run import Run, sampling_terms
from steadyhand.gateway.exchange import Exchange
from steadyhand.records.exposures.model import slot_of


def take(exchange: Exchange, run: Run) -> None:
    """Hand on a sample of what ``run`` has said, if the request was drawn."""
    samples = exchange.gear.samples
    terms = sampling_terms(exchange)
    if samples is None or terms is None:
        return
    asked, answer, problem = _said(run, samples.most_bytes)
    ladder, assigned = exchange.answering_ladder(), exchange.assigned
    arm = NO_ARM
    if assigned.salt:
        slot = slot_of(assigned.arm, assigned.part)
        cut = assigned.slices
        arm = Arm(assigned.salt, assigned.unit, slot, cut.weight, cut.controls)
    samples.take(
        exchange.request_id,
        int(time() * 1e6),
        Sample(
            exchange.key.tenant,
            ladder.route,
            ladder.digest,
            terms.probability,
            terms.keep_s,
            asked,
            answer,
            problem,
            arm,
            terms.collections,
        ),
    )


def _said(run: Run, most_bytes: int) -> tuple[bytes, str, Problem]:
    """Return what was asked and answered, and why it cannot be measured, or empty."""
    found = run.found
    if isinstance(found, BegunStream):
        good = good_stream(found.stream, "")
    else:
        good = good_whole(found.body, "") if found is not None else None
    if good is None:
        return b"", "", "not_plain"
    if len(run.asked) + len(good.content.encode(errors="replace")) > most_bytes:
        return b"", "", "too_long"
    return run.asked, good.content, ""
