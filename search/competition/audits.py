"""The audit of a contest: printed, drawn, written as tables."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from results.forecast.leak import PROPOSED
from results.leaderboard.leaderboard import Leaderboard
from search.execution.say import every_second, say
from search.jobs.contest_data import read_contest
from search.jobs.contest_folds import contest_folds
from search.jobs.likeness import keep_likeness
from search.jobs.proposed_groups import propose_groups, write_groups
from search.options.audit import AuditConfig
from search.options.exit_codes import OK
from search.options.groups import TEST_LIKE
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from spaces.files import write_whole
from trainables.audit.checks import audit
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding
from trainables.audit.looks import Looks, look_at
from trainables.audit.page import audit_page
from trainables.audit.shift import Shift, measure_shift
from trainables.audit.shift_checks import TOLD_FROM
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.tables import AUTO


def audit_contest(config: AuditConfig) -> int:
    """Reads every image, prints findings, writes page and tables; returns the exit code.

    Raises:
        InputError: If the tables cannot be read.
    """
    began = time.monotonic()
    runs = Path(config.runs)
    # It is about the split, which further images have no part in.
    data = replace(config.data, group="") if config.data.group == AUTO else config.data
    contest = replace(read_contest(data, runs, config.holdout), extra=None)
    leaderboard = Leaderboard.read(runs / contest.name)
    leaderboard.set_rules(test_images=config.rules.test_images)
    if not leaderboard.test_images:
        say("test images are left out: the rules forbid looking at them (rules.test_images=false)")
        contest = replace(contest, test_images=())
    looks = look_at(contest, every_second(say, "looking at images"), os.cpu_count() or 1)
    seconds = time.monotonic() - began
    if config.holdout.rows == TEST_LIKE:  # what is known already need not be read again
        _keep_likeness(contest, runs, looks, measure_shift(looks))
    folds, no_folds = _folds(contest, config)
    proposal = propose_groups(contest, looks, folds, every_second(say, "trying groups"))
    evidence = Evidence(
        contest=contest, looks=looks, folds=folds, no_folds=no_folds, proposal=proposal
    )
    findings = audit(evidence)
    folder = (runs / contest.name / PROPOSED).parent
    folder.mkdir(parents=True, exist_ok=True)
    groups = write_groups(contest, proposal, folder / PROPOSED.name)
    likest = _keep_likeness(contest, runs, looks, evidence.shift) if folds is not None else ""
    _write(_table(evidence, findings), folder / "findings.csv")
    _write(looks.table, folder / "images.csv")
    write_whole(audit_page(evidence, findings, groups, likest), folder / "index.html")
    print(
        f"{contest.name}: {len(contest.train_images):,} training and {len(contest.test_images):,} "
        f"test images, {len(contest.classes)} classes; {len(contest.images) / seconds:,.0f} "
        "images/s read\n"
    )
    for finding in findings:
        print(f"  {finding.severity:8} {finding.name}: {finding.what}")
        print(f"  {'':8}   {finding.advice}")
    if not findings:
        print("  nothing found")
    unread = int((~looks.readable).sum())
    if unread:
        files = "1 file that cannot be" if unread == 1 else f"{unread:,} files that cannot be"
        print(
            f"\nNot looked for because of {files} read: groups nobody named, likeness to the test"
        )
    if groups:
        print(f"\nAccept the groups, once you have looked at them, with {groups}")
    if likest:
        print(f"\nA hold-out of what looks most like the test: {likest}")
    print(f"\nPage: {folder / 'index.html'}   tables: findings.csv, images.csv beside it")
    if config.json:
        print(json.dumps({"id": contest.name, "path": str(folder)}))
    return OK


def _folds(contest: Contest, config: AuditConfig) -> tuple[Folds | None, str]:
    """The folds that a search would have, or why there are none."""
    try:
        return contest_folds(contest, config.holdout, Path(config.runs), say), ""
    except InputError as error:
        return None, str(error)


def _keep_likeness(contest: Contest, runs: Path, looks: Looks, shift: Shift | None) -> str:
    """Keeps how much images look like the test, where that can be told; returns the option that
    holds out the likest, or nothing."""
    if shift is None or not looks.readable.all() or contest.fold is not None:
        return ""
    keep_likeness(contest, runs, shift)
    return f"holdout={TEST_LIKE}" if shift.auc >= TOLD_FROM else ""


def _table(evidence: Evidence, findings: Sequence[Finding]) -> pd.DataFrame:
    """A row for each image of each finding, and one for each finding without images."""
    seen = evidence.looks.table
    rows = []
    for finding in findings:
        said = {"finding": finding.name, "severity": finding.severity}
        if not finding.places:
            rows.append({**said, "detail": finding.what})
        for place in finding.places:
            line = seen.iloc[place.row]
            other = seen["image"].iloc[place.other] if place.other >= 0 else ""
            at = {"table": line["table"], "row": line["row"], "image": line["image"]}
            rows.append({**said, **at, "other": other, "detail": place.detail})
    columns = ["finding", "severity", "table", "row", "image", "other", "detail"]
    return pd.DataFrame(rows, columns=columns).astype({"row": "Int64"})


def _write(table: pd.DataFrame, path: Path) -> None:
    write_csv_table(table, path)
