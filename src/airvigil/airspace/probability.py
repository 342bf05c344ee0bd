"""The probability that the true place lies inside a volume, exact for polygons.

The position error is a two-dimensional normal with any covariance. Whitening (x -> L^-1 x with
C = L L^T) makes it circular; then in polar coordinates around the reported place

    P = 1{inside} - sum over edges of (1 / 2 pi) * integral of exp(-r(theta)^2 / 2) d theta,

where each edge's integral over the angle that it subtends is a difference of two values of Owen's
T function, signed by the side on which the place lies. No quadrature over the area and no
assumption that the boundary is straight: Phi(d / sigma) is the special case of one long edge.
Edges further than 6 sigma contribute less than exp(-18) = 1.5e-8 together and are left out.
An artificial cut is run through twice in opposite directions and cancels.

Everything here is scalar arithmetic inside Numba kernels: a result depends on nothing but its
own arguments, not on how many others are computed with it.

References: D. B. Owen, Annals of Mathematical Statistics 27 (1956) 1075-1090 (T function and its
identities 2.1 to 2.4); A. R. DiDonato and R. K. Hageman, SIAM J. Sci. Stat. Comput. 3 (1982) 434-446
(the normal integral over a polygon as a sum over edges).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import njit

from airvigil.airspace.index import RELEVANCE_M, Chunks
from airvigil.airspace.tangent import Frame, Near, is_crossed_oddly, project

REACH_SIGMAS = 6.0  # edges beyond are left out: exp(-6^2 / 2) = 1.5e-8
MIN_SIGMA_M = 1e-3  # a covariance is never taken to be better than a millimetre
MIN_KNOWN_SIGMAS = 5.0  # P is given if the boundary is known this far out: what lies beyond is at most 4e-6
DUST = 1e-7  # how far outside [0, 1] rounding and left-out edges can take P
ROUNDING_M = 1e-3  # nearer to the boundary than this, rounding may decide the side
SINGULAR_ROUNDING = 1e-12  # relative: a singular covariance may be off by its last digits
NUDGE_M = 1e-6  # a place on a vertex is moved by this
COMPASS = 8  # directions in which a bounded bias is tried

INV_SQRT2 = 0.7071067811865476  # 1 / sqrt(2)
INV_TWO_PI = 0.15915494309189535  # 1 / (2 pi)

# Gauss-Legendre on [0, 1], 10 points (Abramowitz and Stegun, table 25.4, shifted): abscissa, weight
_X0, _W0 = 0.013046735741414128, 0.03333567215434407
_X1, _W1 = 0.06746831665550773, 0.07472567457529031
_X2, _W2 = 0.16029521585048778, 0.10954318125799102
_X3, _W3 = 0.2833023029353764, 0.13463335965499817
_X4, _W4 = 0.4255628305091844, 0.14776211235737644
GAUSS_X = (_X0, _X1, _X2, _X3, _X4, 1.0 - _X4, 1.0 - _X3, 1.0 - _X2, 1.0 - _X1, 1.0 - _X0)
GAUSS_W = (_W0, _W1, _W2, _W3, _W4, _W4, _W3, _W2, _W1, _W0)

# Gauss-Legendre on [0, 1], 3 points
_HALF_SPAN = 0.3872983346207417  # sqrt(0.6) / 2
SHORT_X = (0.5 - _HALF_SPAN, 0.5, 0.5 + _HALF_SPAN)
SHORT_W = (5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0)
SHORT_EDGE_RATIO = 0.05  # an edge this much shorter than its distance is smooth enough for 3 points


@njit(cache=True, nogil=True)
def normal_cdf(x: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x * INV_SQRT2)


@njit(cache=True, nogil=True)
def owen_t(h: float, a: float) -> float:
    """Owen's T(h, a), to 1e-10.

    For |a| > 1 by identity 2.3: T(h, a) + T(ah, 1/a) = (Q(h) + Q(ah)) / 2 - Q(h) Q(ah), Q = 1 - Phi.
    """
    sign = 1.0
    if a < 0.0:
        sign, a = -1.0, -a
    h = abs(h)
    reach, slope = h, a
    if a > 1.0:
        reach, slope = a * h, 1.0 / a
    total = 0.0
    for k in range(10):
        x = slope * GAUSS_X[k]
        q = 1.0 + x * x
        total += GAUSS_W[k] * math.exp(-0.5 * reach * reach * q) / q
    total *= slope * INV_TWO_PI
    if a > 1.0:
        q_near, q_far = normal_cdf(-h), normal_cdf(-reach)
        total = 0.5 * (q_near + q_far) - q_near * q_far - total
    return sign * total


@njit(cache=True, nogil=True)
def edge_term(ax: float, ay: float, bx: float, by: float) -> float:
    """What the edge from a to b takes away from 1{inside}; whitened coordinates around the place.

    Positive where the edge is passed counter-clockwise as seen from the place.
    """
    dx, dy = bx - ax, by - ay
    length = math.sqrt(dx * dx + dy * dy)
    if length <= 0.0:
        return 0.0
    dx /= length
    dy /= length
    side = ax * dy - ay * dx
    distance = abs(side)
    ta, tb = ax * dx + ay * dy, bx * dx + by * dy
    gap = ta if ta > 0.0 else (-tb if tb < 0.0 else 0.0)
    nearest2 = distance * distance + gap * gap
    if nearest2 > REACH_SIGMAS * REACH_SIGMAS:
        return 0.0
    if length * length < SHORT_EDGE_RATIO * SHORT_EDGE_RATIO * nearest2 and length < 0.5:
        total = 0.0
        for k in range(3):
            t = ta + SHORT_X[k] * length
            r2 = distance * distance + t * t
            total += SHORT_W[k] * math.exp(-0.5 * r2) / r2
        return total * length * side * INV_TWO_PI
    if distance < 1e-12:
        distance = 1e-12
    total = owen_t(distance, tb / distance) - owen_t(distance, ta / distance)
    return total if side >= 0.0 else -total


class Covariance(NamedTuple):
    """Of a position, m^2; NaN if unknown."""

    ee: float
    en: float
    nn: float


class Margin(NamedTuple):
    """What P(inside) needs to know of the margin: unit vector to the nearest boundary point, east if there is none."""

    is_inside: bool
    distance_m: float
    normal_e: float
    normal_n: float


class Whitening(NamedTuple):
    """u = east * x, v = north * (y - shear * u) make the error circular with sigma 1."""

    east: float
    shear: float
    north: float


@njit(cache=True, nogil=True)
def whitening(covariance: Covariance) -> Whitening:
    """From the lower Cholesky factor, floored at a millimetre."""
    floor = MIN_SIGMA_M * MIN_SIGMA_M
    l11 = math.sqrt(max(covariance.ee, floor))
    l21 = covariance.en / l11
    l22 = math.sqrt(max(covariance.nn - l21 * l21, floor))
    return Whitening(1.0 / l11, l21, 1.0 / l22)


@njit(cache=True, nogil=True)
def is_possible(covariance: Covariance) -> bool:
    """Whether the values are finite and positive semidefinite: what is not is no covariance and is taken as unknown.

    A singular one is possible: all the error lies along a line, or there is none.
    """
    ee, en, nn = covariance
    if not (math.isfinite(ee) and math.isfinite(en) and math.isfinite(nn)) or ee < 0.0 or nn < 0.0:
        return False
    return en * en <= ee * nn * (1.0 + SINGULAR_ROUNDING)


@njit(cache=True, nogil=True)
def largest_sigma_m(covariance: Covariance) -> float:
    """Square root of the covariance's larger eigenvalue."""
    half = 0.5 * (covariance.ee - covariance.nn)
    root = math.sqrt(half * half + covariance.en * covariance.en)
    return math.sqrt(max(0.5 * (covariance.ee + covariance.nn) + root, 0.0))


