"""The publish protocol as a small state machine, explored exhaustively (`test_publish_protocol.py`).

BCS's own steps and the builds' order of requests are modelled here; what a build decides by what it has read
is decided by the product's own pure functions (`decisions.py`), so the two can't drift apart.
"""
