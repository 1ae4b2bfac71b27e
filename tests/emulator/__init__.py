"""A faithful emulator of the BlueKing gateway, BCS and BK-CI's build API, for tests, demo and bench.

Standard library and PyYAML only, so that it starts fast; never part of the wheel. A rule that came from a
fact names its source where it stands.
"""

from tests.emulator.accounts import EVERYONE
from tests.emulator.chaos import Chaos
from tests.emulator.cluster import Behaviour, Cluster
from tests.emulator.dialect import Dialect
from tests.emulator.emulator import Emulator
from tests.emulator.exchanges import Exchange
from tests.emulator.faults import Fault, Match, answer_with, gateway_fault
from tests.emulator.state import State

__all__ = [
    "EVERYONE",
    "Behaviour",
    "Chaos",
    "Cluster",
    "Dialect",
    "Emulator",
    "Exchange",
    "Fault",
    "Match",
    "State",
    "answer_with",
    "gateway_fault",
]
