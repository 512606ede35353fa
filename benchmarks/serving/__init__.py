"""The endpoint's containers against the usual ways to serve the same model, side by side on this machine.

`python -m benchmarks.serving` prints the table. `programs/` holds what runs in other environments, by path.
"""
