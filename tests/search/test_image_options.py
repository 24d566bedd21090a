"""Options on images: decided once per job, checked before anything is written, never changed."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.records.ledger import Ledger
from results.records.trials import Search
from search.execution.trial_context import trial_context
from search.jobs.preparation import prepare
from search.jobs.resume import check_unchanged
from search.options.command_line import parse
from search.options.embedded import DigitsConfig
from search.options.parameters import flatten
from search.options.search_space import resolve_space
from search.options.training import RunConfig
from search.options.user_code import preparation_of
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.portable.images import decode

SPACES = """
from optuna.distributions import CategoricalDistribution
from spaces.param import Param
from spaces.space import SearchSpace

def sizes(*sizes, backbones=("test_resnet",)):
    return SearchSpace(name="sizes", params=(
        Param(name="backbone", distribution=CategoricalDistribution(backbones)),
        *(Param(name=n, distribution=CategoricalDistribution(s)) for n, s in sizes),
    ))

def resized():
    return sizes(("interpolation", ("auto", "area")))

def odd():
    return sizes(("size", ("32x32", "32x48")), backbones=("test_resnet", "test_vit"))

def larger():
    return sizes(("size", ("32x32", "24x24")), ("predict_size", ("0", "64x64")))

def fixed():
    return sizes(("predict_size", ("0", "64x64")), backbones=("test_resnet", "test_vit"))

def grey(picture):
    return picture.mean(axis=2)

def flipped(picture):
    return picture[:, ::-1]
"""


@pytest.fixture
def runs(tmp_path: Path, digits_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs beside some of the digits and a team's module that can be imported."""
    for name, count in (("train.csv", 150), ("test.csv", 10)):
        table = pd.read_csv(digits_folder / name)[:count]
        for image in table["image"]:
            (tmp_path / "few" / image).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "few" / image).hardlink_to(digits_folder / image)
        table.to_csv(tmp_path / "few" / name, index=False)
    (tmp_path / "team_images.py").write_text(SPACES)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "team_images", raising=False)
    return tmp_path / "runs"


def prepared(runs: Path, *arguments: str) -> tuple[RunConfig, Any]:
    few = ["data=csv", "data.name=few", f"data.root={runs.parent / 'few'}"]
    few += [f"data.baseline.{key}={value}" for key, value in DigitsConfig().baseline.items()]
    config = parse(RunConfig, [f"runs={runs}", *few, *arguments])
    space = resolve_space(config.space, flatten(config.fix), flatten(config.narrow))
    return config, prepare(config, "label", space)


