"""What ``prompt lint`` finds in a prompt that can be served and should not be released so. Pure.

What keeps a prompt from being served at all is
not here: ``validate`` says that (E05..).
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from steadyhand.prompts import checks
from steadyhand.prompts.draft import Draft, Finding, Level


class Rule(NamedTuple):
    """A rule of ``prompt lint``.

    Attributes:
        level: Of its findings.
        title: Half a sentence, for lists.
        text: Why it matters and what to do; for ``steadyhand explain CODE``.
        find: Yields (line, message, hint) for each finding.
    """

    level: Level
    title: str
    text: str
    find: Callable[[Draft], checks.Found]


def lint(draft: Draft) -> list[Finding]:
    """Return what there is to say of ``draft``, in order of lines."""
    found = []
    for code, rule in RULES.items():
        for line, message, hint in rule.find(draft):
            allowed = draft.allow.get(code, "")
            found.append(
                Finding(
                    code, rule.level, draft.prompt.name, draft.path, line, message, hint, allowed
                )
            )
    codes = {one.code for one in found}
    for code in draft.allow:
        if code not in codes:
            message = f"{code} is allowed here, and is not found"
            line = draft.line_of(f"allow.{code}")
            found.append(
                Finding(
                    "P0114", "warning", draft.prompt.name, draft.path, line, message, "remove it"
                )
            )
    return sorted(found, key=lambda one: (one.line, one.code))


def fails(findings: Sequence[Finding], *, strict: bool) -> bool:
    """Tell whether a check of these findings fails; under ``strict`` warnings count, too."""
    return any(not one.allowed and (strict or one.level == "error") for one in findings)


RULES: Final[dict[str, Rule]] = {
    "P0101": Rule(
        "warning",
        "variable that is not used",
        "The front matter declares it, and the text does not use it. Callers would be asked for "
        "something that changes nothing.",
        checks.unused_variables,
    ),
    "P0102": Rule(
        "error",
        "untrusted text in a system message",
        "A variable whose text comes from users, searches or tools stands where models look for "
        "their orders, so whoever writes that text gives orders, too. Put it into a user message. "
        'Where it cannot be otherwise, say why: allow = { P0102 = "..." }.',
        checks.untrusted_in_system,
    ),
    "P0103": Rule(
        "error",
        "no owner",
        "Whoever is woken at night because of this prompt must find out whom to ask.",
        checks.missing_owner,
    ),
    "P0104": Rule(
        "warning",
        "model that may change",
        "The route names an alias, behind which the provider puts other models when it likes. Then "
        "the release that was tested is not what answers. Name a dated version.",
        checks.unpinned_models,
    ),
    "P0105": Rule(
        "error",
        "secret in the text",
        "Prompts are in Git, are sent to providers, and are told to whoever asks nicely. Take the "
        "secret out, and revoke it at its issuer.",
        checks.secrets,
    ),
    "P0106": Rule(
        "error",
        "text that contradicts the schema",
        "The answer must fit a JSON schema, and the text asks for another form or for fields that "
        "the schema does not have. Models then do either, or neither.",
        checks.contradictions,
    ),
    "P0107": Rule(
        "warning",
        "JSON that nothing enforces",
        "The text asks for JSON. Without a schema it will come now and then with a sentence around "
        "it. Add output_schema.",
        checks.unenforced_json,
    ),
    "P0108": Rule(
        "error",
        "over its token budget",
        "With one of its samples the prompt has more tokens than budget_tokens. They are counted "
        "by a rule of thumb, four characters each.",
        checks.over_budget,
    ),
    "P0109": Rule(
        "warning",
        "no sample",
        "Samples show what a prompt becomes. Reviews, previews and drills use them; without one, "
        "values are made up.",
        checks.missing_samples,
    ),
    "P0110": Rule(
        "error",
        "sample that fails",
        "What comes out with the values of a sample lacks a text that must be there, or has one "
        "that must not.",
        checks.failing_samples,
    ),
    "P0111": Rule(
        "error",
        "translation that uses other variables",
        "Something was lost or added in translation: the same request would say more or less to "
        "the model, depending on its language.",
        checks.unlike_translations,
    ),
    "P0112": Rule(
        "warning",
        "written for another model",
        "The key model names the model that the text was written and tried with, and a route asks "
        "another one with it.",
        checks.other_models,
    ),
    "P0113": Rule(
        "warning",
        "not asked with",
        "No rung of any route calls a model with this prompt.",
        checks.unasked,
    ),
    "P0114": Rule(
        "warning",
        "allowed without need",
        "The key allow names a code that is not found here any more, or never was.",
        lambda _: iter(()),
    ),
}
"""Code → rule, in order."""