@njit(cache=True, nogil=True)
def sigma_along_m(covariance: Covariance, unit_e: float, unit_n: float) -> float:
    """One sigma in a direction; NaN if the covariance is unknown."""
    mixed = 2.0 * unit_e * unit_n * covariance.en
    return math.sqrt(max(unit_e * unit_e * covariance.ee + mixed + unit_n * unit_n * covariance.nn, 0.0))


@njit(cache=True, nogil=True)
def settle(is_inside: bool, removed: float, distance_m: float, tolerance: float) -> float:
    """P as a probability, or NaN where the boundary is defective.

    Within a millimetre of the boundary rounding may put the place on the wrong side, which shifts
    P by exactly one: then the other side's value is the one that lies in [0, 1].
    """
    p = (1.0 if is_inside else 0.0) - removed
    if not -tolerance <= p <= 1.0 + tolerance and distance_m < ROUNDING_M:
        p = (0.0 if is_inside else 1.0) - removed
    if -tolerance <= p <= 1.0 + tolerance:
        return min(1.0, max(0.0, p))
    return math.nan


@njit(cache=True, nogil=True)
def removed_mass(
    frame: Frame, chunks: Chunks, near: Near, scale: Whitening, sx: float, sy: float, reach_m: float
) -> float:
    """The sum of the edges' terms for a place at (sx, sy) in the report's plane; chunks beyond reach_m are left out."""
    p = chunks.points_m
    total = 0.0
    for n in range(len(near.chunks)):
        if near.gaps_m[n] > reach_m:
            continue
        k = chunks.first[near.chunks[n]]
        x, y = project(frame, p[k, 0], p[k, 1], p[k, 2])
        ax = (x - sx) * scale.east
        ay = (y - sy - scale.shear * ax) * scale.north
        for _ in range(chunks.pieces[near.chunks[n]]):
            k += 1
            x, y = project(frame, p[k, 0], p[k, 1], p[k, 2])
            bx = (x - sx) * scale.east
            by = (y - sy - scale.shear * bx) * scale.north
            total += edge_term(ax, ay, bx, by)
            ax, ay = bx, by
    return total


