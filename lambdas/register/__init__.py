"""Registers a model that passed the gate, once per run.

Input ``{"run", "evaluation_uri", "release_prefix": "s3://.../models/RUN/", "metrics": the gate's}``; answer
``{"model_package_arn": ...}``.
"""
