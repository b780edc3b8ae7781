"""Transcripts of recordings of any length, cues and subtitles."""
