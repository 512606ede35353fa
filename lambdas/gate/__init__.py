"""Decides whether an evaluated model may be registered.

Input ``{"evaluation_uri": "s3://.../evaluation.json", "release_prefix": "s3://.../models/RUN/"}``; answer
``{"passed": bool, "reasons": [sentence of each rule that refused], "notes": [sentence of each rule that had nothing to
compare], "metrics": {...}}``. The archives below the prefix are inspected where they lie.
"""
