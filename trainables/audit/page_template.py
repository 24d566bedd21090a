"""The page of an audit, as a template of Jinja."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}: audit</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1d2329; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; margin: .6rem 0 } th { text-align: left; font-weight: 600 }
td, th { padding: .2rem .9rem .2rem 0; vertical-align: top; border-bottom: 1px solid #e4e7ea }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.stop { color: #b3261e; font-weight: 600 } .warning { color: #8a5300; font-weight: 600 }
.note { color: #5b6670 } .small { color: #5b6670; font-size: .85rem }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem } figure { margin: 0; width: 13rem }
figcaption { font-size: .75rem; color: #5b6670; overflow-wrap: anywhere }
img { height: 96px; margin-right: 3px; background: #eef0f2 } code { background: #f1f3f5 }
.classes img, .extremes img { height: 56px } tr.best td { font-weight: 600 }
img.test { outline: 3px solid #b3261e; outline-offset: -3px }
img.exact { height: auto; image-rendering: pixelated } svg { max-width: 100%; height: auto }
</style></head><body>
<h1>{{ name }}: {{ headline }}</h1>
<p class="small">{{ counts }}</p>
<table><tr><th>severity</th><th>finding</th><th></th></tr>
{% for f in findings %}<tr><td class="{{ f.severity }}">{{ f.severity }}</td>
<td><a href="#f{{ loop.index }}">{{ f.name }}</a></td><td>{{ f.what }}</td></tr>
{% endfor %}</table>
{% for f in findings %}<h2 id="f{{ loop.index }}"><span class="{{ f.severity }}">
{{- f.severity }}</span> {{ f.name }}</h2><p>{{ f.what }}.<br>What to do: {{ f.advice }}.</p>
<div class="pictures">{% for p in f.pictures %}<figure>
{%- for i in p.images if i %}<img src="{{ i }}" alt="">{% endfor %}
<figcaption>{{ p.words }}</figcaption></figure>{% endfor %}</div>
{% if f.more %}<p class="small">… and {{ f.more }} more, all in findings.csv</p>{% endif %}
{% endfor %}
{% if candidates %}<h2 id="groups">Groups</h2>
<p>How far held-out images are from the nearest image trained on, in units of the median distance of
the test images. The grouping whose distances are distributed most like those of the test is the
one to take; chance alone makes a gap of {{ chance }}.</p>
<table><tr><th class="n">clusters</th><th class="n">groups</th><th class="n">median distance</th>
<th class="n">gap to the test's</th><th class="n">nearest has the same label</th></tr>
{% for c in candidates %}<tr{% if c.best %} class="best"{% endif %}>
<td class="n">{{ c.clusters }}</td>
<td class="n">{{ c.groups }}</td><td class="n">{{ c.distance }}</td><td class="n">{{ c.gap }}</td>
<td class="n">{{ c.found }}</td></tr>{% endfor %}</table>
<p>{{ scores }}</p>
{% if groups %}<p>To accept: <code>{{ groups }}</code>; the file may be edited first.</p>{% endif %}
{% endif %}
{% if hints %}<h2 id="hints">What files say of the groups</h2><ul>
{% for hint in hints %}<li>{{ hint }}</li>{% endfor %}</ul>{% endif %}
{% if members %}<h2 id="members">Classes and groups</h2>
<p>{{ members.words }}.</p>
{% if members.picture %}<p>A row per group, the largest first, a column per class in the order
below; the darker, the more images.</p>
<img class="exact" src="{{ members.picture }}" alt="">{% endif %}
<table><tr><th>group</th><th class="n">images</th>
{%- if members.folds %}<th class="n">fold</th>{% endif %}<th>classes</th></tr>
{% for g in members.groups %}<tr><td>{{ g.name }}</td><td class="n">{{ g.count }}</td>
{% if members.folds %}<td class="n">{{ g.fold }}</td>{% endif %}<td>{{ g.classes }}</td></tr>
{% endfor %}</table>
{% if members.more %}<p class="small">… and {{ members.more }} more groups</p>{% endif %}
{% endif %}
{% if sizes %}<h2 id="sizes">Sizes</h2><p>{{ sizes.words }}. Width and height in pixels; a circle
per size, the larger the more images, the test's in red.</p>{{ sizes.drawing|safe }}{% endif %}
{% if properties %}<h2 id="shift">Training against test</h2>
<p>A classifier tells them apart with AUC {{ auc }} (0.5: not at all).</p>
<table><tr><th>property</th><th class="n">AUC alone</th><th class="n">training, median</th>
<th class="n">test, median</th><th>least</th><th>most; the test's framed in red</th></tr>
{% for p in properties %}<tr class="extremes"><td>{{ p.name }}</td><td class="n">{{ p.auc }}</td>
<td class="n">{{ p.train }}</td><td class="n">{{ p.test }}</td>
{% for side in p.extremes %}<td>{% for i in side %}
<img src="{{ i.picture }}" alt=""{% if i.test %} class="test"{% endif %}>{% endfor %}</td>
{%- endfor %}
</tr>{% endfor %}</table>
{% if likest %}<p>A hold-out of the training images that look most like the test:
<code>{{ likest }}</code></p>{% endif %}{% endif %}
<h2 id="classes">Classes</h2>
{% if masked %}<p>Images that show a class, its share of all pixels, and images of each fold
that show it; masks lie over the samples, black where nothing is known.</p>{% endif %}
<table class="classes"><tr><th>class</th><th class="n">images</th>
{% if masked %}<th class="n">pixels</th>{% endif %}
{% for k in folds %}<th class="n">fold {{ k }}</th>{% endfor %}<th>mean</th><th>samples</th></tr>
{% for c in classes %}<tr><td>{% if masked %}
<svg width="12" height="12"><rect width="12" height="12" fill="{{ c.colour }}"/></svg>
{% endif %}{{ c.name }}</td><td class="n">{{ c.count }}</td>
{% if masked %}<td class="n">{{ c.pixels }}</td>{% endif %}
{% for n in c.folds %}<td class="n">{{ n }}</td>{% endfor %}
<td>{% if c.mean %}<img src="{{ c.mean }}" alt="">{% endif %}</td>
<td>{% for i in c.samples %}<img src="{{ i }}" alt="">{% endfor %}</td></tr>
{% endfor %}</table></body></html>
"""
