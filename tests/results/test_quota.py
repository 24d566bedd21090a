"""Quotas: what is left, what is kept, who spent it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from results.leaderboard.entries import EVENTS
from results.leaderboard.quota import Quota, allowance
from results.records.record import read_event
from spaces.errors import InputError


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_day_begins_at_the_reset_hour() -> None:
    quota = Quota.parse("5/day", reset=2)
    spent = [(at("2026-11-20T03:00"), "anna"), (at("2026-11-21T01:30"), "ben")]
    spent += [(at("2026-11-21T02:30"), "ben")]
    left = allowance(quota, spent, at("2026-11-21T01:59"))
    assert left.now == 2  # the record is taken as it is, also what lies ahead
    left = allowance(quota, spent[:2], at("2026-11-21T01:59"))
    assert left.now == 3
    left = allowance(quota, spent, at("2026-11-21T02:31"))
    assert left.now == 4
    assert left.people == {"ben": 2, "anna": 1}
    words = left.words
    assert words.startswith("quota: 4 of 5 left until 22 Nov 02:00 UTC")
    assert "ben 2, anna 1" in words


def test_a_daily_quota_runs_until_the_end_of_its_last_day() -> None:
    quota = Quota.parse("5/day", ends="2026-11-23")
    left = allowance(quota, [(at("2026-11-13T12:00"), "a")], at("2026-11-21T12:00"))
    assert left.remaining == 15
    assert left.reserved == 0 or left.reserved <= 15
    over = allowance(quota, [], at("2026-11-24T00:01"))
    assert (over.now, over.remaining) == (0, 0)
    assert left.days_for(5) == 1
    assert left.days_for(6) == 2
    assert left.days_for(11) == 3


def test_thirty_percent_are_kept_for_the_last_days() -> None:
    quota = Quota.parse("20", ends="2026-11-30")
    begun = [(at("2026-11-01T00:00"), "a")] * 10
    early = allowance(quota, begun, at("2026-11-10T00:00"))
    assert (early.remaining, early.reserved, early.now) == (10, 6, 4)
    late = allowance(quota, begun, at("2026-11-25T00:00"))
    assert (late.remaining, late.reserved, late.now) == (10, 0, 10)
    daily = Quota.parse("2/day", ends="2026-11-30")
    early = allowance(daily, begun[:2], at("2026-11-10T00:00"))
    assert (early.now, early.remaining, early.reserved) == (2, 42, 13)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("five", {}, "quota=five: write such as 5/day"),
        ("0/day", {}, "quota=0: must be at least 1"),
        ("5/day", {"reset": 24}, "reset=24"),
        ("5/day", {"reserve": 1.0}, "reserve=1.0"),
        ("5/day", {"ends": "soon"}, "ends=soon: write a date"),
        ("5/day", {"ends": "9999-12-31"}, "ends=9999-12-31: write a date"),
    ],
)
def test_bad_quotas(text: str, options: dict, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError) as caught:
        Quota.parse(text, **options)
    assert words in str(caught.value)


def test_json_round_trip() -> None:
    quota = Quota.parse("5/day", reset=3, ends="2026-11-23T18:00+02:00", reserve=0.2)
    recorded = quota.stamped()
    assert read_event(recorded.line(), EVENTS, Path("x"), 1) == recorded
    assert quota.ends == at("2026-11-23T16:00")
