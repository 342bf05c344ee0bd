"""What each command does: choose airspace and settings, run, print. One module a group of commands; the parsing is in `cli`.

Rules
- A module here imports at its top what every command in it needs. What only one way through a command needs, and
  what takes long to import, is imported where that way begins: the writer of reports where a folder is to be
  written, the checks of volumes where volumes are checked. So a short replay starts fast.
- Nothing is imported here: `cli` imports the one module that it runs.
"""
