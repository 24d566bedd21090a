"""python -m search.submit — write checked submission files from stored test predictions.

Before the first submission of a trial, images read anew from their files have to reproduce its
stored predictions. Nothing is handed in; the files are yours to upload. A file made elsewhere is
checked the same way and, with predictions of the hold-out, takes part in everything that follows.

  python -m search.submit                      the best finished trial
  python -m search.submit select=baseline
  python -m search.submit select=band:6        six of those that compete for the best, evenly
  python -m search.submit select=spread:4      four over the whole range
  python -m search.submit select=promotion:<id>    the blend of a promotion's folds
  python -m search.submit select=blend:b001        a blend of several models
  python -m search.submit file=anna.csv validation=anna_oof.csv by=anna
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from results.leaderboard import Source, Submission
from results.predictions import Predictions
from results.quota import allowance, allowance_words
from results.submission import SubmissionForm, check_ids, read_submission, read_validation
from results.trials import Search, Trial
from results.truth import Truth
from search.board import Standing, band_rule, default_author, open_standing
from search.board_config import SubmitConfig
from search.cli import OK, main
from search.members import Member, find_promotion, read_members
from search.select import pick
from search.user_code import own_model
from spaces.errors import InputError, unknown
from spaces.names import check_name

NEEDS_PROBABILITIES = ("log_loss", "roc_auc")


def run(config: SubmitConfig) -> int:
    """Writes submissions; returns the exit code."""
    standing = open_standing(config)
    made = [_take_in(config, standing)] if config.file else _write(config, standing)
    board = standing.board
    if board.quota is not None:
        print(allowance_words(board.quota, allowance(board.quota, board.spent(), time.time())))
    print("Next, when the leaderboard has answered:")
    name = made[0].id if made else "s001"
    print(f"  python -m search.score submission={name} public=0.83")
    if config.json:
        print(json.dumps([{"id": s.id, "path": s.file} for s in made]))
    return OK


def _write(config: SubmitConfig, standing: Standing) -> list[Submission]:
    board, folder = standing.board, standing.folder
    for source, write in (("promotion:", _write_promotion), ("blend:", _write_blend)):
        if config.select.startswith(source):
            return write(config, standing)
    band = len(standing.band(band_rule(config.band))) if config.select.startswith("band:") else 0
    pool = [c for c in standing.pool if c.trial is not None]
    made = []
    for candidate in pick(pool, config.select, band, unfit(standing)):
        assert candidate.trial is not None
        before = board.of_trial(candidate.id)
        if before is not None:
            print(f"{candidate.id} is {before.id} already: {before.file}")
            continue
        stored = Predictions.read(candidate.folder / "test.npz")
        form = _form(standing, config.sample, stored.images)
        off = _check(candidate.search, candidate.trial, config.model)
        path = folder / "submissions" / f"{board.next_id()}-{candidate.id}.csv"
        digest = form.write(stored, path)
        submission = board.add_submission(
            candidate.id, path.resolve(), digest, default_author(config.by)
        )
        print(
            f"{submission.id}: {path}\n  {candidate.id}, {standing.metric.name} "
            f"{candidate.score:.4f} on the hold-out; images read anew agree within {off:.1g}"
        )
        made.append(submission)
    return made


def _write_promotion(config: SubmitConfig, standing: Standing) -> list[Submission]:
    """Writes the blend of a promotion's folds."""
    name = config.select.partition(":")[2]
    search = find_promotion(standing, name, f"select={config.select}")
    arms = (search.summary or {}).get("arms", {})
    if not arms or not (search.folder / "test.npz").exists():
        raise InputError(f"select={config.select}: it has no complete test predictions")
    stored = Predictions.read(search.folder / "test.npz")
    scores = ", ".join(f"{a} {r['score']:.4f}" for a, r in arms.items())
    return _write_merged(
        config,
        standing,
        name,
        "promotion",
        stored,
        lambda: _check_members([Member(name=a, search=search, arm=a) for a in arms], config.model),
        f"out-of-fold {standing.metric.name} {scores}",
    )


def _write_blend(config: SubmitConfig, standing: Standing) -> list[Submission]:
    """Writes a blend of several models."""
    name = config.select.partition(":")[2]
    blends = standing.board.blends
    if name not in blends:
        raise unknown("blend", name, blends, f"select={config.select}")
    record, folder = blends[name], standing.folder / "blends" / name
    if not (folder / "test.npz").exists():
        raise InputError(f"select={config.select}: not all of its models predict the test images")
    members = read_members(standing, record.members)
    return _write_merged(
        config,
        standing,
        name,
        "blend",
        Predictions.read(folder / "test.npz"),
        lambda: _check_members(members, config.model),
        f"{record.recipe} of {len(members)}, out-of-fold {standing.metric.name} {record.score:.4f}",
    )


