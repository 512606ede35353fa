"""The local AWS: pinned ministack and our own SageMaker in one process on 127.0.0.1."""
