"""How long after a fault a person is told, through Prometheus and Alertmanager as they are shipped.

``python -m benchmarks.alert_chain [--gate] [--save NAME] [--repeats N]``; wants ``make
alert-tools``. Each repeat is an installation of its own with a simulated provider in a process of
its own, a real Prometheus with the shipped rules of objectives, which scrapes and evaluates each
second, and a real Alertmanager with the shipped configuration. Traffic comes at a steady rate. At
a moment between two scrapes the provider begins to answer 500; the time is from there until the
webhook of a person has the page, on one clock. The rule holds for 30 seconds.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import describe
from steadyhand.settings.principals import create_principal
from tests.support.alertmanager import alerting, configuration
from tests.support.canned_upstream import CannedUpstream
from tests.support.installations import (
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
    simulated_upstream,
)
from tests.support.ports import free_port
from tests.support.programs import eventually
from tests.support.prometheus import OBJECTIVE_RULES, Prometheus, watching
from tests.support.webhooks import Receiver, receiving

ALERT: Final = "SteadyhandBudgetBurns"
MOST_S: Final = 35.0
HOLD_S: Final = 30.0
RATE: Final = 20.0
HEALTHY_S: Final = 10.0
RESULTS: Final = Path(__file__).resolve().parent / "results"
PROMISE: Final = """
[objectives.routes.support]
answered = {target_percent = 99}
"""
