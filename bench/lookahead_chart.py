"""The chart of bench/lookahead.py: warning time against nuisance alerts, what each threshold does, and whether P is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = ("#9fc3dd", "#5f9cc5", "#1f5f8b", "#0d2f4a", "#c8873c")
ACCENT = "#b3361e"
Row = dict[str, Any]


def _curve(chart: Any, rows: list[Row], label: str, colour: str) -> None:
    """Median (solid) and 10th percentile (dashed) warning time along the sweep of raise_p."""
    x = [row["nuisance_per_hour"] for row in rows]
    chart.plot(x, [row["warning_median_s"] for row in rows], "o-", ms=3.5, lw=1.5, color=colour, label=label)
    chart.plot(x, [row["warning_p10_s"] for row in rows], "s--", ms=2.5, lw=1.0, color=colour)


def _finish(chart: Any, title: str) -> None:
    chart.set_title(title, loc="left", fontsize=10)
    chart.set_xlabel("nuisance alerts an hour of flight")
    chart.set_ylabel("warning time, s")
    chart.set_xlim(left=0.0)
    chart.set_ylim(bottom=0.0)
    chart.grid(True, alpha=0.25)


def _m_of_n(chart: Any, found: Row) -> None:
    kinds = sorted({(row["m"], row["n"]) for row in found["m_of_n"]}, key=lambda mn: (mn[1], mn[0]))
    for colour, (m, n) in zip(COLOURS, kinds, strict=True):
        rows = [row for row in found["m_of_n"] if (row["m"], row["n"]) == (m, n)]
        _curve(chart, rows, f"{m} of {n}", colour)
    chosen = found["chosen"]
    for name in ("warning_median_s", "warning_p10_s"):
        chart.plot(chosen["nuisance_per_hour"], chosen[name], "o", ms=10, mfc="none", mec=ACCENT, mew=1.8)
    chart.annotate(
        f"default: P ≥ {chosen['raise_p']:g}, {chosen['m']} of {chosen['n']}",
        (chosen["nuisance_per_hour"], chosen["warning_median_s"]),
        textcoords="offset points",
        xytext=(14, -34),
        color=ACCENT,
        fontsize=9,
    )
    _finish(chart, f"M of N evaluations, look-ahead {chosen['lookahead_s']:.0f} s")
    chart.legend(
        title="solid: median; dashed: 10th percentile", fontsize=8, title_fontsize=8, loc="lower right"
    )


def _lookahead(chart: Any, found: Row) -> None:
    chosen = found["chosen"]
    for colour, horizon in zip(
        COLOURS, sorted({row["lookahead_s"] for row in found["lookahead"]}), strict=False
    ):
        rows = [row for row in found["lookahead"] if row["lookahead_s"] == horizon]
        _curve(chart, rows, f"{horizon:.0f} s", colour)
        mark = next(row for row in rows if row["raise_p"] == chosen["raise_p"])
        chart.plot(mark["nuisance_per_hour"], mark["warning_median_s"], "o", ms=9, mfc="none", mec=ACCENT)
    _finish(chart, f"look-ahead time, {chosen['m']} of {chosen['n']} (ring: P ≥ {chosen['raise_p']:g})")
    chart.set_ylim(0.0, 190.0)
    chart.legend(title="look-ahead", fontsize=8, title_fontsize=8, loc="upper right", ncols=4)


def _threshold(chart: Any, found: Row) -> None:
    chosen = found["chosen"]
    rows = [row for row in found["m_of_n"] if (row["m"], row["n"]) == (chosen["m"], chosen["n"])]
    x = [row["raise_p"] for row in rows]
    for name, label, colour in (
        ("nuisance_share", "alerts that are nuisance", COLOURS[2]),
        ("missed_share", "entries missed", ACCENT),
        ("late_share", "entries warned of less than 30 s before", COLOURS[4]),
    ):
        share = {
            "nuisance_share": [row["nuisance_share"] for row in rows],
            "missed_share": [row["missed"] / row["entries"] for row in rows],
            "late_share": [row["late"] / row["entries"] for row in rows],
        }[name]
        chart.plot(x, [100.0 * s for s in share], "o-", ms=3.5, color=colour, label=label)
    chart.axvline(chosen["raise_p"], color=ACCENT, lw=1.0, ls=":")
    chart.set_title(f"what the threshold does, {chosen['m']} of {chosen['n']}", loc="left", fontsize=10)
    chart.set_xlabel("raise_p: P(entry) from which an evaluation speaks for an alert")
    chart.set_ylabel("share, %")
    chart.set_ylim(bottom=0.0)
    chart.grid(True, alpha=0.25)
    chart.legend(fontsize=8)


def _calibration(chart: Any, found: Row) -> None:
    chart.plot([0, 1], [0, 1], color="#888888", lw=1.0, ls=":")
    chosen = f"{found['chosen']['turn_sigma_deg']}"
    for colour, (turn, bins) in zip(COLOURS, found["calibration"].items(), strict=True):
        style = {"lw": 2.2, "color": ACCENT, "zorder": 5} if turn == chosen else {"lw": 1.0, "color": colour}
        chart.plot(
            [b["predicted"] for b in bins],
            [b["observed"] for b in bins],
            "o-",
            ms=3.5,
            label=f"{float(turn):g}° (Brier score {bins[0]['brier']:.4f})",
            **style,
        )
    chart.set_title("is P what it says? by turn allowance", loc="left", fontsize=10)
    chart.set_xlabel("predicted P(entry)")
    chart.set_ylabel("share of evaluations followed by entry")
    chart.grid(True, alpha=0.25)
    chart.legend(fontsize=8)


def draw(found: Row, path: Path) -> None:
    """All four on one page."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "airvigil"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 8.4), constrained_layout=True)
    for chart, drawn in zip(axes.ravel(), (_m_of_n, _lookahead, _threshold, _calibration), strict=True):
        drawn(chart, found)
    chosen = found["chosen"]
    figure.suptitle(
        f"Predicted entry: {chosen['entries']} ordinary crossings by civil traffic, {found['flight_hours']:.0f} hours of flight, "
        f"{found['evaluations']:,} evaluations.\nNobody here infringed anything: permission is required of everybody only to test the "
        "prediction. Along each curve raise_p goes from 0.2 (right) to 0.95 (left).\nSource: Helsinki recordings of 2026-01-06/07, "
        "python bench/lookahead.py, figures in bench/lookahead.json",
        fontsize=9,
        x=0.01,
        ha="left",
    )
    figure.savefig(path, metadata={"Date": None})
