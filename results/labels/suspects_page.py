"""A page of suspects: one HTML file that requests nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}: suspects</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  color: #1d2329; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; margin: .6rem 0 } th { text-align: left; font-weight: 600 }
td, th { padding: .3rem .9rem .3rem 0; vertical-align: top; border-bottom: 1px solid #e4e7ea }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.small { color: #5b6670; font-size: .85rem; overflow-wrap: anywhere } code { background: #f1f3f5 }
"""


def suspects_page(
    template: str,
    *,
    name: str,
    headline: str,
    source: str,
    command: str,
    suspects: Sequence[Any],
    count: int,
    **own: Any,
) -> str:
    """Draws a page that requests nothing.

    Args:
        template: What follows: further styles, then the body.
        name: Of the competition.
        headline: What was found.
        source: Whose predictions it was found with.
        command: What searches with the corrections.
        suspects: The most suspicious.
        count: How many there are.
        **own: What else the template shows. All is escaped.

    Returns:
        HTML.
    """
    page = Environment(autoescape=True).from_string(_HEAD + template)
    return page.render(
        name=name,
        headline=headline,
        source=source,
        command=command,
        suspects=suspects,
        more=count - len(suspects),
        **own,
    )
