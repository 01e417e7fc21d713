"""What the listener refuses by a code has a class of that code, so that one can look it up.

The HTTP layer renders refusals by status and code only; the classes carry the words.
"""

import re
from pathlib import Path

import steadyhand.http
from steadyhand.core.errors import MethodNotAllowed, Refused, SteadyhandError

REFUSAL = re.compile(r'Refusal\(\s*(\d{3}),\s*"([a-z_]+)"')


def test_every_refusal_of_the_listener_has_a_class() -> None:
    folder = Path(steadyhand.http.__file__).parent
    found = {
        (int(status), code)
        for path in folder.glob("*.py")
        for status, code in REFUSAL.findall(path.read_text(encoding="utf-8"))
    }
    kinds: list[type[SteadyhandError]] = [Refused, MethodNotAllowed, *Refused.__subclasses__()]
    known = {(kind.status, kind.code) for kind in kinds}
    assert found == known
