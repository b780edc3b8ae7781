"""The sound formats that speech is sent in, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from open_speech.errors import InvalidRequest

_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_AAC_RATES = (*_MP3_RATES, 64_000, 88_200, 96_000)
_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write mono speech down. All of them can be sent while speech is being made."""

    name: str
    """What a request calls it."""
    media_type: str
    """For ``Content-Type``."""
    sample_rates: tuple[int, ...] = ()
    """The rates it can be written at, ascending; empty for any."""
    default_sample_rate: int | None = None
    """The rate unless one is asked for; None for the engine's own, or the next one above."""
    streamable: bool = True
    """Whether the first bytes are of use before the last ones exist."""
    delay: int = 0
    """Samples of silence that decoders leave in front, because the format cannot tell them to
    drop what the encoder needs to get going."""
    frame: int = 1
    """Samples that are encoded together; the end is filled up to a multiple of them."""
    muxer: str = ""
    """libav's name of the container; empty where no libav is needed."""
    codec: str = ""
    """libav's name of the encoder."""
    sample_format: str = ""
    """libav's name of what the encoder takes."""
    bit_rate: int = 0
    """Bits per second, 0 if that is not to be chosen."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the container."""

    def sample_rate_for(self, sample_rate: int) -> int:
        """The rate itself if it can be written, else the next above it, else the highest."""
        if not self.sample_rates:
            return sample_rate
        above = [rate for rate in self.sample_rates if rate >= sample_rate]
        return above[0] if above else self.sample_rates[-1]


_ALL = (
    Format(
        name="mp3",
        media_type="audio/mpeg",
        sample_rates=_MP3_RATES,
        delay=1105,  # 576 of the encoder, 529 of any decoder
        frame=1152,
        muxer="mp3",
        codec="libmp3lame",
        sample_format="fltp",
        bit_rate=96_000,
        options={"write_xing": "0", "id3v2_version": "0"},
    ),
    Format(
        name="opus",
        media_type="audio/ogg",
        sample_rates=_OPUS_RATES,
        frame=960,
        muxer="ogg",
        codec="libopus",
        sample_format="flt",
        bit_rate=48_000,
        options={"page_duration": "100000"},  # microseconds; a page is sent when it is full
    ),
    Format(
        name="aac",
        media_type="audio/aac",
        sample_rates=_AAC_RATES,
        delay=1024,
        frame=1024,
        muxer="adts",
        codec="aac",
        sample_format="fltp",
        bit_rate=128_000,
    ),
    Format(
        name="flac",
        media_type="audio/flac",
        muxer="flac",
        codec="flac",
        sample_format="s16",
        options={"metadata_header_padding": "0"},
    ),
    Format(name="wav", media_type="audio/wav"),
    Format(name="pcm", media_type="audio/pcm", default_sample_rate=24_000),
    Format(
        name="m4a",
        media_type="audio/mp4",
        sample_rates=_AAC_RATES,
        frame=1024,
        muxer="ipod",
        codec="aac",
        sample_format="fltp",
        bit_rate=128_000,
        # Fragments need no index at the end; the header waits for the first one, as only then it
        # can carry the edit list that has decoders drop the encoder's delay.
        options={
            "movflags": "empty_moov+delay_moov+default_base_moof",
            "frag_duration": "200000",  # microseconds
        },
    ),
)

FORMATS: Mapping[str, Format] = MappingProxyType({one.name: one for one in _ALL})
"""Every format that speech can be written in, by name."""


def find_format(name: str) -> Format:
    """Look a format up.

    Raises:
        InvalidRequest: there is none of that name.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise InvalidRequest(
            f"There is no audio format {name!r}.", hint=f"Ask for one of {', '.join(FORMATS)}."
        ) from None
