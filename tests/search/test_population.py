"""Population based training of schedules: from the rule to the trials that it proposes."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.records.confirmation import is_baseline
from results.records.events import EVENTS, TrialEnded
from results.records.ledger import Ledger, replay
from results.records.population import Lineage, PopulationFound, TakenOver
from results.records.record import Event
from results.records.trials import Search
from results.reporting.costs import costs
from results.reporting.lineages import lineage_lines
from search.execution.driver import Driver
from search.jobs.baseline import base_config
from search.jobs.retention import tidy
from search.options.command_line import parse
from search.options.training import RunConfig
from search.planning.planned import Planned
from search.planning.population import Population, check_schedules
from search.planning.search_plan import SearchPlan
from search.planning.truncation import explored, takeovers
from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.ready import ready_space
from spaces.ready.pba import pba
from spaces.sections.run import Segment
from spaces.trial_config import TrialConfig
from tests.commands import run
from tests.records import opening_event, raw_events
from tests.regenerate_docs import RECORDED
from tests.tiny import build
from trainables.training.actions import ACTIONS
from trainables.training.checkpoint import Checkpoint
from trainables.training.context import TrainingContext
from trainables.training.training_error import TrainingError

SPACE = pba(points=3, held=True)
BASE = TrialConfig.of(epochs=6, warmup_epochs=0, seed=3)
MEMBERS = 8


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_lowest_quarter_takes_over_from_the_highest() -> None:
    scores = [0.3, 0.9, 0.1, 0.5, 0.8, 0.2, 0.6, 0.4]
    seen = [takeovers(scores, generator(seed)) for seed in range(40)]
    assert seen[0] == takeovers(scores, generator(0))
    assert all(found.keys() == {2, 5} for found in seen)
    assert {source for found in seen for source in found.values()} == {1, 4}
    assert takeovers([0.5, 0.1, 0.9, 0.2], generator()) == {1: 2}
    assert takeovers([0.5] * 4, generator()) == {3: 0}  # of equals the first is the best


def test_who_failed_takes_over_as_well() -> None:
    scores = [None, 0.9, None, 0.5, None, None, 0.6, None]
    found = takeovers(scores, generator())
    assert found.keys() == {0, 2, 4, 5, 7}
    assert set(found.values()) <= {1, 6}
    assert set(takeovers([None, None, 0.1, None], generator()).values()) == {2}
    assert takeovers([None] * 4, generator()) == {}


def test_what_is_taken_over_is_shifted_or_drawn_anew_within_its_range() -> None:
    param = SPACE.narrow({"pba.colour1": [0.2, 0.7]})["pba.colour1"]
    draw = generator()
    found = np.array([explored(0.4, param, draw) for _ in range(4000)])
    assert found.min() >= 0.2
    assert found.max() <= 0.7
    steps = (found - 0.4) / 0.05
    shifted = np.isclose(steps, steps.round()) & (np.abs(steps) < 3.5)
    assert {*steps[shifted].round().astype(int)} == {-3, -2, -1, 0, 1, 2, 3}
    assert 1 - shifted.mean() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("space", "fix", "changes", "message"),
    [
        ("aug_policy", {}, {}, "schedules of pba alone, and space=aug_policy searches stages"),
        ("pba(points=3)", {}, {}, "needs strengths that are held"),
        ("policies", {}, {}, "schedules of pba alone"),
        ("pba(points=4,held=True)", {}, {}, r"epochs=6 cannot be cut into 4 .* take epochs=8"),
        ("pba(points=3,held=True)", {}, {"action": "mixmatch"}, "action=mixmatch"),
        ("pba(points=3,held=True)", {"pba.colour3": 0.1}, {}, None),
    ],
)
def test_what_no_population_can_train_is_refused(
    space: str, fix: dict[str, Any], changes: dict[str, Any], message: str | None
) -> None:
    found = ready_space(space).pin(fix)
    base = BASE.replace(**changes)
    if message is None:
        assert check_schedules(found, fix, base.run) == 3
        return
    with pytest.raises(InputError, match=message):
        check_schedules(found, fix, base.run)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["population.members=3"], "population.members=3: must be at least 4"),
        (["mode=population", "trials=17"], "at most population.members=16"),
        (["mode=population", "history=[a]"], "mode=population does without"),
        (["mode=population", "objective=stress"], "mode=population compares by metric"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(RunConfig, words)
    assert parse(RunConfig, ["mode=population"]).trials == 3
    assert parse(RunConfig, []).trials == 16


def test_what_is_pinned_of_schedules_is_not_the_baselines() -> None:
    config = parse(RunConfig, ["fix.pba.flip=0.5"])
    assert base_config(config, SPACE.pin({"pba.flip": 0.5})).policy == AugPolicy()
    pinned = parse(RunConfig, ["fix.policy=trivial_augment"])
    assert base_config(pinned, ready_space("schedule")).policy == trivial_augment()


def test_segments_are_no_setting_of_anybody() -> None:
    with pytest.raises(InputError, match="populations are trained by mode=population"):
        BASE.with_params({"action": "segment"})
    with pytest.raises(InputError, match="until is not a parameter"):
        BASE.with_params({"action": "segment", "until": 3})
    with pytest.raises(InputError, match="parent must be given after the first epochs"):
        BASE.replace(action="segment", done=2, until=4)


class World:
    """A search by a population with made-up scores."""

    def __init__(self, folder: Path, fix: dict[str, Any] | None = None, trials: int = 3) -> None:
        self.trials, self.fix = trials, fix or {}
        self.search = Search(folder=folder)
        self.driver = Driver(Ledger(folder / "ledger.jsonl"), self.search)
        self.driver.on_end([lambda trial: tidy(self.search, trial, "all")])
        self.driver.record(opening_event("s", BASE, trials=trials))
        self.again()

    def again(self) -> None:
        """What is planned is computed anew, as after a resume."""
        space = SPACE.pin(self.fix)
        self.population = Population(self.search, space, BASE, self.fix, MEMBERS, seed=5)
        self.plan = SearchPlan(
            search=self.search,
            sampler=self.population,
            groundwork=self.population,
            baseline=BASE,
            fix=self.fix,
            trials=self.trials,
            confirm=0,
            unsettled=list,
        )

    def start(self) -> Planned | None:
        planned = self.plan.next()
        if planned is not None:
            self.driver.begin(planned)
            folder = self.search.trial_folder(self.search.trials[planned.id])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "checkpoint-00001-x").touch()
        return planned

    def end(self, planned: Planned, score: float | None) -> None:
        run = planned.config.run
        if score is None:
            failed = {"epoch": 1, "failed": "no", "traceback": ""}
            return self.driver.report(planned.id, failed)
        for epoch in range(getattr(run, "done", 0) + 1, run.last_epoch + 1):
            metrics = {"val/accuracy": score}
            report = {"epoch": epoch, "metrics": metrics, "seconds": {"total": 1.0}}
            self.driver.report(planned.id, {"epoch": epoch, "reports": [report]})
        return self.driver.complete(planned.id)

    def interval(self, scores: list[float | None]) -> list[Planned]:
        """All members train a segment, the last one first; which comes at any time is the same."""
        begun = [self.start() for _ in range(MEMBERS)]
        assert self.plan.next() is None  # the next interval waits for all of them
        assert not self.plan.done
        planned = [p for p in begun if p is not None]
        for one, score in reversed(list(zip(planned, scores, strict=True))):
            self.end(one, score)
            self.again()
        return planned

    def kept(self) -> set[str]:
        return {p.parent.name for p in self.search.folder.glob("trials/*/checkpoint-*")}


def run_of(planned: Planned) -> Segment:
    assert isinstance(planned.config.run, Segment)
    return planned.config.run


SCORES: list[float | None] = [0.3, 0.9, 0.1, 0.5, 0.8, 0.2, 0.6, 0.4]


def whole(folder: Path) -> tuple[World, list[list[Planned]]]:
    world = World(folder)
    baseline = world.start()
    assert baseline is not None
    world.end(baseline, 0.5)
    last: list[float | None] = [0.1 * i for i in range(MEMBERS)]
    return world, [world.interval(scores) for scores in (SCORES, SCORES, last)]


def test_members_train_on_their_own_and_the_lowest_go_on_from_the_highest(tmp_path: Path) -> None:
    _, (first, second, third) = whole(tmp_path)
    assert [p.why for p in first] == ["segment"] * MEMBERS
    assert [p.config.run.seed for p in first] == [*range(3, 11)]
    assert [p.config.run.seed for p in third] == [*range(3, 11)]
    assert len({p.params["pba.geometry1"] for p in first}) == MEMBERS
    for before, after, done in ((first, second, 2), (second, third, 4)):
        for member, planned in enumerate(after):
            run, source = run_of(planned), before[member]
            if member in (2, 5):  # the lowest quarter
                source = next(p for p in before if p.id == run.parent)
                assert source in (before[1], before[4])
            assert (run.parent, run.done, run.until) == (source.id, done, done + 2)
            assert run.parent_digest == source.config.state_digest
            assert source.params.items() <= planned.params.items()  # its schedule so far
            point, last = f"pba.colour{done // 2 + 1}", source.params[f"pba.colour{done // 2}"]
            assert planned.params["pba.flip"] == source.params["pba.flip"]
            if member not in (2, 5):
                assert planned.params[point] == last
    explored_points = [p.params["pba.colour2"] - p.params["pba.colour1"] for p in second]
    assert any(explored_points)
    # As long as there is no next interval, a schedule goes on as it is.
    strengths = [first[0].config.policy.at(share) for share in (0, 0.4, 0.6, 1)]
    assert len(set(strengths)) == 1


def test_the_best_schedules_are_trained_from_the_start(tmp_path: Path) -> None:
    world, (*_, last) = whole(tmp_path)
    planned = [world.start() for _ in range(3)]
    assert [p and p.why for p in planned] == ["sampled"] * 3
    assert [p and dict(p.params) for p in planned] == [dict(last[i].params) for i in (7, 6, 5)]
    for trial, member, score in zip(planned, (7, 6, 5), (0.6, 0.9, 0.5), strict=True):
        assert trial is not None
        assert trial.config == BASE.with_params(trial.params)  # an ordinary training
        assert SPACE.read(trial.params) == trial.params
        # Epoch by epoch what the lineage was trained with.
        segment = last[member].config
        for epoch in range(6, 0, -1):
            assert isinstance(segment.run, Segment)
            if epoch == segment.run.done:
                segment = world.search.trials[segment.run.parent].config
            share = (epoch - 1) / 5
            assert trial.config.policy.at(share) == segment.policy.at(share)
        world.end(trial, score)
    assert world.plan.next() is None
    assert world.plan.done
    assert world.plan.expected() == len(world.search.trials) == 1 + 3 * MEMBERS + 3
    assert world.search.best(world.search.trials.values()) is not None
    found = world.population.found()
    assert found.trainings == MEMBERS
    assert [(t.epoch, t.member) for t in found.takeovers] == [(2, 3), (2, 6), (4, 3), (4, 6)]
    best = found.lineages[0]
    assert best.members == (8, 8, 8)
    assert best.score == pytest.approx(0.7)
    assert best.again == 0.6
    page = "\n".join(lineage_lines(found, sign=1))
    assert "a population of 8 took as many epochs as 8.0 trials, 2 epochs at a time" in page
    assert "these 3 do not keep the population's order (2 of 3 pairs)" in page


def test_a_search_killed_at_any_event_computes_the_same(tmp_path: Path) -> None:
    world, generations = whole(tmp_path)
    trials = [world.start() for _ in range(3)]
    planned = [p for p in (*itertools.chain(*generations), *trials) if p is not None]
    world.driver.commit()
    again = World.__new__(World)
    again.trials, again.fix, again.search = 3, {}, Search(folder=tmp_path)
    computed = 0

    def resume(event: Event) -> None:
        nonlocal computed
        again.search.apply(event)
        if len(again.search.trials) > 1 or isinstance(event, TrialEnded):
            again.again()
            known = len(again.search.trials) - 1
            rest = list(iter(again.plan.next, None))
            wanted = planned[known : known + len(rest)]
            assert [(p.arm, p.config) for p in rest] == [(p.arm, p.config) for p in wanted]
            computed += len(rest)

    replay(tmp_path / "ledger.jsonl", EVENTS, resume)
    assert computed > 3 * MEMBERS


def test_checkpoints_stay_as_long_as_somebody_may_start_from_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    baseline = world.start()
    assert baseline is not None
    world.end(baseline, 0.5)
    first = world.interval([*SCORES[:-1], None])
    ended = {p.id for p in first[:-1]}
    assert world.kept() == {baseline.id} | ended  # what failed has none to take over
    second = [p for p in (world.start() for _ in range(MEMBERS)) if p is not None]
    for planned in second[:-1]:
        world.end(planned, 0.5)
    assert ended <= world.kept()  # the last one may begin again
    world.end(second[-1], None)
    assert world.kept() == {baseline.id, *(p.id for p in second[:-1])}
    world.interval(SCORES)
    assert world.kept() == {baseline.id}


def test_a_population_that_failed_ends_the_search(tmp_path: Path) -> None:
    world = World(tmp_path)
    baseline = world.start()
    assert baseline is not None
    world.end(baseline, 0.5)
    begun = [world.start() for _ in range(MEMBERS)]
    for planned in begun:
        assert planned is not None
        world.end(planned, None)
    assert world.plan.next() is None
    assert world.plan.done
    assert "No member has run to its end" in lineage_lines(world.population.found(), 1)[1]


def test_pinned_and_narrowed_strengths_are_kept_to(tmp_path: Path) -> None:
    world = World(tmp_path, {"pba.geometry1": 0.125, "pba.flip": 0.5})
    baseline = world.start()
    assert baseline is not None
    world.end(baseline, 0.5)
    first, second = world.interval(SCORES), world.interval(SCORES)
    assert all("pba.geometry1" not in p.params for p in first)
    assert second[0].params["pba.geometry2"] == 0.125
    wanted = BASE.with_params({**world.fix, **second[0].params, "pba.geometry3": 0.125})
    stage = wanted.policy.at(0.0).stages[1]
    assert second[0].config.policy.at(0.0).stages[1] == stage


@pytest.fixture
def context(task: TrainingContext) -> TrainingContext:
    return dataclasses.replace(task, own={"my:model": build})


def test_a_segment_from_a_checkpoint_goes_on_to_the_bit(
    small: TrialConfig, context: TrainingContext, tmp_path: Path
) -> None:
    points = {f"pba.geometry{i}": s for i, s in ((1, 0.2), (2, 0.9), (3, 0.5))}
    whole = small.replace(
        model="my:model", epochs=3, averaging="ema", schedule="plateau"
    ).with_params({"policy": "pba", "pba.held": True, **points})
    reports = [e.report for e in ACTIONS.of(whole.run)(whole, context, tmp_path / "whole")]
    before = ""
    parent: TrialConfig | None = None
    cut: list[Any] = []
    for done in range(3):
        config = whole.replace(
            action="segment",
            done=done,
            until=done + 1,
            parent=before,
            parent_digest=parent.state_digest if parent else "",
        )
        folder = tmp_path / "cut" / f"s-{done}"
        cut += list(ACTIONS.of(config.run)(config, context, folder))
        (again,) = ACTIONS.of(config.run)(config, context, folder)  # killed before its end was told
        assert again.report["metrics"] == cut[-1].report["metrics"]
        assert again.earlier == ()
        assert not (folder / "test.npz").exists()
        parent, before = config, folder.name
    assert [e.report["epoch"] for e in cut] == [1, 2, 3]
    for name in ("train/loss", "val/macro_f1", "train/lr"):
        assert [e.report["metrics"][name] for e in cut] == [r["metrics"][name] for r in reports]
    ends = [
        Checkpoint.newest(tmp_path / "whole", whole)[0],
        Checkpoint.newest(tmp_path / "cut/s-2", parent or whole)[0],
    ]
    one, other = (c.states["model"] for c in ends if c is not None)
    assert all((one[name] == other[name]).all() for name in one)


def test_a_segment_without_its_parents_weights_fails_in_words(
    small: TrialConfig, context: TrainingContext, tmp_path: Path
) -> None:
    config = small.replace(
        model="my:model", action="segment", done=1, until=2, parent="s-001", parent_digest="x"
    )
    with pytest.raises(TrainingError, match="the weights of s-001 are gone"):
        list(ACTIONS.of(config.run)(config, context, tmp_path / "s-002"))


def test_the_order_is_told_with_words() -> None:
    lineages = [
        Lineage(members=(1, 2), score=0.9, trial="s-9", again=0.8),
        Lineage(members=(2, 2), score=0.8, trial="s-10", again=0.7),
    ]
    found = PopulationFound(
        members=4,
        every=1,
        trainings=4.0,
        takeovers=(TakenOver(epoch=1, member=2, source=1),),
        lineages=tuple(lineages),
    )
    page = "\n".join(lineage_lines(found, 1))
    assert "2 different schedules at its end" in page
    assert "1 → 2" in page
    assert "After epoch 1 member 2 went on from 1." in page
    assert "keep the population's order (1 of 1 pairs)" in page
    assert "do not keep the population's order (0 of 1 pairs)" in "\n".join(
        lineage_lines(found, -1)
    )
    assert lineage_lines(None, 1) == []


@pytest.mark.slow
def test_a_population_from_the_command_line(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "run",
        "space=pba(points=2,held=True)",
        "mode=population",
        "population.members=4",
        "trials=1",
        "confirm=0",
        "epochs=2",
        "fix.warmup_epochs=0",
        "quiet=true",
        "name=p",
    )
    assert done.returncode == 0, done.stderr
    assert "Training a population of 4 took as many epochs as 4.0 trials" in done.stdout
    events = raw_events(tmp_path / "runs/digits/p/ledger.jsonl")
    begun = [e for e in events if e["event"] == "trial_started"]
    assert [e["why"] for e in begun] == ["baseline", *["segment"] * 8, "sampled"]
    assert sum(e["event"] == "epoch" for e in events) == 2 + 8 + 2
    assert not list(tmp_path.glob("runs/digits/p/trials/p-00[1-8]/checkpoint-*"))


def test_what_a_population_cost_is_part_of_the_sampling() -> None:
    closed = Search.read(RECORDED).summary
    assert closed is not None
    assert any(is_baseline(c.control) for c in closed.comparisons)
    costly = closed.model_copy(
        update={"cost": {**closed.cost, "why/sampled": 60, "why/segment": 90}}
    )
    assert costs(costly)[0].startswith("Sampling took 2 min 30 s of training")


def test_where_all_was_taken_over_nothing_is_said_of_states() -> None:
    closed = Search.read(RECORDED).summary
    assert closed is not None
    none = {name: 0.0 for name in closed.cost if name.startswith(("trials/", "why/"))}
    cost = {**closed.cost, **none, "wall": 3.0}
    taken = closed.model_copy(update={"cost": cost, "counts": {}})
    assert costs(taken) == ["It took 3 s; no epoch was trained."]
    failed = closed.model_copy(update={"cost": cost, "counts": {"failed": 2}})
    assert costs(failed) == ["It took 3 s; no epoch was trained (2 failed)."]
