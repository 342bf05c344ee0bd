"""`airvigil demo`: two short stories and their reports."""

from __future__ import annotations

import argparse

from rich.console import Console

from airvigil.scenarios.demo import run_demo


def demo(options: argparse.Namespace) -> int:
    """`airvigil demo`"""
    run_demo(options.samples, options.out, Console())
    return 0