def _write_merged(
    config: SubmitConfig,
    standing: Standing,
    name: str,
    source: Source,
    stored: Predictions,
    check: Callable[[], float],
    words: str,
) -> list[Submission]:
    """Writes predictions that several trainings made together."""
    board, folder = standing.board, standing.folder
    before = board.of_trial(name)
    if before is not None:
        print(f"{name} is {before.id} already: {before.file}")
        return []
    form = _form(standing, config.sample, stored.images)
    off = check()
    path = folder / "submissions" / f"{board.next_id()}-{name}.csv"
    digest = form.write(stored, path)
    by = default_author(config.by)
    submission = board.add_submission(name, path.resolve(), digest, by, source=source)
    print(f"{submission.id}: {path}\n  {name}, {words}; images read anew agree within {off:.1g}")
    return [submission]


def _check_members(members: list[Member], model: str) -> float:
    """Parity of every training that has a part in a submission; imports have none."""
    return max(
        (
            _check(member.search, trial, model, member.view)
            for member in members
            if member.search is not None
            for trial in member.trials()
        ),
        default=0.0,
    )


def _take_in(config: SubmitConfig, standing: Standing) -> Submission:
    """Records a submission that was made elsewhere."""
    board, folder, source = standing.board, standing.folder, Path(config.file)
    name = config.name or source.stem
    check_name(name, "name" if config.name else "file")
    taken = {s.trial: s.id for s in board.submissions.values()}
    trials = {t for search in standing.searches for t in search.trials}
    if name in taken or name in trials:
        raise InputError(f"name={name}: that is {taken.get(name, 'a trial')} already")
    if not standing.test_images:
        raise InputError("there are no test predictions yet to compare a submission with")
    _form(standing, config.sample, standing.test_images).check(source)
    files = _take_in_predictions(config, standing, name) if config.validation else {}
    path = folder / "submissions" / f"{board.next_id()}-{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.copyfile(source, temporary)
    temporary.rename(path)
    submission = board.add_submission(
        name,
        path.resolve(),
        hashlib.sha256(path.read_bytes()).hexdigest(),
        default_author(config.by),
        source="import",
        **files,
    )
    print(f"{submission.id}: {path}\n  {name}, made elsewhere by {submission.by}")
    if files:
        holdout = standing.truth.probabilities(folder / files["holdout"])
        score = standing.metric.score(standing.truth.labels, holdout)
        print(f"  {standing.metric.name} {score:.4f} on the hold-out")
    else:
        print("  without validation= its score will say nothing about validation")
    return submission


def _take_in_predictions(config: SubmitConfig, standing: Standing, name: str) -> dict[str, str]:
    """Stores a foreign model's predictions; returns the files by their part.

    Out-of-fold predictions make it a candidate for blends, together with those of the test.
    """
    folder, path = standing.folder, Path(config.validation)
    given = read_validation(
        path,
        standing.truth.images,
        Truth.fold_of_images(standing.search.folds_file),
        standing.classes,
    )
    if standing.metric.name in NEEDS_PROBABILITIES and given.certain:
        raise InputError(
            f"validation={path}: {standing.metric.name} needs probabilities, a column per class"
        )
    files = {"holdout": f"imports/{name}.npz"}
    parts = {"holdout": given.of(standing.truth.images)}
    if len(given.images) > len(standing.truth.images):
        source = Path(config.test or config.file)
        test = read_submission(source, standing.classes)
        check_ids(test.images, standing.test_images, source)
        if test.certain and not given.certain:
            given = given.as_labels()  # a blend has to be judged on what it will be made of
        parts |= {"oof": given, "test": test.of(standing.test_images)}
        files |= {part: f"imports/{name}-{part}.npz" for part in ("oof", "test")}
    for part, predictions in parts.items():
        predictions.write(folder / files[part])
    return files


def unfit(standing: Standing) -> dict[str, str]:
    """Trials that cannot be submitted, with the reason."""
    words = {
        "stopped": "was stopped early: it has no test predictions",
        "failed": "failed",
        "interrupted": "was interrupted",
        "running": "is still running",
    }
    found = {
        t.id: words[t.state]
        for search in standing.searches
        for t in search.trials.values()
        if t.state in words
    }
    for search in standing.searches:
        for trial in search.trials.values():
            if trial.state == "finished" and trial.config.fold != 0:
                found[trial.id] = f"held out fold {trial.config.fold}, not the hold-out"
    found |= {c.id: "was made elsewhere" for c in standing.pool if c.trial is None}
    return found | {name: f"is the same training as {of}" for name, of in standing.twins.items()}


def _form(standing: Standing, sample: str, images: tuple[str, ...]) -> SubmissionForm:
    path = standing.root / sample
    if path.exists():
        return SubmissionForm.read(path, images, standing.classes)
    if sample != "sample_submission.csv":
        raise InputError(f"sample={sample}: there is no {path}")
    return SubmissionForm(ids=images, columns=("image", "label"), classes=standing.classes)


def _check(search: Search, trial: Trial, model: str, view: str = "") -> float:
    """Largest difference between stored predictions and those of images read anew."""
    from trainables.parity import check_parity

    return check_parity(
        trial.config,
        search.trial_folder(trial),
        Path(search.opened["data"]["root"]),
        tuple(search.opened["classes"]),
        own_model(trial, model),
        view,
    )


if __name__ == "__main__":
    main(SubmitConfig, run, __doc__ or "")
