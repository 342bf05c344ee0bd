"""Published cases, one file each: what is published, with sources; what is assumed; what must come out.

No list of track coordinates was published for any of them. Every track is a reconstruction that
fits the published numbers, and says so wherever it is shown.
"""
