"""Bias of data and of answers: what is written for SageMaker Clarify, the same metrics computed here, and the report.

Knows nothing of how a model answers.
"""

from training_code.bias.clarify_files import write_posttraining, write_pretraining
from training_code.bias.facets import length_band

__all__ = ["length_band", "write_posttraining", "write_pretraining"]
