"""python -m search.submit — write checked submission files from stored test predictions.

Before the first submission of a trial, images read anew from their files have to reproduce its
stored predictions. Nothing is handed in; the files are yours to upload.

  python -m search.submit                      the best finished trial
  python -m search.submit select=baseline
  python -m search.submit select=band:6        six of those that compete for the best, evenly
  python -m search.submit select=spread:4      four over the whole range
"""

from __future__ import annotations

import json
from pathlib import Path

from results.leaderboard import Leaderboard
from results.predictions import Predictions
from results.submission import SubmissionForm
from search.board import band_of, contest_metric
from search.cli import OK, main
from search.config import SubmitConfig
from search.select import Candidate, candidates, competition_folder, pick
from spaces.errors import InputError


def run(config: SubmitConfig) -> int:
    """Writes submissions; returns the exit code."""
    folder = competition_folder(Path(config.runs), config.competition)
    pool = candidates(folder)
    band = 0
    if config.select.startswith("band:") and pool:
        band = len(band_of(pool, contest_metric(pool[0].search)))
    chosen = pick(pool, config.select, band)
    board = Leaderboard.read(folder)
    made = []
    for candidate in chosen:
        before = board.of_trial(candidate.id)
        if before is not None:
            print(f"{candidate.id} is {before.id} already: {before.file}")
            continue
        form = _form(candidate, config.sample)
        off = _check(candidate, config.model)
        path = folder / "submissions" / f"{board.next_id()}-{candidate.id}.csv"
        digest = form.write(Predictions.read(candidate.folder / "test.npz"), path)
        submission = board.add_submission(candidate.id, path.resolve(), digest)
        score = candidate.trial.score(candidate.search.metric)
        print(
            f"{submission.id}: {path}\n  {candidate.id}, {candidate.search.metric} {score:.4f} on "
            f"the hold-out; images read anew agree within {off:.1g}"
        )
        made.append(submission)
    print("Next, when the leaderboard has answered:")
    name = made[0].id if made else "s001"
    print(f"  python -m search.score submission={name} public=0.83")
    if config.json:
        print(json.dumps([{"id": s.id, "path": s.file} for s in made]))
    return OK


def _form(candidate: Candidate, sample: str) -> SubmissionForm:
    opened = candidate.search.opened
    stored = Predictions.read(candidate.folder / "test.npz")
    path = Path(opened["data"]["root"]) / sample
    if path.exists():
        return SubmissionForm.read(path, stored.images, stored.classes)
    if sample != "sample_submission.csv":
        raise InputError(f"sample={sample}: there is no {path}")
    return SubmissionForm(
        ids=stored.images, columns=("image", "label"), classes=tuple(opened["classes"])
    )


def _check(candidate: Candidate, model: str) -> float:
    from search.user_code import load_function
    from trainables.model import build_model
    from trainables.parity import check_parity

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
