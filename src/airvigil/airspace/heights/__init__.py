"""Heights and what turns one reference into another: pressure, geoid, terrain, each with its error."""
