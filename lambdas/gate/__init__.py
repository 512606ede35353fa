"""Decides whether the champion of a run may be registered.

Input ``{"evaluation_uri": "s3://.../evaluation.json", "comparison_uri": "s3://.../comparison.json", "bias_uri":
"s3://.../bias.json", "release_prefix": "s3://.../models/RUN/CANDIDATE/"}``, all of it needed; answer ``{"passed": bool,
"reasons": [sentence of each rule that refused], "notes": [sentence of each rule that could not be asked, or whose
figure may be chance], "metrics": {...}}``. The archives below the prefix are inspected where they lie.

The rules, each a refusal's first word: ``minimum-macro-f1``, ``no-worse-macro-f1``, ``no-worse-negative-recall``,
``calibration``, ``bias``, ``artifact-safety``.
"""
