"""`airvigil replay`: recordings or live feeds through the engine."""

from __future__ import annotations

import argparse

from airvigil.commands.judging import chosen_airspace, run_and_print
from airvigil.commands.settings_file import read_settings
from airvigil.drivers.inputs import InputOptions, check_start, open_input, read_merged
from airvigil.drivers.live import read_live
from airvigil.drivers.start_time import parse_start, parse_utc_offset
from airvigil.errors import ConfigError


def _input_options(options: argparse.Namespace) -> InputOptions:
    return InputOptions(
        format=options.format,
        sensor=options.sensor,
        sensor_kind=options.sensor_kind,
        start_ns=None if options.start is None else parse_start(options.start),
        name_utc_offset_s=None
        if options.name_utc_offset is None
        else parse_utc_offset(options.name_utc_offset),
        receiver=options.receiver,
    )


def replay(options: argparse.Namespace) -> int:
    """`airvigil replay INPUT...`"""
    settings = read_settings(options.settings)
    airspace = chosen_airspace(options, options.airspace or "", settings)
    input_options = _input_options(options)
    inputs = [open_input(spec, input_options) for spec in options.inputs]
    live = [each for each in inputs if each.is_live]
    if live and len(live) < len(inputs):
        raise ConfigError(
            "live sources and recordings cannot be read together", hint="replay them one after the other"
        )
    check_start(inputs, input_options)
    tables = read_live(inputs) if live else read_merged(inputs)
    receivers = {} if options.receiver is None else {each.sensor: options.receiver for each in inputs}
    return run_and_print(options, tables, airspace, settings, inputs=inputs, receivers=receivers)
