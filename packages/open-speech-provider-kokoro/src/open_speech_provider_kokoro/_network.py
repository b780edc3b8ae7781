"""Kokoro's network in two halves, over the modules of the ``kokoro`` package; imports torch.

The first half says how long each symbol sounds, the second makes sound of symbols that were
repeated so often. What lies between is plain indexing. Split there, the durations come out, the
noise can be given from outside, and both halves can be written down as ONNX graphs
(``tools/export_graphs.py``). Batches are of one, so the masks and packing of the original are
left out: nothing is ever padded.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from kokoro.istftnet import Decoder
from kokoro.modules import CustomAlbert, ProsodyPredictor, TextEncoder
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import remove_weight_norm
from transformers import AlbertConfig

SAMPLE_RATE = 24_000
HARMONICS = 9
"""The base note and eight overtones (``harmonic_num`` of the original's ``Generator``)."""
_SINE, _NOISE, _VOICED_HZ = 0.1, 0.003, 10.0
"""Amplitudes of the tone and of the noise on it, and from where on there is a tone."""
_FFT, _HOP = 20, 5


class Parts(nn.Module):  # type: ignore[misc]
    """The modules that the weights belong to, by the names that the weights have."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of weight_norm, which goes at once
            self._build(config)
        for module in self.modules():
            if hasattr(module, "weight_g"):
                remove_weight_norm(module)

    def _build(self, config: Mapping[str, Any]) -> None:
        albert = AlbertConfig(vocab_size=config["n_token"], **config["plbert"])
        self.bert = CustomAlbert(albert)
        self.bert_encoder = nn.Linear(albert.hidden_size, config["hidden_dim"])
        self.predictor = ProsodyPredictor(
            style_dim=config["style_dim"],
            d_hid=config["hidden_dim"],
            nlayers=config["n_layer"],
            max_dur=config["max_dur"],
            dropout=config["dropout"],
        )
        self.text_encoder = TextEncoder(
            channels=config["hidden_dim"],
            kernel_size=config["text_encoder_kernel_size"],
            depth=config["n_layer"],
            n_symbols=config["n_token"],
        )
        self.decoder = Decoder(
            dim_in=config["hidden_dim"],
            style_dim=config["style_dim"],
            dim_out=config["n_mels"],
            **config["istftnet"],
        )


class Pace(nn.Module):  # type: ignore[misc]
    """From symbols to how long each sounds, and to what the second half needs of them."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.bert, self.bert_encoder = parts.bert, parts.bert_encoder
        self.predictor, self.text_encoder = parts.predictor, parts.text_encoder

    def forward(self, symbols: Tensor, style: Tensor, speed: Tensor) -> tuple[Tensor, ...]:
        """Symbols ``(1, n)`` int64, style ``(1, 256)``, speed ``(1,)``.

        Returns frames per symbol ``(n,)`` int64 (40 frames a second), and features of the
        symbols ``(1, 640, n)`` and ``(1, 512, n)``.
        """
        manner = style[:, 128:]
        prosody = self._prosody(self.bert_encoder(self.bert(symbols)), manner)
        seconds = torch.sigmoid(self.predictor.duration_proj(self.predictor.lstm(prosody)[0]))
        frames = torch.round(seconds.sum(dim=-1) / speed).clamp(min=1).long()[0]
        return frames, prosody.transpose(1, 2), self._symbols(symbols)

    def _prosody(self, features: Tensor, manner: Tensor) -> Tensor:
        spread = manner[:, None].expand(1, features.shape[1], manner.shape[1])
        x = torch.cat([features, spread], dim=2)
        for block in self.predictor.text_encoder.lstms:
            if isinstance(block, nn.LSTM):
                x = block(x)[0]
            else:
                shaped = block(x, manner)
                x = torch.cat([shaped, spread], dim=2)
        return x

    def _symbols(self, symbols: Tensor) -> Tensor:
        x = self.text_encoder.embedding(symbols).transpose(1, 2)
        for block in self.text_encoder.cnn:
            x = block(x)
        return self.text_encoder.lstm(x.transpose(1, 2))[0].transpose(1, 2)


class Sound(nn.Module):  # type: ignore[misc]
    """From symbols, each repeated for as long as it sounds, to samples."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.predictor, self.decoder = parts.predictor, parts.decoder
        generator = self.decoder.generator
        frame = math.prod(up.stride[0] for up in generator.ups) * _HOP
        self.source = Source(generator.m_source.l_linear, frame)
        # In place of a random source, and of a Fourier transform that cannot be written down.
        generator.m_source, generator.stft = self.source, Fourier()
        generator.f0_upsamp = nn.Identity()

    def forward(self, prosody: Tensor, symbols: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """Features ``(1, 640, f)`` and ``(1, 512, f)``, style ``(1, 256)``, noise ``(1, 600 f)``.

        The noise is of the normal distribution. Returns samples ``(600 f,)``.
        """
        notes, energy = self.predictor.F0Ntrain(prosody, style[:, 128:])
        self.source.noise = noise
        samples: Tensor = self.decoder(symbols, notes, energy, style[:, :128])
        return samples[0, 0]


class Source(nn.Module):  # type: ignore[misc]
    """What the vocal cords do: a note with its overtones where there is one, and noise.

    As the original's ``SourceModuleHnNSF``, with three differences that cannot be heard. The
    noise of the nine harmonics is drawn as one, since a sum of normal numbers is one. The random
    phases at the start are left out: the original adds them to a value that its interpolation
    never reads. And phases are summed up in double precision, modulo one turn: in single
    precision those of a long sentence are off by a tenth of a turn and more, differently on
    every machine.
    """

    noise: Tensor

    def __init__(self, merge: nn.Linear, frame: int) -> None:
        super().__init__()
        self.l_linear, self.frame = merge, frame
        within = (np.arange(frame) + 0.5) / frame - 0.5  # from the middle of a frame, in frames
        before, after = np.minimum(within, 0) * frame, np.maximum(within, 0) * frame
        self.register_buffer("before", torch.tensor(before, dtype=torch.float32), persistent=False)
        self.register_buffer("after", torch.tensor(after, dtype=torch.float32), persistent=False)
        numbers = torch.arange(1, HARMONICS + 1, dtype=torch.float32)
        self.register_buffer("numbers", numbers, persistent=False)

    def forward(self, notes: Tensor) -> tuple[Tensor, None, None]:
        """Hertz per frame ``(1, f, 1)``, 0 where there is no note; returns ``(1, n, 1)``."""
        voiced = (notes > _VOICED_HZ).float()  # (1, f, 1)
        turns = (notes * self.numbers / SAMPLE_RATE) % 1  # (1, f, 9), per sample
        sums = torch.cumsum(turns.double(), dim=1) * self.frame
        middle = (sums - torch.floor(sums)).float()
        left = functional.pad(turns[:, 1:], (0, 0, 1, 0))
        right = functional.pad(turns[:, 1:], (0, 0, 0, 1))
        # From middle to middle in a straight line, as the original interpolates.
        inner = left[..., None] * self.before + right[..., None] * self.after  # (1, f, 9, frame)
        tones = torch.sin((middle[..., None] + inner) * (2 * math.pi)) * _SINE
        tone = (tones.transpose(2, 3) * voiced[..., None]) @ self.l_linear.weight[0]
        scale = voiced * _NOISE + (1 - voiced) * (_SINE / 3)
        noise = self.noise.reshape(1, -1, self.frame) * scale
        noise = noise * torch.sqrt(torch.sum(self.l_linear.weight**2))
        merged = torch.tanh((tone + noise).reshape(1, -1, 1) + self.l_linear.bias)
        return merged, None, None


class Fourier(nn.Module):  # type: ignore[misc]
    """The short-time Fourier transform and its inverse, as convolutions.

    Equal to ``torch.stft`` and ``torch.istft`` with a Hann window, centred.
    """

    def __init__(self) -> None:
        super().__init__()
        angles = 2 * np.pi * np.outer(np.arange(_FFT // 2 + 1), np.arange(_FFT)) / _FFT
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)
        real, imaginary = np.cos(angles), -np.sin(angles)
        imaginary[[0, -1]] = 0  # exactly, for the sign of a zero decides over half a turn
        weights = np.full((_FFT // 2 + 1, 1), 2.0) / _FFT
        weights[[0, -1]] /= 2
        self._keep("real", real * window)
        self._keep("imaginary", imaginary * window)
        self._keep("back_real", real * weights * window)
        self._keep("back_imaginary", imaginary * weights * window)
        self._keep("overlap", (window**2)[None])

    def _keep(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(
            name, torch.tensor(values, dtype=torch.float32)[:, None], persistent=False
        )

    def transform(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Magnitudes and angles ``(1, 11, f)`` of samples ``(1, n)``."""
        padded = functional.pad(samples[:, None], (_FFT // 2, _FFT // 2), mode="reflect")
        real = functional.conv1d(padded, self.real, stride=_HOP)
        imaginary = functional.conv1d(padded, self.imaginary, stride=_HOP)
        level = (imaginary == 0).float()
        half_turn = (real < 0).float() * math.pi
        angle = level * half_turn + (1 - level) * torch.atan2(imaginary + level, real)
        return torch.sqrt(real**2 + imaginary**2), angle

    def inverse(self, magnitude: Tensor, angle: Tensor) -> Tensor:
        """Samples ``(1, 1, n)`` of magnitudes and angles ``(1, 11, f)``."""
        whole = functional.conv_transpose1d(
            magnitude * torch.cos(angle), self.back_real, stride=_HOP
        ) + functional.conv_transpose1d(
            magnitude * torch.sin(angle), self.back_imaginary, stride=_HOP
        )
        times = functional.conv_transpose1d(
            torch.ones_like(magnitude[:, :1]), self.overlap, stride=_HOP
        )
        cut = _FFT // 2
        return whole[:, :, cut:-cut] / times[:, :, cut:-cut]
