"""Turn prepared text into continuous speech, whatever the engine."""
