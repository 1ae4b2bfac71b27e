"""The world outside, as small things to pass down: clock, threads, signals, stdout, HTTP."""
