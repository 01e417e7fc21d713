"""The guide to drills, on the running demo: every rung is proven, and a dead fallback is found."""

import json
import subprocess
from typing import Any

from tests.support.clone import Clone, eventually


def drills(clone: Clone, verb: str, *options: str) -> tuple[int, Any]:
    command = [".venv/bin/steadyhand", "drills", verb, "--workspace", "demo", "--json", *options]
    done = subprocess.run(
        [*command, "--url", f"http://{clone.control}"],
        cwd=clone.folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_drill_of_the_demo_proves_every_rung(clone: Clone) -> None:
    code, ended = drills(clone, "run")
    assert [row for row in ended if row["reason"] != "ok"] == []
    assert code == 0
    assert {row["route"] for row in ended} == {"classify", "strict", "support"}
    assert {row["kind"] for row in ended} >= {"live", "knowledge", "template", "schema", "error"}
    eventually(
        lambda: all(row["proven_by"] == "drill" for row in drills(clone, "list")[1]),
        "every gateway and control know of it",
    )
    listed = drills(clone, "list")[1]
    assert {row["verdict"] for row in listed} == {"proven"}
    assert len(listed) == len(ended)

    listing = ".venv/bin/steadyhand requests list --workspace demo --json=route"
    eventually(
        lambda: clone.shell(f"{listing} --wire drill").count("route") == len(ended),
        "each has left a record",
    )
    assert clone.shell(listing).startswith("[]")  # and none is a request


def test_a_broken_provider_fails_its_drills_and_passes_them_once_mended(clone: Clone) -> None:
    clone.shell(".venv/bin/steadyhand upstreams break simulated error-401 --workspace demo")
    code, ended = drills(clone, "run", "--route", "support")
    assert code == 1
    reasons = {(row["rung"], row["kind"]): row["reason"] for row in ended}
    assert reasons[0, "live"] != "ok"
    assert reasons[3, "knowledge"] == reasons[4, "template"] == "ok"
    clone.shell(".venv/bin/steadyhand upstreams mend simulated --workspace demo")
    eventually(lambda: drills(clone, "run", "--route", "support")[0] == 0, "all are proven again")
