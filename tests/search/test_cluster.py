"""A real Ray cluster: two hosts with addresses of their own, token authentication on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.cluster import ADDRESSES, can_have_hosts, node_that_leaves, two_hosts

pytestmark = pytest.mark.skipif(
    not can_have_hosts(), reason="hosts need the right to make network namespaces"
)


def test_a_host_that_leaves_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    row = node_that_leaves(tmp_path / "cluster", trials=4, times=1)
    assert not row.wrong, f"{row}\n{(tmp_path / 'cluster/job.txt').read_text()}"


def test_a_folder_that_one_host_does_not_see_is_refused(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    with two_hosts(tmp_path / "cluster") as cluster:
        cluster.kill(1)
        cluster.start(1, hidden=str(runs))
        done = cluster.run(
            0, "python", "-m", "search.train", f"runs={runs}", "name=n", "epochs=1",
            "cluster.address=auto",
        )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"node {ADDRESSES[1]} does not see this folder" in done.stderr
    assert not (runs / "digits/n/ledger.jsonl").exists()
