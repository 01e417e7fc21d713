"""Break a simulated provider of a workspace, and mend it, by editing ``steadyhand.toml``.

The file says what runs, so this is all that breaking takes: a running gateway takes the change
over by itself, and ``git diff`` shows it. The whole workspace is checked before, because a
workspace with mistakes would not be taken over, and the result is checked after.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from steadyhand.core.errors import ConfigurationError, NotFound
from steadyhand.settings.behaviour_edit import set_behaviour, unset_behaviour
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.sections import FILE
from steadyhand.simulation.behaviour import BEHAVIOURS, choose
from steadyhand.simulation.dials import Dials
from steadyhand.simulation.request import Refusal
from steadyhand.storage.files import replace_file

SIMULATED = "simulated"


class _Behaviours(msgspec.Struct, frozen=True):
    """The keys of a simulated provider's table that say how it behaves."""

    behaviour: str = ""
    behaviours: dict[str, str] = {}


class UnknownBehaviour(ConfigurationError):
    """No simulated model can behave so."""

    code, status = "unknown_behaviour", 422


class NotSimulated(ConfigurationError):
    """Only simulated providers can be broken on command; others fail by themselves."""

    code, status = "not_simulated", 422


class Overridden(ConfigurationError):
    """An environment variable decides how the provider behaves, so editing the file cannot."""

    code, status = "overridden", 409


def break_provider(
    workspace: Path,
    provider: str,
    behaviour: str,
    model: str = "",
    environment: Mapping[str, str] = os.environ,
) -> bool:
    """Let every model of ``provider``, or only ``model``, behave as ``behaviour``.

    Returns:
        Whether that changed the file.

    Raises:
        InvalidWorkspace: The workspace has mistakes already.
        ConfigurationError: There is no such behaviour, the provider is not simulated, or its table
            cannot be edited.
        NotFound: There is no such provider.
    """
    _check_behaviour(behaviour)

    def broken(text: str) -> str:
        if not model:  # all of them means also those that were broken on their own
            for each in _models(text, provider):
                text = unset_behaviour(text, provider, each)
        return set_behaviour(text, provider, behaviour, model)

    return _edit(workspace, provider, environment, broken)


def mend_provider(
    workspace: Path,
    provider: str,
    model: str = "",
    environment: Mapping[str, str] = os.environ,
) -> bool:
    """Take back what :func:`break_provider` did, for ``model`` or for the provider and all of them.

    Returns:
        Whether that changed the file.

    Raises:
        SteadyhandError: As :func:`break_provider`.
    """

    def mended(text: str) -> str:
        for each in [model] if model else ["", *_models(text, provider)]:
            text = unset_behaviour(text, provider, each)
        return text

    return _edit(workspace, provider, environment, mended)


def breakable(
    workspace: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, tuple[str, dict[str, str]]]:
    """Return simulated provider → how all its models behave, and model → how it alone does.

    Raises:
        InvalidWorkspace: The workspace has mistakes.
    """
    found = {}
    for name, entry in load(workspace, environment, {}).providers.items():
        if entry.kind == SIMULATED:
            table = msgspec.json.decode(entry.settings, type=_Behaviours)
            found[name] = (table.behaviour, table.behaviours)
    return found


def _models(text: str, provider: str) -> list[str]:
    """Return the models that are broken on their own."""
    table = tomllib.loads(text)["providers"][provider]
    return list(table.get("behaviours", {}))


def _edit(
    workspace: Path, provider: str, environment: Mapping[str, str], change: Callable[[str], str]
) -> bool:
    before = load(workspace, environment, {})
    _check_provider(before, provider)
    path = workspace / FILE
    text = path.read_bytes().decode()
    changed = change(text)
    if changed == text:
        return False
    mode = path.stat().st_mode & 0o777
    replace_file(path, changed.encode(), mode=mode)
    after = load(workspace, environment, {})
    if after.providers[provider] == before.providers[provider]:
        replace_file(path, text.encode(), mode=mode)
        raise Overridden(
            f"the environment sets the behaviour of {provider!r}, which goes before {FILE}",
            hint=f"unset the variable STEADYHAND_PROVIDERS__{provider.upper()}__BEHAVIOUR",
        )
    return True


def _check_behaviour(behaviour: str) -> None:
    try:
        choose(behaviour, Dials())
    except Refusal as refusal:
        name = behaviour.partition(":")[0]
        if name in BEHAVIOURS:
            raise UnknownBehaviour(
                f"{behaviour!r}: {refusal.message}",
                hint="parameters are in docs/reference/simulated-models.md",
            ) from None
        near = get_close_matches(name, BEHAVIOURS, n=1)
        raise UnknownBehaviour(
            f"no behaviour {name!r}",
            hint=(f"did you mean {near[0]!r}? " if near else "")
            + "all of them: steadyhand upstreams break --list",
        ) from None


def _check_provider(settings: Settings, provider: str) -> None:
    simulated = sorted(
        name for name, entry in settings.providers.items() if entry.kind == SIMULATED
    )
    if provider not in settings.providers:
        near = get_close_matches(provider, settings.providers, n=1)
        raise NotFound(
            f"no provider {provider!r} in {FILE}",
            hint=f"did you mean {near[0]!r}?" if near else f"simulated: {', '.join(simulated)}",
        )
    kind = settings.providers[provider].kind
    if kind != SIMULATED:
        raise NotSimulated(
            f"provider {provider!r} is of kind {kind!r}, and only simulated ones break on command",
            hint=f"simulated here: {', '.join(simulated) or 'none'}; or point its base_url at "
            "`steadyhand simulate`, which breaks across a socket",
        )
