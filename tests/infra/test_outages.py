"""Our alarms against a healthy day and against every outage of what the templates hold."""

import pytest

from faults.alarms import WITHIN_SECONDS, Alarms, noticed, ringing_on_a_healthy_day
from faults.estate import Estate
from policy.template import Template
from tests.synthesis import STAGES, Assembly


def estate(app: Assembly, stage: str) -> Estate:
    return Estate([Template.load(path) for path in sorted((app.folder / f"assembly-{stage}").glob("*.template.json"))])


@pytest.mark.parametrize("stage", STAGES)
def test_every_outage_rings_within_three_minutes_and_every_alarm_is_first_to_tell_of_one(
    app: Assembly, stage: str
) -> None:
    system = estate(app, stage)
    every = noticed(system, Alarms(system))
    assert [each.outage for each in every if each.seconds is None or each.seconds > WITHIN_SECONDS] == []
    assert len(every) >= 40
    told = {name for each in every for name in each.alarms}
    assert set(system.alarms()) - told == set(), "an alarm that tells of nothing has a wrong name or dimension"


def test_a_healthy_day_rings_nothing(app: Assembly) -> None:
    system = estate(app, "prod")
    assert ringing_on_a_healthy_day(system, Alarms(system)) == []
