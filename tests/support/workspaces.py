"""Workspaces to break: a small valid one, and a way to change some of its files."""

from pathlib import Path

KEY_HASH = "sha256:" + "a" * 64

FILES = {
    "steadyhand.toml": '[providers.near]\nkind = "simulated"\n',
    "keys.toml": (
        f'[keys.web]\nhash = "{KEY_HASH}"\ntenant = "shop"\nroutes = ["ask"]\nmodels = ["near/*"]\n'
    ),
    "routes/ask.toml": (
        'slo = "interactive"\nprompt = "ask"\n\n'
        '[[rungs]]\nkind = "live"\nprovider = "near"\nmodel = "steady"\n\n'
        '[floor]\nkind = "template"\ntext = "later"\n'
    ),
    "prompts/ask.md": (
        '+++\ndescription = "asks"\nowner = "us"\ncorpus = "tiny"\npassages = ["one"]\n+++\n'
        "Be kind.\n"
    ),
    "knowledge/tiny/sections.jsonl": '{"_id": "one", "title": "One", "text": "The first."}\n',
}


def write(root: Path, changes: dict[str, str | None] | None = None) -> Path:
    """Write the small workspace to ``root``; ``changes`` replace files, ``None`` leaves one out."""
    for name, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return root
