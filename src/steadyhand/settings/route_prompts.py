"""Do the prompts of one route go together? A request gives its values once, for all of them."""

from collections.abc import Iterator, Mapping

from steadyhand.routing.settings import RouteSettings
from steadyhand.settings.document import Report
from steadyhand.settings.prompts import PromptFile


def prompts_of(route: RouteSettings) -> Iterator[tuple[str, str]]:
    """Yield (setting, prompt) for the route's own prompt and for those of its rungs."""
    if route.prompt is not None:
        yield "prompt", route.prompt
    for index, rung in enumerate(route.rungs):
        own = rung.own_keys.get("prompt")
        if isinstance(own, str):
            yield f"rungs[{index}].prompt", own


def check_prompts_of(
    routes: Mapping[str, RouteSettings], prompts: Mapping[str, PromptFile], report: Report
) -> None:
    """Note prompts of one route that do not go together.

    What kind of answer a request can take is settled before anybody is asked, so only the route's
    own prompt has tools or a schema.
    """
    for name, route in routes.items():
        first: dict[str, str] = {}
        for setting, used in prompts_of(route):
            if used in prompts:
                _check(f"routes/{name}.toml", setting, used, prompts, first, report)


def _check(
    file: str,
    setting: str,
    name: str,
    prompts: Mapping[str, PromptFile],
    first: dict[str, str],
    report: Report,
) -> None:
    prompt = prompts[name].prompt
    if setting != "prompt" and (prompt.tools or prompt.output):
        report.add_file(
            "E0507",
            file,
            f"prompt {name!r} of {setting} has tools or a schema",
            hint="what kind of answer is wanted is for the route's own prompt to say",
        )
    for key, variable in prompt.variables.items():
        other = first.setdefault(key, name)
        if prompts[other].prompt.variables[key] != variable:
            report.add_file(
                "E0507",
                file,
                f"prompts {other!r} and {name!r} declare the variable {key!r} differently",
                hint="declare it alike in both: a request gives it once",
            )