@njit(cache=True, nogil=True)
def p_inside_bounds(
    frame: Frame, chunks: Chunks, near: Near, margin: Margin, covariance: Covariance, bias_m: float
) -> tuple[float, float, bool]:
    """Least and greatest P(inside) over the shifts that the bias bound allows, and whether the boundary is defective.

    The shifts tried are none, and the whole bound in eight directions, the first along the normal: outwards for a
    report inside. Less than the whole bound is not tried: P changes monotonically with a shift where the boundary
    is straight at the scale of the bound.

    Returns:
        NaN, NaN, False where the covariance is unknown or none, the bound unknown or negative, or where the error
        reaches beyond `RELEVANCE_M`.
    """
    if not is_possible(covariance) or not (math.isfinite(bias_m) and bias_m >= 0.0):
        return math.nan, math.nan, False
    sigma = max(largest_sigma_m(covariance), MIN_SIGMA_M)
    known_sigmas = (RELEVANCE_M - bias_m) / sigma
    if known_sigmas < MIN_KNOWN_SIGMAS:
        return math.nan, math.nan, False
    reach = REACH_SIGMAS * sigma + bias_m
    if margin.distance_m > min(reach, RELEVANCE_M):
        certain = 1.0 if margin.is_inside else 0.0
        return certain, certain, False
    tolerance = DUST + (
        2.0 * math.exp(-0.5 * known_sigmas * known_sigmas) if known_sigmas < REACH_SIGMAS else 0.0
    )
    scale = whitening(covariance)
    # on a vertex the angle that an edge subtends is undefined: step off it
    step = NUDGE_M if margin.distance_m < 0.1 * NUDGE_M else 0.0
    low, high = math.inf, -math.inf
    for k in range(COMPASS + 1 if bias_m > 0.0 else 1):
        sx, sy = 0.5 * step, 0.8 * step
        is_inside, distance = margin.is_inside, margin.distance_m
        if k > 0:
            turn = 2.0 * math.pi * (k - 1) / COMPASS
            sx += bias_m * (margin.normal_e * math.cos(turn) - margin.normal_n * math.sin(turn))
            sy += bias_m * (margin.normal_e * math.sin(turn) + margin.normal_n * math.cos(turn))
            is_inside = is_inside != is_crossed_oddly(frame, chunks, near, sx, sy)
            distance = 0.0
        removed = removed_mass(frame, chunks, near, scale, sx, sy, reach + 1.0)
        p = settle(is_inside, removed, distance, tolerance)
        if math.isnan(p):
            return math.nan, math.nan, True
        low, high = min(low, p), max(high, p)
    return low, high, False
