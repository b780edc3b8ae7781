"""Who speaks: diarization and speaker embeddings."""
