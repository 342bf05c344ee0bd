"""Airvigil: was airspace infringed, how sure are we, and can a sceptic check it?

The package imports nothing heavy here, so that `airvigil --help` stays quick.
"""

__version__ = "0.1.0"
