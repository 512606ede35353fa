"""What runs inside SageMaker jobs and serving containers: features, training, evaluation and the three handlers."""
