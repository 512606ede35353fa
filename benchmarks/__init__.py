"""Side-by-side measurements. Each module runs as ``python -m benchmarks.NAME`` and prints what was compared on what."""
