"""Registers the champion of a run that passed the gate, once per run, with its model card.

Input ``{"run", "candidate", "evaluation_uri", "model_card_uri", "release_prefix": "s3://.../models/RUN/CANDIDATE/",
"metrics": the gate's}``, all of it needed; answer ``{"model_package_arn": ...}``.
"""
