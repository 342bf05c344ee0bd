"""Cases in, reports out: described flights seen by described sensors.

- `paths`: where an aircraft truly is, from waypoints, speeds, turns and a place in a formation.
- `sensors`: what radars and ADS-B receivers would report of it, and what jamming and spoofing do.
- `generator`: a scenario's description to a report table, the same bytes every time.
- `background`: real recordings beside a scenario, moved in time only, and saying so.
- `catalogue`: the scenarios by name.
- `casebook`: published cases, one file each, with what is published and what is assumed.

Every generated row has `is_reconstruction` true: nobody measured it.
"""
