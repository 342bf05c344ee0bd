"""Airspace: volumes and their sources, signed margins, the probability of being inside.

`volumes` is the one form that every boundary takes; `boundaries` loads the packaged sovereign
airspace of the world's states, `geojson` a user's own file, `check` finds its faults; `index`
and `margins` answer where a report is in relation to every volume; `probability` how sure that
is; `coastline` gives lines for maps and decides nothing.
"""
