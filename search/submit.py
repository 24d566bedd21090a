"""python -m search.submit — write checked submission files from stored test predictions.

Before the first submission of a trial, images read anew from their files have to reproduce its
stored predictions. Nothing is handed in; the files are yours to upload. A file made elsewhere is
checked the same way and, with predictions of the hold-out, takes part in everything that follows.

  python -m search.submit                      the best finished trial
  python -m search.submit select=baseline
  python -m search.submit select=band:6        six of those that compete for the best, evenly
  python -m search.submit select=spread:4      four over the whole range
  python -m search.submit select=promotion:<id>    the blend of a promotion's folds
  python -m search.submit file=anna.csv validation=anna_oof.csv by=anna
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

from results.leaderboard import Submission
from results.predictions import Predictions
from results.quota import allowance, allowance_words
from results.submission import SubmissionForm, read_validation
from results.trials import Search, searches
from results.truth import Truth
from search.board import Standing, band_rule, default_author, open_standing
from search.cli import OK, main
from search.config import SubmitConfig, check_name
from search.select import Candidate, pick
from spaces.errors import InputError, unknown

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
    if config.select.startswith("promotion:"):
        return _write_promotion(config, standing)
    band = len(standing.band(band_rule(config.band))) if config.select.startswith("band:") else 0
    pool = [c for c in standing.pool if c.trial is not None]
    made = []
    for candidate in pick(pool, config.select, band, unfit(standing)):
        before = board.of_trial(candidate.id)
        if before is not None:
            print(f"{candidate.id} is {before.id} already: {before.file}")
            continue
        stored = Predictions.read(candidate.folder / "test.npz")
        form = _form(standing, config.sample, stored.images)
        off = _check(candidate, config.model)
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
    board, folder = standing.board, standing.folder
    name = config.select.partition(":")[2]
    known = {p.name for p in searches(folder.parent) if p.parent == folder}
    found = {n: Search.read(folder / n) for n in known}
    promotions = {n: s for n, s in found.items() if s.opened["kind"] == "promotion"}
    if name not in promotions:
        raise unknown("promotion", name, promotions, f"select={config.select}")
    before = board.of_trial(name)
    if before is not None:
        print(f"{name} is {before.id} already: {before.file}")
        return []
    search = promotions[name]
    arms = (search.summary or {}).get("arms", {})
    if not arms or not (search.folder / "test.npz").exists():
        raise InputError(f"select={config.select}: it has no complete test predictions")
    stored = Predictions.read(search.folder / "test.npz")
    form = _form(standing, config.sample, stored.images)
    off = max(
        _check(Candidate.of(search, trial), config.model)
        for trial in search.of("fold")
        if trial.arm in arms and trial.state == "finished"
    )
    path = folder / "submissions" / f"{board.next_id()}-{name}.csv"
    digest = form.write(stored, path)
    submission = board.add_submission(
        name, path.resolve(), digest, default_author(config.by), source="promotion"
    )
    scores = ", ".join(f"{a} {r['score']:.4f}" for a, r in arms.items())
    print(
        f"{submission.id}: {path}\n  {name}, out-of-fold {standing.metric.name} {scores}; images "
        f"read anew agree within {off:.1g}"
    )
    return [submission]


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
    holdout = ""
    if config.validation:
        predictions = read_validation(
            Path(config.validation),
            standing.truth.images,
            Truth.training_images(standing.search.folds_file),
            standing.classes,
        )
        certain = ((predictions.probabilities == 0) | (predictions.probabilities == 1)).all()
        if standing.metric.name in NEEDS_PROBABILITIES and certain:
            raise InputError(
                f"validation={config.validation}: {standing.metric.name} needs probabilities, a "
                "column per class"
            )
        holdout = f"imports/{name}.npz"
        predictions.write(folder / holdout)
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
        holdout=holdout,
    )
    print(f"{submission.id}: {path}\n  {name}, made elsewhere by {submission.by}")
    if holdout:
        score = standing.metric.score(standing.truth.labels, predictions.probabilities)
        print(f"  {standing.metric.name} {score:.4f} on the hold-out")
    else:
        print("  without validation= its score will say nothing about validation")
    return submission


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


def _check(candidate: Candidate, model: str) -> float:
    from search.user_code import load_function
    from trainables.model import build_model
    from trainables.parity import check_parity

    assert candidate.trial is not None
    config, opened = candidate.trial.config, candidate.search.opened
    if config.model != model:
        raise InputError(
            f"{candidate.id} was trained with model={config.model or chr(39) * 2}: say so on the "
            "command line, since nothing is imported because a file says so"
        )
    return check_parity(
        config,
        candidate.folder,
        Path(opened["data"]["root"]),
        tuple(opened["classes"]),
        load_function(model, "model") if model else build_model,
    )


if __name__ == "__main__":
    main(SubmitConfig, run, __doc__ or "")
