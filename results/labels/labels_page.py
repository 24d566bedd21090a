"""The page of suspicious labels, and what it shows of each."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 300
"""Suspects with pictures."""

LABELS = """\
.near { display: flex; gap: .6rem } figure { margin: 0; max-width: 8rem }
figcaption { font-size: .75rem; color: #5b6670; overflow-wrap: anywhere }
figcaption.same { color: #1b6e3c; font-weight: 600 }
td img { height: 72px; background: #eef0f2 } td.it img { height: 96px }
</style></head><body>
<h1>{{ name }}: {{ headline }}</h1>
<p>By confident learning on {{ source }}: predictions of models that did not see the image.</p>
{% if suspects %}<p>A suspect is no proof. Look, then edit <code>corrections.csv</code>: delete the
rows whose label is right after all (or write it back), put in another label where neither is right,
and leave the label empty where the image should not be used. Then <code>{{ command }}</code></p>
<table><tr><th>label</th><th>taken for</th><th class="n">suspects</th></tr>
{% for given, proposed, count in confusions %}<tr><td>{{ given }}</td><td>{{ proposed }}</td>
<td class="n">{{ count }}</td></tr>{% endfor %}</table>
<h2>Suspects, the most suspicious first</h2>
<p class="small">Score: the probability of the label as given. Beside each, the training images that
look most alike by colour and layout, whatever a network makes of them; those labelled as proposed
are set in bold.</p>
<table><tr><th>image</th><th></th><th>label</th><th>proposed</th><th class="n">score</th>
<th>looks like</th></tr>
{% for s in suspects %}<tr><td class="it"><img src="{{ s.picture }}" alt=""></td>
<td class="small">{{ s.image }}<br>row {{ s.row }}, fold {{ s.fold }}</td><td>{{ s.given }}</td>
<td>{{ s.proposed }}<br><span class="small">{{ "%.0f"|format(100 * s.sureness) }} %</span></td>
<td class="n">{{ "%.4f"|format(s.score) }}</td><td><div class="near">
{%- for n in s.near %}<figure><img src="{{ n.picture }}" alt="">
<figcaption{% if n.given == s.proposed %} class="same"{% endif %}>{{ n.given }}<br>row {{ n.row }}
</figcaption></figure>{% endfor %}</div></td></tr>
{% endfor %}</table>
{% if more %}<p class="small">… and {{ more }} more, all in suspects.csv</p>{% endif %}{% endif %}
</body></html>
"""
"""For `suspects_page`; it shows ``confusions``, too: label, what it is taken for, and how many."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A training image on the page.

    Attributes:
        image: Its name.
        row: Line of the training table.
        given: Its label.
        picture: Source of the picture.
    """

    image: str
    row: int
    given: str
    picture: str


@dataclass(frozen=True, kw_only=True)
class ShownSuspect(Shown):
    """A suspect on the page.

    Attributes:
        fold: That held it out.
        proposed: The class that it is taken for.
        sureness: Probability of that class.
        score: Probability of its label.
        near: Training images that look like it.
    """

    fold: int
    proposed: str
    sureness: float
    score: float
    near: tuple[Shown, ...]
