"""Feeds: bytes in, report rows out, one wire format a file.

A feed turns the bytes of one source, in chunks of any size, into rows of
`airvigil.reports.REPORT_SCHEMA`. It opens nothing, reads no clock and decides nothing about
infringement; drivers bring the bytes and the time at which they came.
"""
