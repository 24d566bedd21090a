"""How much room trials need is learnt from what others have written, ended or not."""

from __future__ import annotations

import shutil
from pathlib import Path

from search.room import MIB, Room


def test_what_a_trial_has_written_is_what_the_next_needs(tmp_path: Path) -> None:
    room, free = Room(tmp_path), shutil.disk_usage(tmp_path).free
    room.learn("t-000")  # has written nothing yet
    assert room.shortage(10**9) == ""
    folder = tmp_path / "trials" / "t-001"
    folder.mkdir(parents=True)
    (folder / "checkpoint-00001-d1.safetensors").write_bytes(bytes(2 * MIB))
    room.learn("t-001")
    assert room.shortage(2) == ""
    fit = free // (3 * MIB)  # half as much again while it writes
    assert room.shortage(int(fit * 0.9)) == ""
    assert f"{int(fit * 1.2) * 3} MiB needed" in room.shortage(int(fit * 1.2))
    (folder / "checkpoint-00001-d1.safetensors").unlink()
    room.learn("t-001")
    assert room.shortage(int(fit * 1.2))  # the next one will write as much
