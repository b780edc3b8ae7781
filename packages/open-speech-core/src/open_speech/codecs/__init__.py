"""Decode, resample and encode audio files; needs ``open-speech-core[audio]``.

Everything here is synchronous, streams in bounded memory, and is meant for threads of the
server's process: PyAV and soxr release the GIL while they work.
"""
