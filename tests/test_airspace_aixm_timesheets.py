"""Timesheets against a reading minute by minute, as a person would do it with a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from airvigil.airspace.activation import Activation
from airvigil.airspace.sources.aixm_slices import OPEN_NS, Period
from airvigil.airspace.sources.aixm_timesheets import DAYS, read_timesheet, sheets_of, windows_of
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns
from made_aixm import SPACES, activation, sheet

AT = utc_ns("2020-06-03T00:00:00Z")
clocks = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.sampled_from([0, 15, 30]))
days = st.sampled_from(DAYS)
references = st.sampled_from(["UTC", "UTC-4", "UTC+2", "UTC+5:30"])
date_texts = st.builds(lambda d, m: f"{d:02d}-{m:02d}", st.integers(1, 28), st.integers(1, 12))


def element(words: dict[str, str]) -> etree._Element:
    return etree.fromstring(f"<a {SPACES}>{sheet(**words)}</a>")


@st.composite
def timesheets(draw: st.DrawFn) -> dict[str, str]:
    words = {"timeReference": draw(references), "day": draw(st.one_of(days, st.just("ANY")))}
    words["startTime"], words["endTime"] = draw(clocks), draw(clocks)
    if words["startTime"] == words["endTime"]:
        words["startTime"] = words["endTime"] = "00:00"
    if words["day"] != "ANY" and draw(st.booleans()):
        words["dayTil"] = draw(days)
    if draw(st.booleans()):
        words["startDate"], words["endDate"] = draw(date_texts), draw(date_texts)
    if draw(st.integers(0, 4)) == 0:
        words["excluded"] = "YES"
    return words


def holds(words: dict[str, str], moment: datetime) -> bool:
    """Whether a timesheet names the moment: its own local days and times, from the calendar."""
    sign, _, offset = words["timeReference"].removeprefix("UTC")[:1], "", words["timeReference"][4:] or "0"
    hours, _, minutes = offset.partition(":")
    ahead = timedelta(hours=int(hours), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    here = moment + ahead
    if "startDate" in words:
        first, last = (tuple(int(n) for n in reversed(words[k].split("-"))) for k in ("startDate", "endDate"))
        today = (here.month, here.day)
        inside = first <= today <= last if first <= last else today >= first or today <= last
        if not inside:
            return False
    begin, end = (int(words[k][:2]) * 60 + int(words[k][3:]) for k in ("startTime", "endTime"))
    minute = here.hour * 60 + here.minute
    if "dayTil" in words:
        week = here.weekday() * 1440 + minute
        start = DAYS.index(words["day"]) * 1440 + begin
        stop = DAYS.index(words["dayTil"]) * 1440 + end + (1440 if begin == end == 0 else 0)
        return start <= week < stop if start < stop else week >= start or week < stop
    today_counts = words["day"] in ("ANY", DAYS[here.weekday()])
    yesterday_counts = words["day"] in ("ANY", DAYS[(here.weekday() - 1) % 7])
    if begin < end:
        return today_counts and begin <= minute < end
    return (today_counts and minute >= begin) or (yesterday_counts and minute < end)


@given(st.lists(timesheets(), min_size=1, max_size=4), st.integers(0, 365 * 24 * 4 - 1))
def test_windows_hold_when_the_calendar_says_so(sheets: list[dict[str, str]], quarter: int) -> None:
    read = [read_timesheet(element(words)) for words in sheets]
    activation_of = Activation("schedule", windows_of(read, Period(), AT))
    moment = datetime(2020, 6, 1, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    time_ns = utc_ns(moment.isoformat())
    told = [(words.get("excluded") == "YES", holds(words, moment)) for words in sheets]
    expected = any(h and not x for x, h in told) and not any(h and x for x, h in told)
    assert (activation_of.state_at(time_ns) == "active") == expected


def test_outside_the_validity_there_is_nothing() -> None:
    daily = read_timesheet(element({"day": "ANY", "startTime": "00:00", "endTime": "00:00"}))
    (window,) = windows_of([daily], Period(AT, AT + 1000), AT)
    assert (window.start_ns, window.end_ns) == (AT, AT + 1000)


def test_a_whole_day_needs_no_clock_of_any_kind() -> None:
    words = {
        "day": "ANY",
        "startTime": "00:00",
        "endTime": "24:00",
        "daylightSavingAdjust": "YES",
        "timeReference": "LOCAL",
    }
    assert windows_of([read_timesheet(element(words))], Period(), AT)[0].end_ns == OPEN_NS


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"day": "SAT", "startTime": "06:00", "endEvent": "SS"}, "endEvent 'SS' needs the sun"),
        ({"day": "ANY", "startTime": "07:00", "endTime": "17:00", "daylightSavingAdjust": "YES"}, "rule of summer time"),
        ({"day": "WORK_DAY", "startTime": "07:00", "endTime": "17:00"}, "day 'WORK_DAY' needs a calendar"),
        ({"day": "HOL", "startTime": "00:00", "endTime": "00:00"}, "day 'HOL' needs a calendar"),
        ({"day": "ANY", "startTime": "07:00", "endTime": "17:00", "timeReference": "LOCAL"}, "time reference 'LOCAL'"),
        ({"day": "ANY", "startTime": "07:00", "endTime": "07:00"}, "either none or a whole one"),
        ({"day": "ANY", "startTime": "25:00", "endTime": "07:00"}, "time of day '25:00'"),
        ({"day": "ANY"}, "no time of day"),
        ({"day": "ANY", "startTime": "07:00", "endTime": "17:00", "startDate": "SDLST", "endDate": "EDLST"}, "dates 'SDLST'"),
        ({"day": "ANY", "startTime": "07:00", "endTime": "17:00", "startDate": "41-13", "endDate": "01-01"}, "dates '41-13'"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(words: dict[str, str], reason: str) -> None:
    with pytest.raises(AirspaceError, match=reason):
        read_timesheet(element(words))


def test_more_timesheets_than_a_schedule_has() -> None:
    many = activation("ACTIVE", *[sheet(day="ANY", startTime="00:00", endTime="00:00")] * 401)
    with pytest.raises(AirspaceError, match="at most 400 timesheets, got 401"):
        sheets_of(etree.fromstring(f"<a {SPACES}>{many}</a>")[0][0])
