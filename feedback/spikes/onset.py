"""When a trouble probably began, and what came since: for people, who are told figures. It decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from feedback.spikes.baseline import Prior
from feedback.spikes.evidence import RATIOS, log_ratio, raised_share
from feedback.spikes.season import Season
from feedback.spikes.watch import Watch
from feedback.trends import DayCounts


@dataclass(frozen=True, kw_only=True)
class Onset:
    """The hour (UTC, ISO 8601) since which so many of the judged feedbacks were negative."""

    since: str
    judged: int
    negatives: int


def find_onset(watch: Watch, days: Iterable[DayCounts], *, prior: Prior, season: Season) -> Onset | None:
    """The beginning that explains the last days best (the maximum of CUSUM); None where there is no feedback."""
    best: Onset | None = None
    likelihood = highest = 0.0
    judged = negatives = 0
    for day in sorted(days, key=lambda each: each.day, reverse=True):
        usual_by_hour = watch.usual_by_hour(day, prior=prior, season=season)
        for hour in sorted(usual_by_hour, reverse=True):
            found, usual = day.hours[hour], usual_by_hour[hour]
            judged += found.judged
            negatives += found.negatives
            likelihood += log_ratio(found.judged, found.negatives, usual, raised_share(usual, min(RATIOS)))
            if best is None or likelihood > highest:
                highest = likelihood
                best = Onset(since=f"{day.day}T{hour:02d}:00:00.000Z", judged=judged, negatives=negatives)
    return best
