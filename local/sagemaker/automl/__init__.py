"""Autopilot of the local SageMaker: AutoML jobs as records, and a search over pipelines as their subprocess.

:class:`AutoMLJobs` is what the service dispatches to. The search itself is ``local.sagemaker.builtin.autopilot``.
"""

from local.sagemaker.automl.jobs import AutoMLJobs

__all__ = ["AutoMLJobs"]
