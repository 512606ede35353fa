"""Rules for machine learning on SageMaker and Bedrock, a module for each subject; importing this declares them all."""

from policy.rules.machine_learning import (
    agents,
    alarms,
    deployment,
    endpoints,
    images,
    jobs,
    models,
    monitors,
    notebooks,
    platform,
    scaling,
)

__all__ = [
    "agents",
    "alarms",
    "deployment",
    "endpoints",
    "images",
    "jobs",
    "models",
    "monitors",
    "notebooks",
    "platform",
    "scaling",
]
