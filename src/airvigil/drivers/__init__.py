"""Drivers: files, sockets and clocks on one side, the pure rooms on the other.

A driver moves data and decides nothing. Everything that opens, waits, retries or looks at a clock
is here or in the command line.
"""
