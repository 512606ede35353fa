"""Builds what the stacks deploy into `.build/`: `python -m bundles`.

Reproducible (equal sources give equal bytes) and incremental (unchanged sources give no work). Knows layouts, locks and
wheels. Does not know AWS: `stacks/assets.py` names the results.
"""
