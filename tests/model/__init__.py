"""What several builds and people do at once, explored exhaustively.

Publishing is a small state machine (`test_publish_protocol.py`); deploying, restoring and deleting are the
step's own phases, replayed beside another deployer (`test_beside_another_deployer.py`).

BCS's own steps, and the order of requests of a build that publishes, are modelled here; what a build decides
by what it has read is decided by the product's own functions, so the two can't drift apart.
"""
