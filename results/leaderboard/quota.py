"""How many submissions may be handed in, and how many are left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import ValidationError, model_validator

from results.records.record import Event
from spaces.errors import InputError

RESERVE = 0.3
"""Share of a contest's submissions that is kept for its last days."""

DAY = 86_400.0


class Quota(Event):
    """A contest's limit.

    Attributes:
        count: Submissions allowed, per day or in all.
        daily: Whether the count is per day; a day's unused submissions are lost.
        reset: Hour (UTC) at which a day begins, from 0 to 23.
        ends: Last moment, seconds since the epoch; None if nobody said.
        reserve: Share of the whole that is kept for the last days, from 0 to below 1.
    """

    event: Literal["quota"] = "quota"
    count: int
    daily: bool = True
    reset: int = 0
    ends: float | None = None
    reserve: float = RESERVE

    @model_validator(mode="after")
    def _check(self) -> Quota:
        if self.count < 1:
            raise InputError(f"quota={self.count}: must be at least 1")
        if not 0 <= self.reset <= 23:
            raise InputError(f"reset={self.reset}: must be an hour (UTC) from 0 to 23")
        if not 0 <= self.reserve < 1:
            raise InputError(f"reserve={self.reserve}: must be at least 0 and below 1")
        return self

    @staticmethod
    def parse(text: str, *, reset: int = 0, ends: str = "", reserve: float = RESERVE) -> Quota:
        """Reads ``5/day``, or ``100`` for a limit over the whole contest.

        Raises:
            InputError: Naming what cannot be read.
        """
        found = re.fullmatch(r"(\d{1,6})(/day)?", text.replace(" ", ""))
        if not found:
            raise InputError(f"quota={text}: write such as 5/day, or 100 for the whole contest")
        last = None
        if ends:
            try:
                moment = datetime.fromisoformat(ends)
                if len(ends) <= 10:
                    moment += timedelta(days=1)  # the day itself still counts
            except (ValueError, OverflowError):  # the last day that there is has none behind it
                raise InputError(f"ends={ends}: write a date such as 2026-12-01") from None
            last = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
        try:
            return Quota(
                count=int(found[1]), daily=bool(found[2]), reset=reset, ends=last, reserve=reserve
            )
        except ValidationError as error:
            raise error.errors()[0]["ctx"]["error"] from None


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a quota leaves at some moment.

    Attributes:
        quota: The limit.
        now: Submissions that may be handed in before the next reset without touching the reserve.
        remaining: Those left until the end, the reserve included; None if the end is not known.
        reserved: Part of the remaining that is kept for the last days; 0 once these have come.
        resets: Next reset, seconds since the epoch.
        people: Who handed in how many.
    """

    quota: Quota
    now: int
    remaining: int | None
    reserved: int
    resets: float
    people: Mapping[str, int]

    def days_for(self, submissions: int) -> int:
        """Days, counting today, over which so many submissions are spread by a daily quota."""
        if not self.quota.daily or submissions <= self.now:
            return 1
        return 1 + -(-(submissions - self.now) // self.quota.count)

    @property
    def words(self) -> str:
        """All of it as a line."""
        resets = datetime.fromtimestamp(self.resets, UTC)
        words = f"quota: {self.now} of {self.quota.count} left"
        if self.quota.daily:
            words += f" until {resets:%d %b %H:%M} UTC"
            if self.remaining is not None:
                words += f", {self.remaining} until the end"
        if self.reserved:
            words += f"; {self.reserved} are reserved for the last days"
        if self.people:
            spent = ", ".join(f"{who or 'somebody'} {n}" for who, n in self.people.items())
            words += f"; handed in so far: {spent}"
        return words


def allowance(quota: Quota, spent: Sequence[tuple[float, str]], now: float) -> Allowance:
    """Counts what is left.

    A daily quota cannot be saved up, so of its remaining days the last ones hold the reserve. Of a
    limit over the whole contest the reserve is kept back until that share of its time is left.

    Args:
        quota: The limit.
        spent: When each submission was handed in, seconds since the epoch, and by whom.
        now: Seconds since the epoch.
    """
    begun = _day_begins(now, quota.reset)
    first = min([at for at, _ in spent], default=now)
    remaining: int | None
    if quota.daily:
        left = max(0, quota.count - sum(at >= begun for at, _ in spent))
        remaining = None
        if quota.ends is not None:
            more = max(0, -(-(quota.ends - (begun + DAY)) // DAY))
            remaining = left + int(more) * quota.count if now < quota.ends else 0
            left = min(left, remaining)
    else:
        left = remaining = max(0, quota.count - len(spent))
    reserved = 0
    if remaining is not None and quota.ends is not None:
        last_days = quota.ends - quota.reserve * (quota.ends - first)
        if now < last_days:
            whole = remaining if quota.daily else quota.count
            reserved = min(remaining, round(quota.reserve * whole))
    if not quota.daily:
        left = max(0, left - reserved)
    return Allowance(
        quota=quota,
        now=left,
        remaining=remaining,
        reserved=reserved,
        resets=begun + DAY,
        people=dict(Counter(who for _, who in spent).most_common()),
    )


def _day_begins(now: float, reset: int) -> float:
    moment = datetime.fromtimestamp(now, UTC)
    begun = moment.replace(hour=reset, minute=0, second=0, microsecond=0)
    if begun > moment:
        begun -= timedelta(days=1)
    return begun.timestamp()
