"""Class names that may be one name, mistyped."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

SHORTEST = 5
"""Letters of the shortest word that a slip is looked for in: shorter ones are alike anyway."""


def slips(names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of names that differ in one word, and there by one slip of the hand.

    A slip is a letter more, less or another, or two letters swapped. Numbers and short words, as in
    "class 1" and "class 2", "stage I" and "stage II", or "cat" and "bat", are no slips.

    Yields:
        Indices, the smaller first.
    """
    words = [tuple(re.findall(r"[^\W_]+", name.casefold())) for name in names]
    near: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for index, parts in enumerate(words):
        for place, word in enumerate(parts):
            if len(word) < SHORTEST or not word.isalpha():
                continue
            for cut in (word, *(word[:i] + word[i + 1 :] for i in range(len(word)))):
                near[(*parts[:place], f"{place} {cut}", *parts[place + 1 :])].add(index)
    pairs = {pair for alike in near.values() for pair in combinations(sorted(alike), 2)}
    for one, other in sorted(pairs):
        differing = [(a, b) for a, b in zip(words[one], words[other], strict=True) if a != b]
        if len(differing) == 1 and _slip(*differing[0]):
            yield one, other


def _slip(one: str, other: str) -> bool:
    """Whether two words differ by one letter, or by two neighbours that are swapped."""
    short, long = sorted((one, other), key=len)
    if len(short) < len(long):
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    apart = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(apart) == 1:
        return True
    return (
        len(apart) == 2
        and apart[1] == apart[0] + 1
        and one[apart[0]] + one[apart[1]] == other[apart[1]] + other[apart[0]]
    )
