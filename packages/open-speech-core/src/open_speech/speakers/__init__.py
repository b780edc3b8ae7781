"""Who speaks in a recording: turns, names, and whose words are whose."""
