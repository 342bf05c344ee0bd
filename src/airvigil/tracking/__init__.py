"""Reports in, tracks out: admission, the motion filter and smoother, GNSS interference.

- `rows`, `intake`, `accounting`: report tables as records, in order of time, every row counted.
- `admission`, `plausibility`, `verdicts`: may this report be used, and how far is it believed? By rule and
  by row, never by batch.
- `track_table`, `identity`: what is remembered of each aircraft, and who it is.
- `local_plane`: degrees to metres east and north of a track's own origin, and back.
- `filter`: one track's constant-velocity Kalman filter, and its covariance between two reports.
- `smoother`: the same track after the fact, when later reports are known too.
- `interference`: GNSS jamming and spoofing of one track.

Everything here is pure: columns in, columns out; state is passed in and given back.
"""
