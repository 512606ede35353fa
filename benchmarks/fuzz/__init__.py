"""Feeds broken and hostile bytes to every parser of the endpoint, at full size: `python -m benchmarks.fuzz`.

`tests/unit/fuzz` runs the same targets briefly. A crash is anything but an answer or a refusal that the contract knows.
"""
