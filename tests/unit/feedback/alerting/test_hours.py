from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.alerting.hours import read_quiet_hours, read_zone
from feedback.alerting.reading import Node, PolicyError

BERLIN = ZoneInfo("Europe/Berlin")


def quiet(zone=BERLIN, **fields):
    return read_quiet_hours(Node({"from": "21:00", "until": "07:00", **fields}), zone)


def berlin(*parts, fold=0):
    return datetime(*parts, tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        (berlin(2026, 3, 2, 20, 59), None),
        (berlin(2026, 3, 2, 21, 0), berlin(2026, 3, 3, 7, 0)),
        (berlin(2026, 3, 3, 6, 59), berlin(2026, 3, 3, 7, 0)),
        (berlin(2026, 3, 3, 7, 0), None),
    ],
)
def test_a_night_ends_in_the_morning_and_not_before(moment, end):
    assert quiet().ending(moment) == end


def test_a_night_in_which_clocks_go_forward_is_an_hour_shorter():
    begin = berlin(2026, 3, 28, 21, 0)
    assert quiet().ending(begin) - begin == timedelta(hours=9)


def test_a_night_in_which_clocks_go_back_is_an_hour_longer():
    begin = berlin(2026, 10, 24, 21, 0)
    assert quiet().ending(begin).astimezone(UTC) - begin.astimezone(UTC) == timedelta(hours=11)


def test_an_end_that_the_clocks_skip_comes_as_much_later():
    end = quiet(until="02:30").ending(berlin(2026, 3, 28, 23, 0))
    assert end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in Berlin; 02:30 is not on that day's clock


def test_an_end_that_comes_twice_is_the_first():
    end = quiet(until="02:30").ending(berlin(2026, 10, 24, 23, 0))
    assert end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_days_off_are_quiet_all_day():
    weekend = quiet(days_off=["saturday", "sunday"])
    assert weekend.ending(berlin(2026, 3, 6, 22, 0)) == berlin(2026, 3, 9, 7, 0)
    assert weekend.ending(berlin(2026, 3, 7, 12, 0)) == berlin(2026, 3, 9, 7, 0)
    assert weekend.ending(berlin(2026, 3, 6, 12, 0)) is None


def test_days_off_alone_end_at_midnight():
    sundays = read_quiet_hours(Node({"days_off": ["sunday"]}), BERLIN)
    assert sundays.ending(berlin(2026, 3, 8, 12, 0)) == berlin(2026, 3, 9, 0, 0)


def test_a_week_of_days_off_is_refused():
    days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    with pytest.raises(PolicyError, match="nothing would ever be sent"):
        quiet(days_off=days)


def test_utc_needs_no_database_of_zones(monkeypatch):
    monkeypatch.setattr("zoneinfo.ZoneInfo", None)
    assert read_zone(Node("UTC")).utcoffset(None) == timedelta()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@given(
    minutes=st.integers(0, 60 * 24 * 400),
    begin=st.integers(0, 1439),
    length=st.integers(1, 1438),
)
def test_an_end_lies_ahead_is_not_quiet_and_within_two_days(zone, minutes, begin, length):
    end = (begin + length) % 1440
    hours = quiet(
        zone=ZoneInfo(zone), **{"from": f"{begin // 60:02}:{begin % 60:02}", "until": f"{end // 60:02}:{end % 60:02}"}
    )
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ending = hours.ending(moment)
    if ending is not None:
        assert moment < ending <= moment + timedelta(days=2)
        assert hours.ending(ending) is None
