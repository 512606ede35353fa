"""Decides whether an evaluated model may be registered.

Input ``{"evaluation_uri": "s3://.../evaluation.json"}``; answer ``{"passed": bool, "reasons": [sentence of each rule
that refused], "notes": [sentence of each rule that had nothing to compare], "metrics": {...}}``.
"""
