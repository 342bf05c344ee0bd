"""Airspace: volumes and their sources, signed margins, the probability of being inside, stays.

`volumes` is the one form that every boundary takes, with its `limits` and `activation`; `margins` answers where a report is in
relation to every volume, `probability` how sure that is; `infringement` turns track points into samples. Below it:
`sources` reads files, `checks` finds their faults, `index` makes margins fast, `heights` turns one reference into
another, `spells` makes stays of samples, `gaps` says what could have been between two reports, `permissions` what was allowed,
`lookahead` what is about to be.
"""
