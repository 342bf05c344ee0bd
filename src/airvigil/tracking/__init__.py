"""Reports in, tracks out: admission, the motion filter and smoother, GNSS interference.

- `admission`: may this report be used, and how far is it believed? By rule and by row, never by batch.
- `local_plane`: degrees to metres east and north of a track's own origin, and back.
- `filter`: one track's constant-velocity Kalman filter, and its covariance between two reports.
- `smoother`: the same track after the fact, when later reports are known too.
- `interference`: GNSS jamming and spoofing, recognised across tracks.

Everything here is pure: columns in, columns out; state is passed in and given back.
"""
