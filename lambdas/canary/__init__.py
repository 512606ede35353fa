"""Compares the model that is served with the one that is being released, on the same texts, while both are up.

Called by the release state machine with

- ``{"action": "baseline", "release"}`` before anything is changed: answers ``{"version", "feedback", "answers"}``, what
  the served model says about the newest feedback of the lake and about the new model's probes,
- ``{"action": "compare", "release", "baseline"}`` again and again while the endpoint is updated: answers ``{"verdict":
  "WAITING" | "GOOD" | "BAD", "reason", "figures"}`` and writes the figures as metrics, whose alarms take a bad model
  back.

What travels through the state machine are keys of objects and one character per answer, never a text.
"""
