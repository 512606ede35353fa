"""What each bias metric is called and what it means, in one sentence for a reader who is no statistician.

Knows no figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "CI": "Class Imbalance (CI)",
    "DPL": "Difference in Positive Proportions in Labels (DPL)",
    "KL": "Kullback-Liebler Divergence (KL)",
    "JS": "Jensen-Shannon Divergence (JS)",
    "LP": "L-p Norm (LP)",
    "TVD": "Total Variation Distance (TVD)",
    "KS": "Kolmogorov-Smirnov Distance (KS)",
    "CDDL": "Conditional Demographic Disparity in Labels (CDDL)",
    "AD": "Accuracy Difference (AD)",
    "RD": "Recall Difference (RD)",
    "SD": "Specificity Difference (SD)",
    "DPPL": "Difference in Positive Proportions in Predicted Labels (DPPL)",
    "DI": "Disparate Impact (DI)",
    "DCA": "Difference in Conditional Acceptance (DCA)",
    "DCR": "Difference in Conditional Rejection (DCR)",
    "DAR": "Difference in Acceptance Rates (DAR)",
    "DRR": "Difference in Rejection Rates (DRR)",
    "TE": "Treatment Equality (TE)",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    "GE": "Generalized Entropy (GE)",
    "FT": "Flip Test (FT)",
}
"""As Clarify names them in `analysis.json`."""

_MEANINGS: Final[Mapping[str, str]] = {
    "CI": "How rare this group is in the data: near 1 it hardly occurs, near -1 there is little else.",
    "DPL": "By how much the share of {label} feedback is larger among the others than in this group.",
    "KL": "How surprised one would be by the others' {label} share who expects this group's; 0 is no difference.",
    "JS": "The same surprise taken from the middle of both groups, so that neither side counts more; 0 is none.",
    "LP": "How far apart the shares of {label} and other feedback lie in the two groups, as a distance.",
    "TVD": "What share of one group's feedback would have to change its label for both groups to look alike.",
    "KS": "The largest difference of any outcome's share between the two groups.",
    "CDDL": "Whether this group has less than its part of {label} feedback (above 0) or more, at like length.",
    "AD": "By how much more often the model is right about the others than about this group.",
    "RD": "By how much more of the others' {label} feedback is found than of this group's.",
    "SD": "By how much more often this group is rightly left out of the {label} answers than the others.",
    "DPPL": "By how much more often the model answers {label} about the others than about this group.",
    "DI": "How often the model answers {label} about this group for each time it does about the others; 1 is equal.",
    "DCA": "Whether the others' {label} labels per {label} answer are more than this group's, that is, missed more.",
    "DCR": "The same for everything that is not {label}, this group's minus the others'.",
    "DAR": "By how much more often a {label} answer is right about the others than about this group.",
    "DRR": "By how much more often an answer other than {label} is right about this group than about the others.",
    "TE": "Missed {label} feedback per false alarm, this group's minus the others': which way the model errs.",
    "CDDPL": "Whether this group gets less than its part of {label} answers (above 0) or more, at like length.",
    "GE": "How unevenly wrong answers are spread over all rows, whatever their group; 0 where all are right.",
    "FT": "Whether rows of this group would be answered otherwise if they were the others'; not computed for texts.",
}


def meaning(metric: str, *, label: str) -> str:
    """The sentence for a metric when `label` is the followed outcome; KeyError for a metric that does not exist."""
    return _MEANINGS[metric].format(label=label)
