"""The order of a search, its sampler and its early stopping, without training anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from results.records.confirmation import concerns, confirmation_arms
from results.records.ledger import Ledger
from results.records.trials import Search
from search.execution.driver import Driver
from search.planning.asha import Asha
from search.planning.early_stopping import SCORE, SCORES
from search.planning.planned import Planned
from search.planning.sampler import Sampler
from search.planning.search_plan import CONFIRM_FOLD, SearchPlan
from spaces.augmentation.policy import AugPolicy, Choice
from spaces.augmentation.stages import staged
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.ready.aug_policy import aug_policy
from spaces.ready.optimizer import optimizer
from spaces.ready.schedule import schedule
from spaces.trial_config import TrialConfig
from tests.records import job_event, opening_event, raw_events

BASE = TrialConfig.of(epochs=3)


class World:
    """A driver with a plan and made-up scores."""

    def __init__(self, folder: Path, trials: int = 4, confirm: int = 2, finishing: int = 1) -> None:
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.search = Search(folder=folder)
        self.driver = Driver(self.ledger, self.search)
        self.driver.record(opening_event("s", BASE))
        self.sampler = Sampler(aug_policy(), "val/accuracy", "maximize", 0, 2)
        self.open = {"no augmentation (the baseline)", "no augmentation", "TrivialAugment"}
        self.driver.on_end([self.sampler.tell])
        self.plan = SearchPlan(
            search=self.search,
            sampler=self.sampler,
            baseline=BASE,
            trials=trials,
            confirm=confirm,
            unsettled=lambda: self.open,
            finishing=finishing,
        )

    def start(self) -> Planned | None:
        planned = self.plan.next()
        if planned:
            self.driver.begin(planned)
        return planned

    def run(self, planned: Planned, score: float, epochs: int = 3) -> None:
        for epoch in range(1, epochs + 1):
            report = {
                "epoch": epoch,
                "metrics": {"val/accuracy": score},
                "seconds": {"total": 1.0, "feed": 0.1, "compute": 0.8},
                "images": 10,
            }
            self.driver.report(planned.id, {"epoch": epoch, "reports": [report]})
        self.driver.complete(planned.id)


def test_baseline_samples_confirmation(tmp_path: Path) -> None:
    world = World(tmp_path)
    whys = []
    scores = iter([0.5, 0.6, 0.9, 0.7, 0.8] + [0.5] * 20)
    while not world.plan.done:
        planned = world.start()
        assert planned is not None
        whys.append(planned.why)
        world.run(planned, next(scores), epochs=1 if planned.number == 3 else 3)
    winner = world.plan.winner()
    assert winner is not None
    assert winner.number == 2
    assert whys[:5] == ["baseline"] + ["sampled"] * 4
    confirmations = world.search.of("confirm")
    assert {t.config.run.fold for t in confirmations} == {CONFIRM_FOLD}
    assert {t.config.run.seed for t in confirmations} == {1, 2}
    arms = {t.arm: t.config for t in confirmations if t.config.run.seed == 1}
    assert arms["TrivialAugment"].policy == trivial_augment()
    assert arms["TrivialAugment"].optimizer.lr == winner.config.optimizer.lr
    # the baseline is the winner without its augmentation, so it is trained once
    assert set(arms) == {"winner", "no augmentation (the baseline)", "TrivialAugment"}
    assert world.plan.expected() == len(whys) == 1 + 4 + 6
    world.ledger.close()
    states = [e["state"] for e in raw_events(tmp_path / "ledger.jsonl") if "state" in e]
    assert states.count("stopped") == 1
    assert Search.read(tmp_path).trials == world.search.trials  # the ledger tells it all


def test_what_is_fixed_completes_what_is_drawn(tmp_path: Path) -> None:
    """A pinned part of a policy, or of another optimizer, reaches every sampled trial."""
    fix: dict[str, Any] = {"stages": 2, "stage1.operation": "rotate", "stage1.strength": 0.1}
    world = World(tmp_path, trials=5)
    world.sampler = Sampler(aug_policy().pin(fix), "val/accuracy", "maximize", 0, 2)
    world.plan.sampler, world.plan.fix = world.sampler, fix
    for _ in range(6):
        world.start()
    for trial in world.search.of("sampled"):
        choices = [c for stage in trial.config.policy.stages for c in stage.choices]
        assert Choice(operation="rotate", limit=3.0) in choices
        assert not {"stages", "stage1.operation"} & set(trial.params)
    assert world.search.of("baseline")[0].config.policy == AugPolicy()
    sampler = Sampler(optimizer().pin({"sgd.lr": 0.5}), "val/accuracy", "maximize", 0, 2)
    drawn = [BASE.with_params({"sgd.lr": 0.5, **sampler.ask(str(i))}) for i in range(30)]
    assert {c.optimizer.lr for c in drawn if c.optimizer.kind == "sgd"} == {0.5}


def test_without_a_finished_sample_there_is_nothing_to_confirm(tmp_path: Path) -> None:
    world = World(tmp_path, trials=1)
    for _ in range(2):
        planned = world.start()
        assert planned is not None
        world.driver.report(planned.id, {"epoch": 1, "failed": "OSError: x", "traceback": "…"})
    assert world.plan.done
    assert world.plan.winner() is None
    assert [t.state for t in world.search.trials.values()] == ["failed", "failed"]


def test_only_what_is_not_settled_gets_another_seed(tmp_path: Path) -> None:
    world = World(tmp_path, trials=1, confirm=4)
    stages: list[list[str]] = []
    while not world.plan.done:
        stage = []
        while (planned := world.start()) is not None:
            stage.append(planned)
        assert len({p.config.run.seed for p in stage if p.why == "confirm"}) <= 1
        # Nothing of the next stage starts before all of this one have ended, the sample last.
        for planned in sorted(stage, key=lambda p: p.why):
            assert world.plan.next() is None or planned.why != "confirm"
            world.run(planned, 0.5)
        stages.append([p.arm for p in stage])
        if len(stages) == 2:
            world.open = {"TrivialAugment"}
        if len(stages) == 4:
            world.open = set()
    assert stages[0] == ["", "", "no augmentation (the baseline)"]
    assert stages[1] == ["winner", "TrivialAugment"]
    assert stages[2:] == [["winner", "TrivialAugment"]] * 2
    assert world.plan.expected() == len(world.search.trials) == 1 + 1 + 3 + 2 + 2


def test_a_stage_that_was_cut_short_is_completed(tmp_path: Path) -> None:
    world = World(tmp_path, trials=1, confirm=3)
    for _ in range(2 + 3 + 1):  # baseline, sample, first stage, one training of the second
        planned = world.start()
        assert planned is not None
        world.run(planned, 0.5)
    again = SearchPlan(
        search=world.search,
        sampler=world.sampler,
        baseline=BASE,
        trials=1,
        confirm=3,
        unsettled=lambda: {"TrivialAugment"},
    )
    following = again.next()
    assert following is not None
    assert (following.arm, following.config.run.seed) == ("TrivialAugment", 2)


def test_arms_are_matched_and_distinct() -> None:
    policy = staged({"stages": 1, "stage1.operation": "rotate"})
    winner = BASE.replace(policy=policy, lr=5e-3)
    arms = confirmation_arms(winner, BASE)
    assert set(arms) == {"winner", "no augmentation", "TrivialAugment", "the baseline"}
    assert arms["no augmentation"] == winner.replace(policy=AugPolicy())
    assert set(confirmation_arms(BASE.replace(lr=2e-3), BASE)) == {
        "winner",
        "TrivialAugment",
        "the baseline",
    }


def test_repeated_reports_count_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    planned = world.start()
    assert planned is not None
    world.run(planned, 0.5)
    world.run(planned, 0.4)
    (trial,) = world.search.trials.values()
    assert [e.metrics["val/accuracy"] for e in trial.epochs] == [0.5] * 3


def test_the_sampler_learns_from_ends_of_every_kind(tmp_path: Path) -> None:
    world = World(tmp_path, trials=12, confirm=0)
    for _ in range(13):
        planned = world.start()
        assert planned is not None
        world.run(planned, 0.01 * planned.number, epochs=1 if planned.number % 3 == 0 else 3)
    states = [t.state.name for t in world.sampler.study.trials]
    assert states.count("PRUNED") == 4
    assert states.count("COMPLETE") == 8
    pruned = [t for t in world.sampler.study.trials if t.state.name == "PRUNED"]
    assert all(list(t.intermediate_values) == [1] for t in pruned)


def test_the_same_seed_proposes_the_same() -> None:
    def propose() -> list[dict[str, Any]]:
        sampler = Sampler(schedule(), "val/accuracy", "maximize", 3, 5)
        return [sampler.ask(str(i)) for i in range(5)]

    assert propose() == propose()


def ray_trial(name: str, why: str) -> Any:
    return SimpleNamespace(trial_id="of Ray", config={"why": why, "trial": name})


@pytest.mark.parametrize("grace", [1, 2])
def test_asha_stops_the_worse_on_epochs_and_spares_controls(grace: int) -> None:
    asha = Asha(epochs=9, grace=grace, reduction=3)
    stopped = []
    for i in range(9):
        trial = ray_trial(str(i), "sampled")
        asha.on_trial_add(None, trial)
        for epoch in range(1, 9):
            result = {"epoch": epoch, SCORE: -float(i), SCORES: [(epoch, -float(i))]}
            if asha.on_trial_result(None, trial, result) == "STOP":
                stopped.append((i, epoch))
                asha.on_trial_complete(None, trial, result)
                break
    assert stopped
    assert min(epoch for _, epoch in stopped) >= grace
    assert all(i > 0 for i, _ in stopped)
    control = ray_trial("c", "confirm")
    asha.on_trial_add(None, control)
    for epoch in range(1, 9):
        result = {"epoch": epoch, SCORE: -1e9, SCORES: [(epoch, -1e9)]}
        assert asha.on_trial_result(None, control, result) == "CONTINUE"
    asha.on_trial_complete(None, control, result)
    asha.on_trial_remove(None, control)


def test_a_failed_trial_leaves_no_trace_in_the_rungs() -> None:
    asha = Asha(epochs=9, grace=1, reduction=3)
    trial = ray_trial("f", "sampled")
    asha.on_trial_add(None, trial)
    failed = {"epoch": 1, "failed": "x", "done": True}
    assert asha.on_trial_result(None, trial, failed) == "CONTINUE"
    asha.on_trial_complete(None, trial, failed)
    assert not any(asha.rungs.values())


def test_another_winner_after_more_trials_is_confirmed_itself(tmp_path: Path) -> None:
    """A search that goes on may find a better one, which the old confirmations do not concern."""
    world = World(tmp_path, trials=2)
    while not world.plan.done:
        planned = world.start()
        assert planned is not None
        world.run(planned, 0.5 + 0.01 * planned.number)
    old = world.plan.winner()
    assert old is not None
    world.plan.trials = 3
    sampled = world.start()
    assert sampled is not None
    assert sampled.why == "sampled"
    world.run(sampled, 0.9)
    new = world.plan.winner()
    assert new is not None
    assert new.id == sampled.id
    more: list[Planned] = []
    while not world.plan.done:
        planned = world.start()
        assert planned is not None
        more.append(planned)
        world.run(planned, 0.5)
    assert {p.config.policy for p in more if p.arm == "winner"} == {new.config.policy}
    assert sum(p.arm == "winner" for p in more) == 2
    runs = world.search.of("confirm")
    ours = [t for t in runs if t.arm == "winner" and concerns(t, new, world.search)]
    assert [t.config.policy for t in ours] == [new.config.policy] * 2
    assert sum(concerns(t, old, world.search) and t.arm == "winner" for t in runs) == 2


def test_without_a_finished_trial_the_best_of_those_stopped_goes_on(tmp_path: Path) -> None:
    """Early stopping may end all, which the baseline left behind; a search still has a winner."""
    world = World(tmp_path, trials=3, confirm=0)
    for score in (0.9, 0.3, 0.5, 0.4):
        planned = world.start()
        assert planned is not None
        world.run(planned, score, epochs=3 if planned.why == "baseline" else 2)
    assert {t.state for t in world.search.of("sampled")} == {"stopped"}
    assert not world.plan.done
    revived = world.start()
    assert revived is not None
    assert (revived.number, revived.revived) == (2, True)
    assert world.start() is None
    world.driver.complete(revived.id)  # its process dies, and it goes on
    world.driver.record(job_event("trial_ended", trial=revived.id, state="interrupted", reason=""))
    again = world.start()
    assert again == revived
    world.run(revived, 0.6)
    winner = world.plan.winner()
    assert winner is not None
    assert winner.id == revived.id
    assert world.plan.done
    world.ledger.close()
    assert Search.read(tmp_path).trials[revived.id].revived


def test_after_a_screening_the_best_go_on_side_by_side(tmp_path: Path) -> None:
    """All four are ended after two epochs; the best two go on, and for one that fails the third."""
    world = World(tmp_path, trials=4, confirm=0, finishing=2)
    for score in (0.9, 0.3, 0.6, 0.5, 0.4):
        planned = world.start()
        assert planned is not None
        assert not planned.revived
        if planned.number == 4:
            assert world.plan.next() is None  # it may be better than those that were ended
        world.run(planned, score, epochs=3 if planned.why == "baseline" else 2)
    first, second = world.start(), world.start()
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (2, 3)
    assert [words.split()[0] for words in world.driver.news] == [first.id, second.id]
    assert world.start() is None
    world.driver.report(second.id, {"failed": "it broke", "traceback": ""})
    third = world.start()
    assert third is not None
    assert (third.number, third.revived) == (4, True)
    world.run(third, 0.7)
    assert not world.plan.done
    world.run(first, 0.6)
    assert world.plan.done
    assert [t.state for t in world.search.of("sampled")] == [
        "stopped",
        "finished",
        "failed",
        "finished",
    ]
    winner = world.plan.winner()
    assert winner is not None
    assert winner.id == third.id


def test_what_any_winner_has_to_beat_starts_while_the_last_samples_run(tmp_path: Path) -> None:
    world = World(tmp_path, trials=2)
    started = [world.start() for _ in range(3)]
    control = world.start()
    assert control is not None
    assert (control.why, control.arm) == ("confirm", "no augmentation (the baseline)")
    assert control.config == BASE.replace(seed=1, fold=CONFIRM_FOLD)
    for planned in (*started[:2], control):
        assert planned is not None
        world.run(planned, 0.5)
    assert world.start() is None  # the rest depends on the winner
    assert not world.plan.done
    last = started[2]
    assert last is not None
    world.run(last, 0.6)
    rest = []
    while not world.plan.done:
        planned = world.start()
        assert planned is not None
        rest.append(planned)
        world.run(planned, 0.5)
    assert sum(p.config.run.seed == 1 for p in rest) == 2  # the winner and TrivialAugment
    assert len(rest) == 5
