"""Density matching: policies scored by inference, from a network's predictions to the trials."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.matched_policies import MatchedPolicies
from results.records.ledger import Ledger
from results.records.trials import Search
from results.reporting.what_mattered import matching_lines
from search.execution.driver import Driver
from search.options.command_line import parse
from search.options.training import RunConfig
from search.planning.density_matching import (
    DensityMatching,
    check_scorable,
    draw_candidates,
    matchers,
)
from search.planning.planned import Planned
from search.planning.search_plan import SearchPlan
from spaces.augmentation.candidates import Candidates
from spaces.augmentation.policy import AugPolicy
from spaces.errors import InputError
from spaces.ready import ready_space
from spaces.ready.aug_policy import aug_policy
from spaces.trial_config import TrialConfig
from tests.commands import run
from tests.records import opening_event, raw_events
from tests.tiny import build
from trainables.training.actions import ACTIONS
from trainables.training.context import TrainingContext

SPACE = aug_policy().pin({"mix": "none"})
BASE = TrialConfig.of(epochs=2, warmup_epochs=0, seed=3)


def candidates(count: int = 4) -> Candidates:
    return draw_candidates(SPACE, BASE, {}, count, seed=0)


def test_candidates_are_drawn_alike_and_kept_whole(tmp_path: Path) -> None:
    drawn = candidates()
    assert drawn == candidates() != draw_candidates(SPACE, BASE, {}, 4, seed=1)
    assert len({json.dumps(dict(p), sort_keys=True) for p in drawn.params}) == 4
    path = drawn.write(tmp_path)
    assert Candidates.read(path) == drawn
    path.write_text(path.read_text().replace("stage1", "stage2", 1))
    with pytest.raises(InputError, match=r"candidates-\w+.json was changed"):
        Candidates.read(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mode=guess"], "mode=guess"),
        (["mode=inference", "trials=9", "inference.policies=8"], "at most inference.policies=8"),
        (["mode=inference", "inference.models=0"], "inference.models=0: must be at least 1"),
        (["mode=inference", "history=[a]"], "history="),
        (["mode=inference", "objective=stress"], "objective=stress: mode=inference compares by"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(RunConfig, words)


def test_only_policies_of_images_are_scored() -> None:
    with pytest.raises(InputError, match=r"searches mix, mix_alpha, too: .* fix.mix=none"):
        check_scorable(aug_policy(), "classification")
    with pytest.raises(InputError, match="these have masks"):
        check_scorable(SPACE, "segmentation")
    for name in ("rand_augment", "fast_autoaugment", "subset", "magnitude", "pba"):
        check_scorable(ready_space(name), "classification")
    with pytest.raises(InputError, match="policies are scored by mode=inference"):
        BASE.with_params({"action": "density_matching"})


@pytest.fixture
def context(task: TrainingContext) -> TrainingContext:
    plain = AugPolicy()
    drawn = candidates(5)
    known = Candidates(params=({}, *drawn.params), policies=(plain, *drawn.policies))
    return dataclasses.replace(task, own={"my:model": build}, candidates=known)


@pytest.fixture
def matcher(small: TrialConfig, context: TrainingContext) -> TrialConfig:
    assert context.candidates is not None
    return matchers(small.replace(model="my:model", mix="mixup"), context.candidates, 2)[1]


def test_a_network_scores_every_policy_on_the_held_out_images(
    matcher: TrialConfig, context: TrainingContext, tmp_path: Path
) -> None:
    assert matcher.policy == AugPolicy()
    assert matcher.mix.kind == "none"
    assert matcher.run.seed == 1
    *_, last = ACTIONS.of(matcher.run)(matcher, context, tmp_path)
    found = json.loads((tmp_path / "matched.json").read_text())
    # What changes nothing scores what the trial does.
    assert found["scores"][0] == last.report["metrics"]["val/macro_f1"]
    assert len(found["scores"]) == 6
    assert len(set(found["scores"])) > 1


def test_what_was_scored_before_an_interruption_is_not_scored_again(
    matcher: TrialConfig, context: TrainingContext, tmp_path: Path
) -> None:
    name = context.candidates.file if context.candidates else ""
    whole = list(ACTIONS.of(matcher.run)(matcher, context, tmp_path))
    scores = MatchedPolicies.read(tmp_path, name).scores
    # Killed after three of them; the first is another, to be told from one that is scored again.
    MatchedPolicies(candidates=name, scores=(0.123, *scores[1:3]), seconds=7).write(tmp_path)
    (again,) = ACTIONS.of(matcher.run)(matcher, context, tmp_path)
    assert again.report["metrics"] == whole[-1].report["metrics"]
    resumed = MatchedPolicies.read(tmp_path, name)
    assert resumed.scores == (0.123, *scores[1:])
    assert resumed.seconds > 7
    assert MatchedPolicies.read(tmp_path, "candidates-other.json").scores == ()
    (tmp_path / "matched.json").write_text("{")
    with pytest.raises(InputError, match=r"matched.json is damaged"):
        MatchedPolicies.read(tmp_path, name)


class World:
    """A search by density matching with made-up scores."""

    def __init__(self, folder: Path, trials: int = 3, **opened: Any) -> None:
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.search = Search(folder=folder)
        self.driver = Driver(self.ledger, self.search)
        self.driver.record(opening_event("s", BASE, **opened))
        self.drawn = candidates(8)
        self.plan = self.planned(trials)

    def planned(self, trials: int) -> SearchPlan:
        self.matching = DensityMatching(self.search, self.drawn, matchers(BASE, self.drawn, 2))
        return SearchPlan(
            search=self.search,
            sampler=self.matching,
            baseline=BASE,
            trials=trials,
            confirm=0,
            unsettled=list,
            groundwork=self.matching,
        )

    def start(self) -> Planned:
        planned = self.plan.next()
        assert planned is not None
        self.driver.begin(planned)
        return planned

    def end(self, planned: Planned, score: float = 0.5, matched: Any = None) -> None:
        if matched is not None:
            folder = self.search.trial_folder(self.search.trials[planned.id])
            folder.mkdir(parents=True)
            scores = tuple(float(s) for s in matched)
            MatchedPolicies(candidates=self.drawn.file, scores=scores, seconds=3.0).write(folder)
        for epoch in (1, 2):
            report = {
                "epoch": epoch,
                "metrics": {"val/accuracy": score},
                "seconds": {"total": 2.0},
            }
            self.driver.report(planned.id, {"epoch": epoch, "reports": [report]})
        self.driver.complete(planned.id)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_policies_that_match_best_are_trained_best_first(
    tmp_path: Path, direction: str
) -> None:
    world = World(tmp_path, direction=direction)
    sign = 1 if direction == "maximize" else -1
    first = np.array([0.1, 0.9, 0.2, 0.3, 0.8, 0.0, 0.7, 0.4])
    second = np.array([0.1, 0.1, 0.2, 0.3, 0.8, 0.0, 0.5, 0.9])
    baseline, one, two = world.start(), world.start(), world.start()
    assert [p.why for p in (baseline, one, two)] == ["baseline", "matcher", "matcher"]
    world.end(baseline)
    world.end(one, matched=sign * first)
    assert world.plan.next() is None  # it waits for the other network
    assert not world.plan.done
    world.end(two, matched=sign * second)
    # Not the best of any one network: 1 is 0.5 on average, 7 is 0.65, 6 is 0.6, 4 is 0.8.
    planned = [world.start(), world.start()]
    world.plan = world.planned(3)  # as after a resume
    planned.append(world.start())
    assert [dict(p.params) for p in planned] == [dict(world.drawn.params[i]) for i in (4, 7, 6)]
    assert [p.config.policy for p in planned] == [world.drawn.policies[i] for i in (4, 7, 6)]
    assert world.plan.next() is None
    for p in planned:
        world.end(p)
    assert world.plan.done
    assert world.plan.expected() == len(world.search.trials) == 6


def test_one_network_is_enough_and_none_ends_the_search(tmp_path: Path) -> None:
    for name, survivors in (("one", 1), ("none", 0)):
        world = World(tmp_path / name)
        baseline, *networks = (world.start() for _ in range(3))
        world.end(baseline)
        for number, network in enumerate(networks):
            if number < survivors:
                world.end(network, matched=np.arange(8) / 8)
            else:
                failed = {"epoch": 1, "failed": "no", "traceback": ""}
                world.driver.report(network.id, failed)
        if survivors:
            assert dict(world.start().params) == dict(world.drawn.params[7])
        else:
            assert world.plan.next() is None
            assert world.plan.done
            assert world.matching.found() is None


def test_it_is_told_what_it_took_and_how_well_it_ranks(tmp_path: Path) -> None:
    world = World(tmp_path, trials=6)
    baseline, *networks = (world.start() for _ in range(3))
    world.end(baseline)
    for network in networks:
        world.end(network, matched=np.arange(8) / 8)
    for score in (0.9, 0.8, 0.7, 0.6):
        world.end(world.start(), score)
    few = world.matching.found()
    assert few is not None
    assert few.tau is None
    assert "4 trials ran to the end, too few, or too alike" in matching_lines(few)[0]
    world.end(world.start(), 0.5)
    world.end(world.start(), 0.65)
    found = world.matching.found()
    assert found is not None
    # Two networks trained for 4 s and scored for 3 s each; a trial takes 4 s.
    assert found.trainings == pytest.approx(3.5)
    assert found.tau is not None
    assert found.tau.value == pytest.approx(11 / 15)  # two of fifteen pairs are the other way round
    (line,) = matching_lines(found)
    assert "8 policies with 2 networks took as long as 3.5 trials" in line
    assert "over the 6 trials that ran to the end: 0.73" in line


def test_scores_that_are_all_the_same_rank_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, trials=5)
    baseline, *networks = (world.start() for _ in range(3))
    world.end(baseline)
    for network in networks:
        world.end(network, matched=np.arange(8) / 8)
    for _ in range(5):
        world.end(world.start(), 1.0)
    found = world.matching.found()
    assert found is not None
    assert (found.trials, found.tau) == (5, None)


@pytest.mark.slow
def test_a_search_by_inference_from_the_command_line(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "run",
        "space=aug_policy",
        "mode=inference",
        "inference.policies=6",
        "inference.models=1",
        "trials=2",
        "confirm=0",
        "epochs=1",
        "fix.mix=none",
        "fix.warmup_epochs=0",
        "quiet=true",
        "name=i",
    )
    assert done.returncode == 0, done.stderr
    assert "Scoring 6 policies with one network took as long as" in done.stdout
    events = raw_events(tmp_path / "runs/digits/i/ledger.jsonl")
    begun = [e for e in events if e["event"] == "trial_started"]
    assert [e["why"] for e in begun] == ["baseline", "matcher", "sampled", "sampled"]
    matched = json.loads((tmp_path / "runs/digits/i/trials/i-001/matched.json").read_text())
    rows = json.loads((tmp_path / "runs/digits" / matched["candidates"]).read_text())
    best = np.argsort(-np.array(matched["scores"]), kind="stable")[:2]
    assert [e["params"] for e in begun[2:]] == [rows[i]["params"] for i in best]
