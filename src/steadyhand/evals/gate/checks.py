"""Whether one answer is good, by the checks of its case. Pure."""

import json
from typing import NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from steadyhand.evals.gate.suite import Case


class Answer(NamedTuple):
    """What came back for one question.

    Attributes:
        text: Of the answer; empty if there is none.
        rung: That spoke.
        took_ms: To the end of the answer.
        tokens: In and out.
        problem: Why there is no answer; empty if there is one.
    """

    text: str
    rung: str
    took_ms: float
    tokens: int
    problem: str = ""


class Judged(NamedTuple):
    """What was made of an answer.

    Attributes:
        is_measured: Whether it says anything of the release: another rung than the wanted one, or
            no answer at all, says something of the provider.
        failures: Checks that it did not pass, in words.
    """

    is_measured: bool
    failures: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether it passed."""
        return self.is_measured and not self.failures


def judge(case: Case, answer: Answer) -> Judged:
    """Return what the checks of ``case`` make of ``answer``."""
    if answer.problem:
        return Judged(is_measured=False, failures=(answer.problem,))
    if case.rung and answer.rung != case.rung:
        return Judged(
            is_measured=False,
            failures=(f"the rung {answer.rung!r} spoke instead of {case.rung!r}",),
        )
    return Judged(is_measured=True, failures=tuple(_failures(case, answer.text)))


def _failures(case: Case, text: str) -> list[str]:
    low = text.casefold()
    found = [f"has not {each!r}" for each in case.contains if each.casefold() not in low]
    if case.contains_any and not any(each.casefold() in low for each in case.contains_any):
        found.append(f"has none of {', '.join(map(repr, case.contains_any))}")
    found += [f"has {each!r}" for each in case.not_contains if each.casefold() in low]
    if case.equals and text.strip() != case.equals.strip():
        found.append("is not the wanted text")
    words = len(text.split())
    if case.max_words and words > case.max_words:
        found.append(f"has {words} words, more than {case.max_words}")
    if case.schema is not None:
        found += _against(case.schema, text)
    return found


def _against(schema: dict[str, object], text: str) -> list[str]:
    try:
        value = json.loads(text)
    except ValueError:
        return ["is not JSON"]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return [f"the case's schema is none: {error.message}"]
    first = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    return [] if first is None else [f"breaks its schema: {first.message[:200]}"]
