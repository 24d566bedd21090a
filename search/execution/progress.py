"""The live view: a few lines that refresh in a terminal, plain lines in a log file."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.text import format_seconds, in_words
from search.execution.driver import Driver
from search.planning.planned import Plan

LINE_EVERY = 1.0
"""Seconds between plain lines at the least."""

HEARTBEAT = 60.0
"""Seconds after which a plain line says that the job is alive."""


class Progress:
    """Shows where a job is.

    Args:
        driver: Whose record and news are shown.
        plan: For the number of trials to come.
        quiet: Show nothing.
    """

    def __init__(self, driver: Driver, plan: Plan, quiet: bool = False) -> None:
        self._driver, self._search = driver, driver.search
        self._plan, self._quiet = plan, quiet
        self._console = Console(highlight=False)
        self._live: Live | None = None
        self._begun = self._printed = time.monotonic()
        self._before = _images(self._search)
        self._told: Counter[str] = Counter()

    def __enter__(self) -> Progress:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._live is not None:
            self._live.stop()

    def tick(self) -> None:
        """Prints the news; refreshes the view, or prints a line if something has changed."""
        for words in () if self._quiet else self._driver.news:
            self._console.print(words, markup=False, soft_wrap=True)
        self._driver.news.clear()
        if self._quiet or time.monotonic() - self._printed < LINE_EVERY:
            return
        counts: Counter[str] = Counter(t.state for t in self._search.trials.values())
        if self._live is not None:
            self._live.update(Group(*map(Text, self.lines())), refresh=True)
        elif self._news(counts):
            self._console.print(" · ".join(self.lines()[:2]), markup=False, soft_wrap=True)
        else:
            return
        self._told, self._printed = counts, time.monotonic()

    def _news(self, counts: Counter[str]) -> bool:
        """Whether a trial has ended, or a minute has passed."""
        ended = {state: n for state, n in counts.items() if state != "running"}
        told = {state: n for state, n in self._told.items() if state != "running"}
        return ended != told or time.monotonic() - self._printed > HEARTBEAT

    def lines(self) -> list[str]:
        """The view: counts and scores, speed and times, the best so far, what runs."""
        search = self._search
        trials = list(search.trials.values())
        counts = Counter(t.state for t in trials)
        expected = max(self._plan.expected(), len(trials))
        parts = [
            f"{len(trials) - counts['running'] - counts['interrupted']}/{expected} trials",
            f"{counts['running']} running",
        ]
        parts += [f"{counts[s]} {s}" for s in ("stopped", "failed") if counts[s]]
        best = search.best(search.of("sampled") or trials)
        baseline = search.best(search.of("baseline"))
        if best is not None:
            parts.append(f"best {_score(best, search)}")
        if baseline is not None:
            parts.append(f"baseline {_score(baseline, search)}")
        elapsed = format_seconds(time.monotonic() - self._begun)
        speed = f"{self._speed():,.0f} images/s · {elapsed}{self._rest(trials)}"
        lines = [" · ".join(parts), speed]
        if best is not None and best.params:
            lines.append(f"best so far, {best.id}: {in_words(best.params)}")
        for trial in trials:
            if trial.state == "running":
                seen = search.score(trial)
                shown = (
                    "" if seen is None else f", {search.objective.label}{search.metric} {seen:.4f}"
                )
                lines.append(
                    f"  {trial.id} epoch {trial.epoch}/{trial.config.run.last_epoch}{shown}"
                )
        return lines

    def _speed(self) -> float:
        images = _images(self._search) - self._before
        return images / max(1e-9, time.monotonic() - self._begun)

    def _rest(self, trials: list[Trial]) -> str:
        """Estimate from the mean time of the trials that have ended."""
        ended = [
            t.ended - t.started
            for t in trials
            if t.ended is not None and not t.taken and t.attempts == 1
        ]
        if not ended:
            return ""
        left = max(0, self._plan.expected() - sum(t.ended is not None for t in trials))
        rest = left * sum(ended) / len(ended) / max(1, self._driver.slots)
        return f", about {format_seconds(rest)} left"


def _images(search: Search) -> int:
    """Images that were trained on so far, elsewhere or in earlier starts included."""
    trials = search.trials.values()
    return sum(e.images for t in trials if not t.taken for e in t.epochs)


def _score(trial: Trial, search: Search) -> str:
    score = search.score(trial)
    return "–" if score is None else f"{score:.4f}"
