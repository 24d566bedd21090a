"""The page of suspicious masks, and what it shows of each."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 100
"""Suspects with pictures."""

MASKS = """\
td img { width: 15rem; background: #eef0f2; display: block }
.key i { display: inline-block; width: .9rem; height: .9rem; vertical-align: -.1rem }
.key span { margin-right: 1.2rem }
</style></head><body>
<h1>{{ name }}: {{ headline }}</h1>
<p>Regions in which models that did not see the image are confident of something else than is
drawn, by {{ source }}.</p>
{% if suspects %}<p>A suspect is no proof. Look, then edit <code>corrections.csv</code>, a row per
region. Under <code>use</code>, <code>void</code> trains on nothing there, <code>predicted</code>
on what is predicted; <code>no</code> leaves the image out, and <code>yes</code> says that the
mask is right (or delete the row). Then <code>{{ command }}</code></p>
<p class="key">{% for label, colour in classes %}<span><i style="background: {{ colour }}"></i>
{{ label }}</span>{% endfor %}</p>
<h2>Images, the most suspicious first</h2>
<table><tr><th>image</th><th>mask as given</th><th>predicted</th><th>regions</th></tr>
{% for s in suspects %}<tr>
{%- for picture in s.pictures %}<td><img src="{{ picture }}" alt="">
{%- if loop.first %}<span class="small">{{ s.image }}<br>row {{ s.row }}, fold {{ s.fold }}</span>
{%- endif %}</td>{% endfor %}
<td><table><tr><th>drawn as</th><th>taken for</th><th class="n">of the image</th>
<th class="n">sure</th></tr>
{% for given, predicted, share, sureness in s.regions %}<tr><td>{{ given }}</td>
<td>{{ predicted }}</td><td class="n">{{ "%.1f"|format(100 * share) }} %</td>
<td class="n">{{ "%.0f"|format(100 * sureness) }} %</td></tr>{% endfor %}</table></td></tr>
{% endfor %}</table>
{% if more %}<p class="small">… and {{ more }} more, all in suspects.csv</p>{% endif %}{% endif %}
</body></html>
"""
"""For `suspects_page`; it shows ``classes``, too: name and colour of each."""


@dataclass(frozen=True, kw_only=True)
class ShownMask:
    """A suspect on the page.

    Attributes:
        image: Its name.
        row: Line of the training table.
        fold: That held it out.
        pictures: Sources of the image with its regions framed, and of both masks over it.
        regions: Class as given, class predicted, share of the image, and sureness.
    """

    image: str
    row: int
    fold: int
    pictures: tuple[str, ...]
    regions: tuple[tuple[str, str, float, float], ...]
