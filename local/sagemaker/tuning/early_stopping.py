"""Which training is not worth going on with, by the median rule that SageMaker states. Knows numbers only.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

from collections.abc import Sequence
from statistics import fmean, median

# AWS does not say from how many earlier trainings on it judges; the median of fewer says little.
FEWEST_EARLIER = 3


def is_hopeless(values: Sequence[float], earlier: Sequence[Sequence[float]], *, maximize: bool) -> bool:
    """Whether the newest value is worse than the median of the running averages of earlier trainings up to there.

    ``values`` are a training's so far, ``earlier`` those of trainings that have ended.
    """
    if not values:
        return False
    averages = [fmean(each[: len(values)]) for each in earlier if each]
    if len(averages) < FEWEST_EARLIER:
        return False
    bar = median(averages)
    return values[-1] < bar if maximize else values[-1] > bar
