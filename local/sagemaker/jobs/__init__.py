"""Jobs of the local SageMaker: programs run as subprocesses under the contracts of SageMaker's containers."""
