"""``holdout=`` on the command line: what is held out, kept, refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.leaderboard.leaderboard import Leaderboard
from search.competition.audits import audit_contest
from search.options.audit import AuditConfig
from search.options.command_line import help_text, parse
from search.options.same_place import same_contest
from search.options.training import RunConfig, TrainConfig
from spaces.errors import InputError
from tests.search.test_job import prepared
from tests.trainables.test_audit import scene, write


@pytest.fixture(scope="module")
def bright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contest whose test is bright, as a third of its training images is."""
    root = tmp_path_factory.mktemp("bright") / "bright"
    rng = np.random.default_rng(0)
    names = [f"train/{i:03d}.png" for i in range(90)]
    tests = [f"test/{i:03d}.png" for i in range(60)]
    for i, name in enumerate([*names, *tests]):
        picture = scene(rng, 32) // 2
        write(root / name, picture + 100 if name in tests or i % 3 == 0 else picture)
    own = {"image": names, "label": ["a", "b"] * 45, "part": ["val", *["train"] * 8] * 10}
    pd.DataFrame(own).to_csv(root / "train.csv", index=False)
    pd.DataFrame({"image": tests}).to_csv(root / "test.csv", index=False)
    return root


def options(root: Path) -> list[str]:
    return ["data=csv", f"data.root={root}", "holdout.folds=3", "epochs=1"]


def test_what_looks_like_the_test_is_held_out(
    bright: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    plain = prepared(runs, *options(bright))
    likest = prepared(runs, *options(bright), "holdout=test_like")
    assert likest.opening.options["holdout"]["rows"] == "test_like"
    assert likest.folds.digest != plain.folds.digest
    is_bright = np.arange(90) % 3 == 0
    assert is_bright[likest.folds.held_out(0)].mean() > 0.9
    kept = list((runs / "bright").glob("likeness-*.csv"))
    assert len(kept) == 1
    # It is read, not measured again; and an audit keeps the same.
    table = pd.read_csv(kept[0])
    table["likeness"] = 1 - table["likeness"]
    table.to_csv(kept[0], index=False)
    other = prepared(runs, *options(bright), "holdout.rows=test_like")
    assert not is_bright[other.folds.held_out(0)].any()
    kept[0].write_text("image,likeness\n")
    with pytest.raises(InputError, match=r"likeness-.*\.csv is damaged; remove it"):
        prepared(runs, *options(bright), "holdout=test_like")
    kept[0].unlink()
    audited = parse(AuditConfig, [f"runs={runs}", *options(bright)[:-1], "holdout=test_like"])
    assert audit_contest(audited) == 0
    assert "looks most like the test: holdout=test_like" in capsys.readouterr().out
    again = prepared(runs, *options(bright), "holdout=test_like")
    assert again.folds.digest == likest.folds.digest


def test_a_column_is_held_out(bright: Path, tmp_path: Path) -> None:
    own = prepared(tmp_path / "runs", *options(bright), "holdout=part")
    assert own.folds.held_out(0).tolist() == list(range(0, 90, 9))
    config = parse(TrainConfig, [*options(bright), "holdout=part"])
    assert "holdout=part" in same_contest(config).split()
    assert "holdout=''" in help_text(RunConfig, "")


def test_where_it_cannot_be(bright: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with pytest.raises(InputError, match=r"data\.fold=part and holdout=test_like both say"):
        prepared(runs, *options(bright), "holdout=test_like", "data.fold=part")
    with pytest.raises(InputError, match="holdout=test_like: bright has no test images"):
        prepared(runs, *options(bright), "holdout=test_like", "data.test=")
    with pytest.raises(InputError, match="did you mean part"):
        prepared(runs, *options(bright), "holdout=prt")
    assert not (runs / "bright").exists()  # nothing half-written
    for rules in (["rules.test_images=false"], []):  # it is remembered
        with pytest.raises(InputError, match=r"forbid looking .*rules\.test_images=false"):
            prepared(runs, *options(bright), "holdout=test_like", *rules)
    assert not Leaderboard.read(runs / "bright").test_images
