"""What admission can say of a row: reject reasons and integrity marks, one a line with its physical reason.

`docs/formats.md` lists them from here. The numbers are what kernels pass around; the names are
what files and people see.
"""

from __future__ import annotations

CREDIBLE, DEGRADED, NOT_CREDIBLE = 0, 1, 2
INTEGRITY = ("credible", "degraded", "not_credible")

# Rows that are not used at all.
USED = 0
STALE_REPEAT = 1
BEYOND_RADIO_HORIZON = 2
GROUND_AIR_CONFUSION = 3
TIME_BACKWARDS = 4
REJECTS = {
    STALE_REPEAT: (
        "stale_repeat",
        "the source repeats a position that was used already, or is too old to be one",
    ),
    TIME_BACKWARDS: ("time_backwards", "a position older than one that was used already"),
    BEYOND_RADIO_HORIZON: (
        "beyond_radio_horizon",
        "no line of sight from this receiver to the reported place",
    ),
    GROUND_AIR_CONFUSION: (
        "ground_air_confusion",
        "said to be on the ground, at a speed or height that no runway allows",
    ),
}

# Rows that are used, and how far they are believed.
NONE = 0
UNCONFIRMED = 1
ACCURACY_LOW = 2
INTEGRITY_LOW = 3
REACQUIRED = 4
DUPLICATE_ADDRESS = 5
SLOW_AT_HEIGHT = 6
ACCURACY_LOST = 7
INTEGRITY_LOST = 8
IMPOSSIBLE_JUMP = 9
SPEED_CONTRADICTS = 10
TOO_SLOW_FOR_HEIGHT = 11
SIL_UNKNOWN = 12
REASONS = {
    NONE: ("", ""),
    UNCONFIRMED: ("unconfirmed_position", "first position of a track: a single decoding may be an artefact"),
    ACCURACY_LOW: ("accuracy_low", "the transmitter states a low accuracy (NACp)"),
    INTEGRITY_LOW: ("integrity_low", "the transmitter states a wide containment (NIC)"),
    SIL_UNKNOWN: (
        "sil_unknown",
        "the transmitter states no probability for its containment (SIL 0): nobody vouches for it",
    ),
    REACQUIRED: ("reacquired", "first position after a silence: reachable, not yet confirmed"),
    DUPLICATE_ADDRESS: ("duplicate_address", "two places in turn under one address: two aircraft, or a copy"),
    SLOW_AT_HEIGHT: ("slow_at_height", "slower than an aeroplane flies at this height; may be a balloon"),
    ACCURACY_LOST: ("accuracy_lost", "the transmitter itself says that its accuracy is unknown (NACp 0)"),
    INTEGRITY_LOST: ("integrity_lost", "the transmitter itself says that its integrity is unknown (NIC 0)"),
    IMPOSSIBLE_JUMP: (
        "impossible_jump",
        "not reachable from the positions before it at any speed that an aircraft has",
    ),
    SPEED_CONTRADICTS: (
        "speed_contradicts_positions",
        "the positions move at another speed than the reported one",
    ),
    TOO_SLOW_FOR_HEIGHT: (
        "too_slow_for_height",
        "an aeroplane that was seen flying fast cannot stay up this slowly at this height",
    ),
}
NOT_CREDIBLE_REASONS = (
    ACCURACY_LOST,
    INTEGRITY_LOST,
    IMPOSSIBLE_JUMP,
    SPEED_CONTRADICTS,
    TOO_SLOW_FOR_HEIGHT,
    DUPLICATE_ADDRESS,
)

# Reject reasons given before tracking: by arrival and by identity.
ARRIVAL_REJECTS = {
    "no_identity": "neither an address nor a sensor's track number: nothing to attach the row to",
    "bad_position": "latitude or longitude missing or out of range",
    "bad_accuracy": "a covariance that is not finite and positive definite, or a bias bound that is not finite",
    "time_in_future": "applies later than it was received: the source's clock is wrong",
    "time_leap": "received far ahead of everything before it, and the next row does not confirm it: a wrong clock reading",
    "no_time": "no time of applicability",
}
