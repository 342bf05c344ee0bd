"""AIXM timesheets: recurring times of day, week and year as windows in UTC.

Rules
- A timesheet without a time reference is UTC (ICAO Annex 15, 1.2.3); UTC+-h is shifted. `dayTil` makes one stretch from the first
  day's start to the last day's end, as AIXM 5.1 defines it. An end not after its start is the next day's; 00:00 to 00:00 is a whole day.
- Not understood, and said so: sunrise and other events, local summer time (`daylightSavingAdjust`, SDLST), working days
  and holidays, days without times. What says nothing about the time of day at all is understood all the same.
- Excluded times are taken from the others.
- Yearly dates are written out for HORIZON_YEARS from the instant asked for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airvigil.airspace.activation import NS_PER_DAY, Window
from airvigil.airspace.sources.aixm_document import Element, child, text_of
from airvigil.airspace.sources.aixm_slices import Period
from airvigil.errors import AirspaceError
from airvigil.units import NS_PER_S, utc_ns, utc_text

DAY_S = 86_400
WEEK_S = 7 * DAY_S
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
HORIZON_YEARS = 10
MAX_TIMESHEETS = 400

_UNREAD = (
    "startEvent", "startTimeRelativeEvent", "startEventInterpretation",
    "endEvent", "endTimeRelativeEvent", "endEventInterpretation",
)  # fmt: skip
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?Z?")
_OFFSET = re.compile(r"UTC(?:([+-])(\d{1,2})(?::?(\d\d))?)?")
_DATE = re.compile(r"(\d\d)-(\d\d)")

Stretch = tuple[int, int]  # seconds of the week, Monday 00:00 UTC first; not empty, not beyond the week


@dataclass(frozen=True)
class Timesheet:
    """One timesheet understood.

    Attributes:
        stretches: of the week.
        dates: first and last day of the year as (month, day), or None for the whole year.
        offset_s: of the time reference from UTC, for the dates; the stretches have it already.
    """

    stretches: tuple[Stretch, ...]
    dates: tuple[tuple[int, int], tuple[int, int]] | None
    offset_s: int
    is_excluded: bool


def read_timesheet(element: Element) -> Timesheet:
    """What a Timesheet element says.

    Raises:
        AirspaceError: what of it is not understood.
    """
    words = {str(e.tag).rpartition("}")[2]: text_of(e) for e in element.iterchildren("*")}
    for name in _UNREAD:
        if words.get(name):
            raise AirspaceError(f"{name} {words[name]!r} needs the sun or a calendar")
    stretches = _week(
        words.get("day", ""), words.get("dayTil", ""), words.get("startTime", ""), words.get("endTime", "")
    )
    is_whole = sum(end - begin for begin, end in stretches) == WEEK_S
    offset_s = _offset(words.get("timeReference", ""), is_needed=not is_whole or bool(words.get("startDate")))
    if words.get("daylightSavingAdjust") == "YES" and not is_whole:
        raise AirspaceError("daylightSavingAdjust needs the local rule of summer time")
    return Timesheet(
        tuple(_united(piece for stretch in stretches for piece in _shifted(stretch, -offset_s))),
        _dates(words.get("startDate", ""), words.get("endDate", "")),
        offset_s,
        words.get("excluded") == "YES",
    )


def _week(day: str, last_day: str, start: str, end: str) -> list[Stretch]:
    begin_s, end_s = _clock(start), _clock(end)
    if begin_s == end_s != 0:
        raise AirspaceError(f"a day from {start} to {end} is either none or a whole one")
    if day == "ANY" and last_day in ("", "ANY"):
        length = (end_s - begin_s) if end_s > begin_s else end_s + DAY_S - begin_s
        return [(k * DAY_S + begin_s, k * DAY_S + begin_s + length) for k in range(7)]
    if day not in DAYS or last_day not in ("", *DAYS):
        raise AirspaceError(f"day {day!r}{f' to {last_day!r}' if last_day else ''} needs a calendar")
    first = DAYS.index(day) * DAY_S + begin_s
    if not last_day:
        return [(first, first + ((end_s - begin_s) if end_s > begin_s else end_s + DAY_S - begin_s))]
    last = DAYS.index(last_day) * DAY_S + end_s
    if end_s == 0 and begin_s == 0:
        last += DAY_S
    return [(first, last if last > first else last + WEEK_S)]


def _clock(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if not found:
        raise AirspaceError(f"time of day {text[:20]!r}" if text else "no time of day")
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)
    if seconds > DAY_S or int(found[2]) > 59:
        raise AirspaceError(f"time of day {text[:20]!r}")
    return seconds


def _offset(text: str, *, is_needed: bool) -> int:
    found = _OFFSET.fullmatch(text or "UTC")
    if not found:
        if not is_needed:
            return 0
        raise AirspaceError(f"time reference {text[:20]!r}")
    seconds = int(found[2] or 0) * 3600 + int(found[3] or 0) * 60
    return -seconds if found[1] == "-" else seconds


def _dates(start: str, end: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    if not start and not end:
        return None
    first, last = _DATE.fullmatch(start), _DATE.fullmatch(end)
    if not first or not last:
        raise AirspaceError(f"dates {start[:20]!r} to {end[:20]!r}")
    days = (int(first[2]), int(first[1])), (int(last[2]), int(last[1]))
    for month, day in days:
        if not 1 <= month <= 12 or not 1 <= day <= 31:
            raise AirspaceError(f"dates {start[:20]!r} to {end[:20]!r}")
    return days


def _shifted(stretch: Stretch, by_s: int) -> list[Stretch]:
    begin = (stretch[0] + by_s) % WEEK_S
    end = begin + stretch[1] - stretch[0]
    return [(begin, end)] if end <= WEEK_S else [(begin, WEEK_S), (0, end - WEEK_S)]


def _united(stretches: Iterable[Stretch]) -> list[Stretch]:
    united: list[Stretch] = []
    for begin, end in sorted(stretches):
        if united and begin <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((begin, end))
    return united


def _without(stretches: Sequence[Stretch], excluded: Sequence[Stretch]) -> list[Stretch]:
    left: list[Stretch] = []
    for begin, end in stretches:
        for out_begin, out_end in excluded:
            if out_end <= begin or out_begin >= end:
                continue
            if out_begin > begin:
                left.append((begin, out_begin))
            begin = max(begin, out_end)
            if begin >= end:
                break
        if begin < end:
            left.append((begin, end))
    return left


def windows_of(sheets: Sequence[Timesheet], valid: Period, at_ns: int) -> tuple[Window, ...]:
    """When a set of timesheets holds within a validity period.

    Args:
        valid: outside it there are no windows.
        at_ns: from a year before this, yearly dates are written out.
    """
    periods = [_periods(sheet, valid, at_ns) for sheet in sheets]
    cuts = sorted({valid.begin_ns, valid.end_ns} | {t for several in periods for p in several for t in p})
    windows: list[Window] = []
    for begin, end in itertools.pairwise(cuts):
        here = [
            sheet
            for sheet, several in zip(sheets, periods, strict=True)
            if any(first <= begin and end <= last for first, last in several)
        ]
        included = _united(s for sheet in here if not sheet.is_excluded for s in sheet.stretches)
        excluded = _united(s for sheet in here if sheet.is_excluded for s in sheet.stretches)
        windows += _daily(_without(included, excluded), begin, end)
    return tuple(windows)


def _periods(sheet: Timesheet, valid: Period, at_ns: int) -> list[tuple[int, int]]:
    """The times of its dates within the validity."""
    if sheet.dates is None:
        return [(valid.begin_ns, valid.end_ns)]
    (first_month, first_day), (last_month, last_day) = sheet.dates
    year = int(utc_text(at_ns)[:4])
    found = []
    for k in range(year - 1, year + HORIZON_YEARS):
        begin = _day_ns(k, first_month, first_day)
        turns = (last_month, last_day) < (first_month, first_day)
        end = _day_ns(k + 1 if turns else k, last_month, last_day) + NS_PER_DAY
        begin, end = begin - sheet.offset_s * NS_PER_S, end - sheet.offset_s * NS_PER_S
        begin, end = max(begin, valid.begin_ns), min(end, valid.end_ns)
        if begin < end:
            found.append((begin, end))
    return found


def _day_ns(year: int, month: int, day: int) -> int:
    """Start of a day; of the last of the month where the month is shorter."""
    for shorter in range(4):
        try:
            return utc_ns(f"{year:04d}-{month:02d}-{day - shorter:02d}")
        except ValueError:
            continue
    raise AirspaceError(f"no such day: {day:02d}-{month:02d}")


def _daily(stretches: Sequence[Stretch], begin_ns: int, end_ns: int) -> list[Window]:
    """Windows of a week's stretches, those of the same hours as one."""
    if list(stretches) == [(0, WEEK_S)]:
        return [Window(begin_ns, end_ns)]
    hours: dict[tuple[int, int], list[int]] = {}
    for begin, end in stretches:
        while begin < end:
            day = begin // DAY_S
            stop = min(end, (day + 1) * DAY_S)
            hours.setdefault((begin - day * DAY_S, stop - day * DAY_S), []).append(day)
            begin = stop
    return [Window(begin_ns, end_ns, tuple(sorted(days)), *span) for span, days in sorted(hours.items())]


def sheets_of(element: Element) -> list[Timesheet]:
    """The timesheets of something with a schedule.

    Raises:
        AirspaceError: what of them is not understood.
    """
    elements = [
        sheet
        for interval in element.iterchildren("{*}timeInterval")
        if (sheet := child(interval, "Timesheet")) is not None
    ]
    if len(elements) > MAX_TIMESHEETS:
        raise AirspaceError(f"expected at most {MAX_TIMESHEETS} timesheets, got {len(elements)}")
    return [read_timesheet(sheet) for sheet in elements]
