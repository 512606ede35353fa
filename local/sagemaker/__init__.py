"""A local SageMaker that speaks AWS's own wire format. It does not know ministack."""
