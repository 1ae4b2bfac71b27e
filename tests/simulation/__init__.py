"""The whole step in a simulator: builds at once in one process, in made-up time, by a seed.

A world is drawn from a seed (`worlds.py`): builds, what strikes them, what people do. Each build is the
step's real code, from its inputs to its verdict, in a thread that holds a baton; it gives it up at every
request and every wait (`baton.py`), and the world's own delays say who is next. No socket: the request goes
to the emulator's own handler (`line.py`). What has to hold is in `promises.py`, a small function a promise.
"""
