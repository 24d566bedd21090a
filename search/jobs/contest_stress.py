"""The stress under which a job predicts its held-out images."""

from __future__ import annotations

from pathlib import Path

from results.records.objective import METRIC, STRESS
from search.jobs.contest_folds import check_test_images
from search.options.training import JobConfig, RunConfig
from spaces.augmentation.stress import Stress
from spaces.errors import InputError
from trainables.data.contest import Contest

AUTO = "auto"
"""The newest stress that was fitted to the contest."""


def find_stress(config: JobConfig, contest: Contest, runs: Path) -> tuple[Stress | None, str]:
    """The stress that the options ask for, and what trials are compared by.

    Args:
        config: The options.
        contest: Its tables.
        runs: Where stresses are kept, by contest.

    Raises:
        InputError: If there is none, it is of other images, or the rules forbid it.
    """
    compared = config.compared.name if isinstance(config, RunConfig) else METRIC
    asked = config.predict.stress or (AUTO if compared == STRESS else "")
    if not asked:
        return None, compared
    what = f"predict.stress={asked}"
    if contest.truth is not None:
        raise InputError(f"{what}: a stress moves images, and masks are not moved with them")
    check_test_images(contest, runs, what)
    folder = runs / contest.name
    fit = "python -m search.stress, with the same data options, fits one"
    if asked != AUTO:
        path = folder / asked if (folder / asked).is_file() else Path(asked)
        if not path.is_file():
            raise InputError(f"{what}: there is no such file; {fit}")
        return Stress.read(path), compared
    kept = sorted(folder.glob("stress-*.json"), key=lambda path: path.stat().st_mtime)
    fitted = [s for s in map(Stress.read, kept) if s.data == contest.files_digest]
    if not fitted:
        raise InputError(f"{what}: no stress was fitted to these images yet; {fit}")
    return fitted[-1], compared
