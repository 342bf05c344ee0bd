"""`airvigil scenario ...`: reconstructions of published cases, listed and run."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from airvigil.commands.judging import chosen_airspace, run_and_print
from airvigil.commands.settings_file import read_settings
from airvigil.drivers.inputs import InputOptions, open_input
from airvigil.reports import concat_reports
from airvigil.scenarios import catalogue
from airvigil.scenarios.background import with_background
from airvigil.scenarios.generator import generate


def scenario_list(options: argparse.Namespace) -> int:
    """`airvigil scenario list`"""
    table = Table("Name", "What", "Kind", "Airspace", box=None, header_style="bold")
    for scenario in catalogue.list_scenarios():
        table.add_row(scenario.name, scenario.title, scenario.label, ",".join(scenario.airspace))
    Console().print(table)
    return 0


def scenario_run(options: argparse.Namespace) -> int:
    """`airvigil scenario run NAME`"""
    settings = read_settings(options.settings)
    scenario = catalogue.get(options.name)
    airspace = chosen_airspace(options, options.airspace or ",".join(scenario.airspace), settings)
    table = generate(scenario)
    inputs = [open_input(spec, InputOptions()) for spec in options.background]
    for each in inputs:
        table = with_background(table, concat_reports(list(each)))
    title = f"{scenario.title} ({scenario.label})"
    return run_and_print(
        options, iter([table]), airspace, settings, inputs=inputs, title=title, is_reconstruction=True
    )
