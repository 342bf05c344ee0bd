"""The probability that the true place lies inside a volume, exact for polygons.

The position error is a two-dimensional normal with any covariance. Whitening (x -> L^-1 x with
C = L L^T) makes it circular; then in polar coordinates around the reported place

    P = 1{inside} - sum over edges of (1 / 2 pi) * integral of exp(-r(theta)^2 / 2) d theta,

where each edge's integral over the angle that it subtends is a difference of two values of Owen's
T function, signed by the side on which the place lies. No quadrature over the area and no
assumption that the boundary is straight: Phi(d / sigma) is the special case of one long edge.
Edges further than 6 sigma contribute less than exp(-18) = 1.5e-8 together and are left out.
An artificial cut is run through twice in opposite directions and cancels.

A systematic error of which only a bound is known shifts the whole distribution: P is then given as the least and the
greatest over all shifts within the bound, found by looking along rings and then ever more closely.

The edges come as *segments*, whitened and relative to the reported place, from whichever plane they were found in.

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

from airvigil.airspace.index.grid import RELEVANCE_M, Floats
from airvigil.airspace.index.segments import is_crossed

REACH_SIGMAS = 6.0  # edges beyond are left out: exp(-6^2 / 2) = 1.5e-8
MIN_SIGMA_M = 1e-3  # a covariance is never taken to be better than a millimetre
MIN_KNOWN_SIGMAS = 5.0  # P is given if the boundary is known this far out: what lies beyond is at most 4e-6
DUST = 1e-7  # how far outside [0, 1] rounding and left-out edges can take P
ROUNDING_M = 1e-3  # nearer to the boundary than this, rounding may decide the side
SINGULAR_ROUNDING = 1e-12  # relative: a singular covariance may be off by its last digits
NUDGE_M = 1e-6  # a place on a vertex is moved by this
MAX_RINGS = 12  # of shifts that a bounded bias is tried with
RING_SHIFTS = 6  # on the first ring, and as many more on every further one
CLOSE_SIGMAS = 0.005  # P changes by less than 1e-5 around its greatest value
SURE = 1e-5  # nearer to 0 or 1 than this, a better shift is not looked for
UNKNOWN, CERTAIN, CLOSE = range(3)  # P cannot be said; is 0 or 1; depends on the edges

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


@njit(cache=True, nogil=True, error_model="numpy")
def normal_cdf(x: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x * INV_SQRT2)


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
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


class Whitening(NamedTuple):
    """u = east * x, v = north * (y - shear * u) make the error circular with sigma 1."""

    east: float
    shear: float
    north: float


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def whitening(covariance: Covariance) -> Whitening:
    """From the lower Cholesky factor, floored at a millimetre."""
    floor = MIN_SIGMA_M * MIN_SIGMA_M
    l11 = math.sqrt(max(covariance.ee, floor))
    l21 = covariance.en / l11
    l22 = math.sqrt(max(covariance.nn - l21 * l21, floor))
    return Whitening(1.0 / l11, l21, 1.0 / l22)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def stretch_of(scale: Whitening) -> float:
    """How many sigmas a metre can be, at most."""
    return scale.east + scale.north * (1.0 + abs(scale.shear) * scale.east)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def is_possible(covariance: Covariance) -> bool:
    """Whether the values are finite and positive semidefinite: what is not is no covariance and is taken as unknown.

    A singular one is possible: all the error lies along a line, or there is none.
    """
    ee, en, nn = covariance
    if not (math.isfinite(ee) and math.isfinite(en) and math.isfinite(nn)) or ee < 0.0 or nn < 0.0:
        return False
    return en * en <= ee * nn * (1.0 + SINGULAR_ROUNDING)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def largest_variance_m2(covariance: Covariance) -> float:
    """The covariance's larger eigenvalue; NaN if it is unknown."""
    half = 0.5 * (covariance.ee - covariance.nn)
    root = math.sqrt(half * half + covariance.en * covariance.en)
    return 0.5 * (covariance.ee + covariance.nn) + root


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def sigma_along_m(covariance: Covariance, unit_e: float, unit_n: float) -> float:
    """One sigma in a direction; NaN if the covariance is unknown."""
    mixed = 2.0 * unit_e * unit_n * covariance.en
    return math.sqrt(max(unit_e * unit_e * covariance.ee + mixed + unit_n * unit_n * covariance.nn, 0.0))


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def how_far_out(sigma_m: float, bias_m: float, distance_m: float) -> tuple[int, float]:
    """Whether P depends on the edges, and how far from the place (m) they are to be known.

    Args:
        sigma_m: the largest of all directions, NaN if unknown.
        bias_m: bound of the systematic error; what is not finite or negative is unknown.
        distance_m: to the nearest boundary point; inf if there is none within the relevance limit.
    """
    if not (math.isfinite(sigma_m) and math.isfinite(bias_m) and bias_m >= 0.0):
        return UNKNOWN, math.nan
    sigma = max(sigma_m, MIN_SIGMA_M)
    if (RELEVANCE_M - bias_m) / sigma < MIN_KNOWN_SIGMAS:
        return UNKNOWN, math.nan
    reach = REACH_SIGMAS * sigma + bias_m
    return CERTAIN if distance_m > min(reach, RELEVANCE_M) else CLOSE, reach


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def is_within(ax: float, ay: float, bx: float, by: float, reach: float) -> bool:
    """Whether an edge can come nearer to the origin than reach, by its bounding box."""
    return min(ax, bx) <= reach and max(ax, bx) >= -reach and min(ay, by) <= reach and max(ay, by) >= -reach


