"""Fonts of figures: names in any script, as far as this machine has letters for it."""

from __future__ import annotations

import warnings

import matplotlib
from matplotlib import font_manager

OTHER_SCRIPTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
)
"""What systems have for letters that matplotlib's own font lacks."""


def take_letters_from_other_fonts() -> None:
    """Names classes in figures in their own letters; those that no font has are drawn as boxes."""
    installed = set(font_manager.get_font_names())
    others = [name for name in OTHER_SCRIPTS if name in installed]
    matplotlib.rcParams["font.family"] = ["DejaVu Sans", *others]
    warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
