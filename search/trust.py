"""python -m search.trust — does validation tell the good models apart as the leaderboard does?

Needs scored submissions: five in the competitive band for a verdict. Says what to submit next.

  python -m search.trust
"""

from __future__ import annotations

import json
from pathlib import Path

from results.figures import trust_scatter
from results.leaderboard import Leaderboard
from results.trust import Score, assess
from results.trust_report import trust_page, trust_table
from search.board import contest_metric, track_trust, truth_of, validated
from search.cli import OK, main
from search.config import TrustConfig
from search.select import candidates, competition_folder
from spaces.errors import InputError


def run(config: TrustConfig) -> int:
    """Prints the page and writes figure and table; returns the exit code."""
    folder = competition_folder(Path(config.runs), config.competition)
    pool = candidates(folder)
    board = Leaderboard.read(folder)
    if not pool:
        raise InputError("there is no finished trial on fold 0 yet: python -m search.run")
    scored = board.scored()
    if not scored:
        raise InputError(
            "no submission has a score yet: python -m search.submit, then search.score"
        )
    metric = contest_metric(pool[0].search)
    truth = truth_of(pool)
    scores = [
        Score(trial=s.trial, value=s.public, images=s.images)
        for s in scored
        if s.public is not None
    ]
    trust = assess(metric, truth.labels, validated(pool, truth), scores, truth.groups)
    print("\n".join(trust_page(trust, folder.name, metric, len(truth.labels))))
    trust_table(trust, board, metric).to_csv(folder / "trust.csv", index=False)
    trust_scatter(trust, metric.name).savefig(folder / "trust.png", dpi=120)
    print(f"\nTable: {folder / 'trust.csv'}   figure: {folder / 'trust.png'}")
    problem = track_trust(folder, trust, config.tracking, Path(config.runs))
    if problem:
        print(f"warning: MLflow does not have it ({problem}); nothing is lost")
    if trust.following:
        print(f"Next:\n  python -m search.submit select={trust.following}")
    if config.json:
        print(json.dumps({"id": folder.name, "path": str(folder), "verdict": trust.verdict}))
    return OK


if __name__ == "__main__":
    main(TrustConfig, run, __doc__ or "")