class Asked(NamedTuple):
    """What P is asked of: the segments in use, the side that the place is on, its distance, how far P may stray."""

    edges: int
    is_inside: bool
    distance_m: float
    tolerance: float


@njit(cache=True, nogil=True, error_model="numpy")
def p_shifted(segments: Floats, asked: Asked, u: float, v: float) -> float:
    """P(inside) for a place shifted by (u, v) in whitened coordinates; NaN where the boundary is defective."""
    removed = 0.0
    is_inside = asked.is_inside
    is_moved = u != 0.0 or v != 0.0
    for k in range(asked.edges):
        ax, ay, bx, by = segments[k, 0], segments[k, 1], segments[k, 2], segments[k, 3]
        if is_moved and is_crossed(0.0, 0.0, u, v, ax, ay, bx, by):
            is_inside = not is_inside
        removed += edge_term(ax - u, ay - v, bx - u, by - v)
    return settle(is_inside, removed, 0.0 if is_moved else asked.distance_m, asked.tolerance)


@njit(cache=True, nogil=True, error_model="numpy")
def p_at(segments: Floats, asked: Asked, scale: Whitening, east_m: float, north_m: float) -> float:
    """P(inside) for a place shifted by metres east and north."""
    u = scale.east * east_m
    return p_shifted(segments, asked, u, scale.north * (north_m - scale.shear * u))


@njit(cache=True, nogil=True, error_model="numpy")
def p_inside_bounds(
    segments: Floats,
    count: int,
    is_inside: bool,
    distance_m: float,
    scale: Whitening,
    sigma_m: float,
    bias_m: float,
) -> tuple[float, float, bool]:
    """Least and greatest P(inside) over the shifts that the bias bound allows, and whether the boundary is defective.

    Args:
        segments: (k, 4) of which `count` are used: all edges within 6 sigma and the bound.
        is_inside, distance_m: of the place as reported.
        sigma_m: the largest of all directions.
    """
    known_sigmas = (RELEVANCE_M - bias_m) / max(sigma_m, MIN_SIGMA_M)
    tolerance = DUST + (
        2.0 * math.exp(-0.5 * known_sigmas * known_sigmas) if known_sigmas < REACH_SIGMAS else 0.0
    )
    asked = Asked(count, is_inside, distance_m, tolerance)
    # on a vertex the angle that an edge subtends is undefined: step off it
    step = NUDGE_M if distance_m < 0.1 * NUDGE_M else 0.0
    p = p_at(segments, asked, scale, 0.5 * step, 0.8 * step)
    if math.isnan(p) or bias_m == 0.0:
        return p, p, math.isnan(p)
    sigma = 1.0 / max(scale.east, scale.north)
    low, low_e, low_n, high, high_e, high_n, is_defective = _look_along_rings(
        segments, asked, scale, p, sigma, bias_m
    )
    if is_defective:
        return math.nan, math.nan, True
    if low > SURE:
        low = _look_closer(segments, asked, scale, low, low_e, low_n, sigma, bias_m, -1.0)
    if high < 1.0 - SURE:
        high = _look_closer(segments, asked, scale, high, high_e, high_n, sigma, bias_m, 1.0)
    return low, high, False


@njit(cache=True, nogil=True, error_model="numpy")
def rings_of_shifts(sigma_m: float, bias_m: float) -> int:
    """How many rings are looked along: no further apart than a sigma if that is to be had."""
    return int(min(MAX_RINGS, max(2.0, math.ceil(bias_m / sigma_m))))


@njit(cache=True, nogil=True, error_model="numpy")
def _look_along_rings(
    segments: Floats, asked: Asked, scale: Whitening, p: float, sigma_m: float, bias_m: float
) -> tuple[float, float, float, float, float, float, bool]:
    """Least and greatest P with their shifts, from the outermost ring inwards, until both are beyond doubt."""
    low, low_e, low_n = p, 0.0, 0.0
    high, high_e, high_n = p, 0.0, 0.0
    rings = rings_of_shifts(sigma_m, bias_m)
    for ring in range(rings, 0, -1):
        radius = bias_m * ring / rings
        shifts = RING_SHIFTS * (ring + 1)
        for k in range(shifts):
            turn = 2.0 * math.pi * k / shifts
            e, n = radius * math.cos(turn), radius * math.sin(turn)
            p = p_at(segments, asked, scale, e, n)
            if math.isnan(p):
                return low, low_e, low_n, high, high_e, high_n, True
            if p < low:
                low, low_e, low_n = p, e, n
            if p > high:
                high, high_e, high_n = p, e, n
        if low <= SURE and high >= 1.0 - SURE:
            break
    return low, low_e, low_n, high, high_e, high_n, False


@njit(cache=True, nogil=True, error_model="numpy")
def _look_closer(
    segments: Floats,
    asked: Asked,
    scale: Whitening,
    best: float,
    best_e: float,
    best_n: float,
    sigma_m: float,
    bias_m: float,
    sign: float,
) -> float:
    """The best P around a shift, by steps in eight directions that are halved when none helps; shifts beyond the bound are cut to it."""
    step = bias_m / rings_of_shifts(sigma_m, bias_m)
    while step > CLOSE_SIGMAS * sigma_m:
        is_better = False
        from_e, from_n = best_e, best_n
        for k in range(8):
            turn = 0.25 * math.pi * k
            e, n = from_e + step * math.cos(turn), from_n + step * math.sin(turn)
            length = math.sqrt(e * e + n * n)
            if length > bias_m:
                e, n = e * bias_m / length, n * bias_m / length
            p = p_at(segments, asked, scale, e, n)
            if sign * (p - best) > 0.0:
                best, best_e, best_n, is_better = p, e, n, True
        if not is_better:
            step *= 0.5
    return best
