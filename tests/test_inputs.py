"""Input that nobody meant, a hundred of each kind; `make faults` tries a thousand."""

from __future__ import annotations

import json
from pathlib import Path

from results.leaderboard.leaderboard import Leaderboard
from spaces.trial_config import TrialConfig
from tests.faults.inputs import fuzzed_inputs
from tests.records import draft, opening


def test_fuzzed_input_is_refused_in_words(digits_folder: Path, tmp_path: Path) -> None:
    job = tmp_path / "c/j"
    job.mkdir(parents=True)
    config = TrialConfig.of(epochs=1, warmup_epochs=0)
    report = {"epoch": 1, "metrics": {"val/accuracy": 0.5}, "seconds": {"total": 1.0}, "images": 3}
    cost = {"wall": 1.0, "tracking": 0.1, "images": 3, "epochs": 1, "why/sampled": 1.0}
    cost |= {"trials/total": 1.0, "trials/feed": 0.2, "trials/compute": 0.7, "trials/beside": 0.1}
    events = [
        {"event": "opened", **opening("j", config)},
        {
            "event": "trial_started", "trial": "j-000", "number": 0, "why": "sampled", "arm": "",
            "params": {"lr": 0.1}, "config": config.to_json(),
        },
        {"event": "epoch", "trial": "j-000", "report": report},
        {"event": "trial_ended", "trial": "j-000", "state": "finished", "reason": ""},
        {
            "event": "closed", "state": "finished", "reason": "", "counts": {"finished": 1},
            "winner": "j-000", "baseline": None, "optimism": None, "comparisons": [],
            "watched": [], "forecast": None, "cost": cost,
        },
    ]  # fmt: skip
    lines = [json.dumps({"at": float(i), **event}) for i, event in enumerate(events)]
    (job / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    leaderboard = Leaderboard.read(job.parent)
    leaderboard.add_submission("j-000", draft(leaderboard.path.parent))
    leaderboard.add_score("s001", public=0.5, private=None)
    leaderboard.add_note("j-000", "it helps", "it does not", "me")
    for row in fuzzed_inputs(tmp_path / "work", digits_folder, job, 200):
        assert not row.wrong, str(row)
