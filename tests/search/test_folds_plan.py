"""Which folds a promotion trains, and when it stops."""

from __future__ import annotations

from pathlib import Path

from results.records.trials import Search
from search.planning.fold_plan import ATTEMPTS, FoldsPlan, fold_config
from search.planning.planned import Planned
from spaces.trial_config import TrialConfig
from tests.records import ended, opening_event, started


def start(search: Search, planned: Planned) -> None:
    more = {"number": planned.number, "why": planned.why, "arm": planned.arm}
    search.apply(started(planned.id, planned.config, **more))


def end(search: Search, planned: Planned, state: str = "finished") -> None:
    search.apply(ended(planned.id, state))


def plan(arms: int, folds: int = 5, seeds: int = 1, race: tuple[int, ...] = ()) -> FoldsPlan:
    search = Search(folder=Path("p"), opened=opening_event("p"))
    return FoldsPlan(
        search=search,
        arms={f"a-{i}": TrialConfig.of(lr=1e-3 * (i + 1)) for i in range(arms)},
        folds=tuple(range(folds)),
        seeds=seeds,
        race=race,
        survivors=lambda: ["a-1"],
    )


def test_every_fold_and_seed_once() -> None:
    folds = plan(2, seeds=2)
    seen = []
    while (planned := folds.next()) is not None:
        start(folds.search, planned)
        seen.append((planned.arm, planned.config.run.fold, planned.config.run.seed))
        assert not folds.done
    assert len(seen) == len(set(seen)) == 2 * 5 * 2 == folds.expected()
    assert ("a-0", 0, 0) in seen  # the hold-out run's own seed
    assert ("a-0", 1, 1) in seen  # the first seed of a confirmation
    for trial in list(folds.search.trials.values()):
        folds.search.apply(ended(trial.id))
    assert folds.done
    assert fold_config(TrialConfig.of(seed=7), 0, 0) == TrialConfig.of(seed=7)


def test_a_failed_fold_is_tried_again_and_then_given_up() -> None:
    folds = plan(1, folds=2)
    attempts = 0
    while (planned := folds.next()) is not None:
        start(folds.search, planned)
        failed = planned.config.run.fold == 1
        attempts += failed
        end(folds.search, planned, "failed" if failed else "finished")
    assert attempts == ATTEMPTS
    assert folds.done


def test_a_race_trains_the_rest_for_those_left_only() -> None:
    folds = plan(3, race=(1, 2))
    first = []
    while (planned := folds.next()) is not None:
        start(folds.search, planned)
        first.append(planned)
    assert {(p.arm, p.config.run.fold) for p in first} == {
        (f"a-{i}", fold) for i in range(3) for fold in (1, 2)
    }
    assert not folds.done
    for planned in first:
        end(folds.search, planned)
    assert not folds.done
    rest = []
    while (planned := folds.next()) is not None:
        start(folds.search, planned)
        end(folds.search, planned)
        rest.append((planned.arm, planned.config.run.fold))
    assert rest == [("a-1", 0), ("a-1", 3), ("a-1", 4)]
    assert folds.done
