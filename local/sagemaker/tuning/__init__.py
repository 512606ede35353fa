"""Hyperparameter tuning jobs: training jobs one after the other, each with what an optimiser takes for promising.

:class:`TuningJobs` is what the service dispatches to.
"""

from local.sagemaker.tuning.jobs import TuningJobs

__all__ = ["TuningJobs"]
