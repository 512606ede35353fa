"""Endpoint hosting of the local SageMaker: containers as processes, chains, fleets and the endpoints over them.

:class:`Hosting` is what the service dispatches to; :class:`Chain` runs one model's containers on its own.
"""

from local.sagemaker.hosting.chain import Chain, ChainError
from local.sagemaker.hosting.container import ContainerError
from local.sagemaker.hosting.endpoints import Hosting

__all__ = ["Chain", "ChainError", "ContainerError", "Hosting"]
