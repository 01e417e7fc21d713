"""The judgement of curated answers: exact bounds, and the questions that were committed."""

import pytest

from benchmarks.knowledge import blind
from benchmarks.knowledge.bounds import lower_bound, upper_bound
from benchmarks.knowledge.fit import Row, fit
from benchmarks.knowledge.questions import FILE, make, packed, read


@pytest.mark.parametrize(
    ("seen", "of", "bound"),
    [(0, 500, 0.00597), (1, 100, 0.0466), (10, 10, 1.0), (5, 10, 0.7776)],
)
def test_the_upper_bound_is_clopper_and_pearsons(seen: int, of: int, bound: float) -> None:
    assert upper_bound(seen, of) == pytest.approx(bound, rel=1e-3)
    assert lower_bound(of - seen, of) == pytest.approx(1 - bound, rel=1e-2, abs=1e-6)


def test_the_committed_questions_are_those_that_the_generator_makes() -> None:
    assert read() == list(make())
    assert packed() == packed()
    assert FILE.stat().st_size < 200_000


def test_no_half_is_judged_by_the_sections_that_calibrated_it() -> None:
    halves: dict[str, set[str]] = {"calibrate": set(), "judge": set()}
    for asked in read():
        if asked.right:
            halves[asked.half].add(asked.right)
    assert not halves["calibrate"] & halves["judge"]


def test_a_fit_finds_the_sign_of_what_matters() -> None:
    shares = (0.0, 0.2, 0.8, 1.0)
    bias, weight = fit([Row(False, True, (share,), share > 0.5) for share in shares])
    assert weight > 0 > bias


def test_the_blind_questions_are_about_the_sections_that_were_drawn() -> None:
    covered, bare = blind.drawn()
    for kind, sections in (("covered", covered), ("uncovered", bare)):
        asked = [it.section for it in blind.read() if it.kind == kind]
        assert asked == [section.id for section in sections]


def test_no_blind_question_of_half_b_is_about_a_section_of_the_development() -> None:
    judged = {it.section for it in blind.read() if it.half == "B"} - {""}
    assert not judged & {it.section for it in blind.read(blind.DEVELOPMENT)}
