"""``pipelines=``: own albumentations pipelines as policies of a search; previews of policies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from results.records.ledger import Ledger
from results.records.trials import Search
from search.competition.previews import preview
from search.jobs.preparation import prepare
from search.jobs.resume import check_unchanged
from search.options.audit import PreviewConfig
from search.options.command_line import parse
from search.options.parameters import flatten
from search.options.recorded import recorded_options
from search.options.search_space import resolve_space
from search.options.training import RunConfig
from search.options.user_code import load_pipelines
from search.preview import run
from spaces.augmentation.families import PIPELINES
from spaces.errors import InputError
from spaces.ready import ready_space

AUGS = """
import albumentations as A

def light():
    return A.Compose([A.HorizontalFlip(p=0.5)])

def heavy():
    return A.Compose([A.HorizontalFlip(p=0.5), A.Affine(rotate=(-20, 20), p=0.8)])

def cropped():
    return A.Compose([A.RandomResizedCrop(size=(32, 32))])

def padded():
    return A.Compose([A.PadIfNeeded(64, 64)])

def rotate():
    return light()

fixed = light()
Upper = light
"""

FAST = ("fix.size=32", "fix.backbone=test_resnet")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs beside which a team's module and file can be found."""
    (tmp_path / "team_augs.py").write_text(AUGS)
    (tmp_path / "flips.yaml").write_text(
        "transform: {__class_fullname__: Compose, p: 1.0, transforms: "
        "[{__class_fullname__: VerticalFlip, p: 0.5}]}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "team_augs", raising=False)
    yield tmp_path / "runs"
    PIPELINES.clear()


def prepared(runs: Path, *arguments: str) -> tuple[RunConfig, Any]:
    config = parse(RunConfig, [f"runs={runs}", *FAST, *arguments])
    load_pipelines(config.pipelines)
    space = resolve_space(config.space, flatten(config.fix), flatten(config.narrow), config.drop)
    return config, prepare(config, "label", space)


def test_a_search_chooses_between_pipelines_and_families(runs: Path) -> None:
    _, ready = prepared(runs, "pipelines=[team_augs:heavy,flips.yaml]", "space=policies")
    space = ready.opening.space
    assert space["params"][0]["name"] == "policy"
    choices = space["params"][0]["distribution"]["attributes"]["choices"]
    assert choices == ["none", "trivial_augment", "rand_augment", "heavy", "flips"]
    assert set(ready.opening.pipelines) == {"heavy", "flips"}
    drawn = ready.baseline.with_params({"policy": "heavy"})
    (found,) = drawn.policy.pipelines()
    assert found.transform == ready.opening.pipelines["heavy"]
    assert not any("pipelines" in words for words in ready.warnings)


def test_one_is_a_policy_like_any_other(runs: Path) -> None:
    _, ready = prepared(runs, "pipelines=[team_augs:fixed]", "space=schedule", "fix.policy=fixed")
    assert ready.baseline.policy.operations() == {"fixed"}
    _, ready = prepared(runs, "pipelines=[team_augs:light]", "space=schedule")
    assert any("pipelines=[team_augs:light] is not trained with" in w for w in ready.warnings)
    names = 'space=policies(names=["light","stages","magnitude"])'
    _, ready = prepared(runs, "pipelines=[team_augs:light]", names)
    assert "stage1.operation" in {p["name"] for p in ready.opening.space["params"]}
    load_pipelines(["team_augs:light"])
    assert "light" in ready_space("full")["policy"].categories


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pipelines=[team_augs:heavi]"], "did you mean heavy"),
        (["pipelines=[heavy]"], r"pipelines=heavy: write module:function"),
        (["pipelines=[team_augs:heavy,heavy.yaml]"], "both are called 'heavy'; rename one"),
        (["pipelines=[none.yaml]"], "none.yaml cannot be read: No such file"),
        (["pipelines=[team_augs:rotate]"], "policy=rotate: the name is taken"),
        (["pipelines=[team_augs:Upper]"], "policy=Upper: a name like rand_augment is needed"),
        (["pipelines=[team_augs:light]", "fix.policy=lite", "space=schedule"],
         "unknown policy 'lite' .*did you mean light"),
        (["fix.policy=team_augs:light", "space=schedule"],
         r"say pipelines=\[team_augs:light\], and policy=light"),
        (["pipelines=[team_augs:cropped]", "space=policies", "fix.size=48"],
         r"pipeline 'cropped': of images uint8 of shape \(48, 48, 3\) it makes uint8 of shape"),
        (["pipelines=[team_augs:padded]", "space=policies", "fix.size=64", "fix.first_share=0.5"],
         r"pipeline 'padded': of images uint8 of shape \(32, 32, 3\) it makes uint8 of shape"),
        (['space=policies(names=["none"])'], "at least two policies are needed"),
        (['space=policies(names=["none","heavvy"])'], "unknown policy 'heavvy'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_written(
    runs: Path, arguments: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        prepared(runs, *arguments)
    assert not list(runs.rglob("ledger.jsonl"))


def test_a_resumed_search_has_the_same_pipelines(runs: Path) -> None:
    options = ("name=one", "pipelines=[team_augs:heavy,flips.yaml]", "space=policies")
    config, ready = prepared(runs, *options)
    folder = Path(ready.job.folder)
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add(ready.opening)
    ledger.commit()
    ledger.close()
    search = Search.read(folder)
    assert search.opened.pipelines == ready.opening.pipelines
    check_unchanged(search, ready, config)
    with pytest.raises(InputError, match=r"started with pipelines=.* say so on the command line"):
        parse(RunConfig, [f"runs={runs}", "resume=one"], "", recorded_options("search"))
    Path("flips.yaml").write_text(Path("flips.yaml").read_text().replace("0.5", "0.4"))
    _, changed = prepared(runs, *options[1:])
    with pytest.raises(InputError, match="cannot go on with something else: pipeline flips: "):
        check_unchanged(search, changed, config)


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (["pipelines=[team_augs:heavy]", "fix.policy=heavy", "rows=3"], "epoch 12 of 12"),
        (["fix.policy=none", "rows=3"], "preview.png: 1 rows of"),
        (["space=[aug_policy,preprocess]", "rows=2", "images=3"], "draw 2\n  preprocess="),
    ],
)
def test_a_preview_is_a_picture(
    arguments: list[str], rows: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = parse(PreviewConfig, [f"runs={runs}", *FAST, *arguments])
    load_pipelines(config.pipelines)
    assert preview(config) == 0
    said = capsys.readouterr().out
    assert rows in said
    with Image.open(runs / "digits" / "preview.png") as picture:
        assert picture.width > 400
    first = (runs / "digits" / "preview.png").read_bytes()
    assert preview(config) == 0
    assert (runs / "digits" / "preview.png").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to show: space=aug_policy draws policies"),
        (["space=aug_policy", "rows=0"], "rows=0: must be 1 to 32"),
        (["space=aug_policy", "to=a.jpg"], "to=a.jpg: must be the name of a .png"),
        (["space=aug_policy", "to=nowhere/a.png"], "there is no folder"),
        (["fix.policy=trivial_augmen"], "did you mean trivial_augment"),
        (["space=schedule"], "space=schedule draws nothing that .*: space=aug_policy draws"),
    ],
)
def test_a_preview_says_what_is_wrong(arguments: list[str], words: str, runs: Path) -> None:
    with pytest.raises(InputError, match=words):
        run(parse(PreviewConfig, [f"runs={runs}", *arguments]))