def test_a_job_decides_how_its_images_are_prepared(runs: Path) -> None:
    options = ("data.shape=crop", "data.interpolation=area", "prepare=team_images:flipped")
    _, ready = prepared(runs, "space=team_images:larger", *options)
    data = ready.baseline.data
    assert (data.shape, data.interpolation, data.prepare) == ("crop", "area", options[2][8:])
    assert data.store_side == ready.store.side == 64  # 1.3 times what is trained, or the predicted
    assert ready.opening.baseline.data == data
    assert ready.opening.options["prepare"] == "team_images:flipped"
    assert ready.opening.digests.own
    _, plain = prepared(runs, "space=team_images:larger")
    assert plain.store.path != ready.store.path
    assert plain.opening.data.digest == ready.opening.data.digest  # of the files


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data.shape=pat"], r"unknown shape 'pat' \(in data\.shape\): did you mean pad"),
        (["data.interpolation=cubic"], "did you mean bicubic"),
        (["data.box=[a,b,c]"], "data.box=.* must be four columns"),
        (["data.box=[left,top,right,bottom]"], r"unknown column 'left' .*train\.csv"),
        (["data.train_images=[]"], "a folder or a list of folders is needed"),
        (["data.train_images=[train,tset]"], "data.train_images=tset: there is no such folder"),
        (["data.interpolation=area", "fix.interpolation=lanczos"],
         "data.interpolation=area and fix.interpolation=lanczos: give one"),
        (["space=backbone(interpolations=['bicubik'])", "narrow.backbone=[resnet10t]"],
         "draws interpolation=bicubik: unknown interpolation 'bicubik'"),
        (["fix.shape=pad"], "shape is not a parameter: set it with data.shape="),
        (["fix.prepare=a:b"], "set it with prepare=module:function"),
        (["fix.boxes=b.csv"], r"set them with data\.box="),
        (["prepare=team_images:grey"], r"team_images:grey: of a picture of \(48, 64, 3\) it makes "
         r"float64 of shape \(48, 64\)"),
        (["prepare=team_images:gray"], "did you mean grey"),
        (["prepare=flipped"], "prepare=flipped: write module:function"),
        (["fix.predict_size=4"], "predict_size must be at least 8"),
        (["fix.predict_size=96", "store.side=64"], "store.side=64 is below the largest size 96"),
        (["fix.backbone=test_vit", "fix.predict_size=48"], "test_vit takes images of the size"),
        (["space=team_images:odd", "narrow.backbone=[test_vit]", "fix.predict_size=32x48"],
         "predict_size=32x48: test_vit takes images"),
        (["space=team_images:odd", "fix.mix=snapmix", "fix.size=32x32"],
         "mix=snapmix, model=test_vit needs attention maps"),
        (["space=team_images:fixed"], "predict_size=64x64: test_vit takes images of the size"),
        (["space=team_images:odd", "data.shape=pad"],
         "data.shape=pad keeps the proportions .* need the same: 32x32, 32x48"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_written(
    runs: Path, arguments: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        prepared(runs, *arguments)
    assert not list(runs.rglob("ledger.jsonl"))
    assert not list(runs.rglob("*.u8*"))


def test_each_interpolation_that_is_searched_has_images_of_its_own(runs: Path) -> None:
    """Of the same files; a trial sees those that its own interpolation has made."""
    _, ready = prepared(runs, "space=team_images:resized", "data.interpolation=lanczos")
    assert ready.baseline.data.interpolation == "lanczos"
    assert [how for how, _ in ready.job.resized] == ["auto", "area"]
    context = trial_context(ready.job)
    seen = {
        how: context.seen_by(ready.baseline.replace(interpolation=how)).store
        for how in ("lanczos", "auto", "area")
    }
    assert seen["lanczos"].path == ready.store.path
    assert len({store.path for store in seen.values()}) == 3
    files = {tuple(store.file_digests) for store in seen.values()}
    assert len(files) == 1
    path = ready.contest.paths[0]
    for how, store in seen.items():
        config = ready.baseline.replace(interpolation=how)
        picture = preparation_of(config, "", "a trial")(decode(path.read_bytes()))
        assert np.array_equal(store.pixels[0], picture)


def test_the_store_does_for_the_baseline_too(runs: Path) -> None:
    """Which a search trains beside its samples, at a size that may be none of theirs."""
    _, ready = prepared(runs, "space=team_images:larger", "data.baseline.size=64")
    assert ready.store.side == 84


def test_a_job_goes_on_with_images_prepared_as_before_only(runs: Path) -> None:
    _, first = prepared(runs, "name=s")
    with contextlib.closing(Ledger(Path(first.job.folder) / "ledger.jsonl")) as ledger:
        ledger.add(first.opening)
    search = Search.read(Path(first.job.folder))
    for option, words in {
        "data.shape=pad": 'baseline shape: "squash" then, "pad" now',
        "data.interpolation=lanczos": 'baseline interpolation: "auto" then, "lanczos" now',
        "prepare=team_images:flipped": 'baseline prepare: "" then, "team_images:flipped" now',
        "fix.predict_size=40": 'baseline predict_size: "0" then, "40x40" now',
    }.items():
        config, now = prepared(runs, option, "name=t")
        with pytest.raises(InputError, match="cannot go on with something else") as refused:
            check_unchanged(search, now, config)
        assert words in str(refused.value)


def test_an_own_function_has_to_be_named_again(runs: Path) -> None:
    config = TrialConfig.of(store_side=300, prepare="team_images:flipped")
    with pytest.raises(InputError, match="s-000 was trained with prepare=team_images:flipped: say"):
        preparation_of(config, "", "s-000")
    found = preparation_of(config, "team_images:flipped", "s-000")
    assert found.own is not None
    (runs.parent / "team_images.py").write_text(SPACES.replace("::-1", "::1"))
    assert preparation_of(config, "team_images:flipped", "s-000").key != found.key
    assert preparation_of(TrialConfig.of(), "team_images:flipped", "s-000").own is None
