"""Whose voice a recording is, as one vector: ECAPA-TDNN (https://arxiv.org/abs/2005.07143)."""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

import torch
from torch import nn

from .configuration import SpeakerEncoder as Sizes
from .mel import log_mel
from .weights import Tensor

_LEAST_VARIANCE = 1e-12


class SpeakerEncoder(nn.Module):
    """Makes a vector of a recording."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        channels, kernels, dilations = (
            sizes.enc_channels,
            sizes.enc_kernel_sizes,
            sizes.enc_dilations,
        )
        self._bands = sizes.mel_dim
        middle = zip(channels, channels[1:-1], kernels[1:], dilations[1:], strict=False)
        self.blocks = nn.ModuleList(
            [
                TimeDelay(sizes.mel_dim, channels[0], kernels[0], dilations[0]),
                *(SqueezeRes2Net(*block, sizes) for block in middle),
            ]
        )
        self.mfa = TimeDelay(sum(channels[1:-1]), channels[-1], kernels[-1], dilations[-1])
        self.asp = AttentivePooling(channels[-1], sizes.enc_attention_channels)
        self.fc = nn.Conv1d(2 * channels[-1], sizes.enc_dim, 1)

    def forward(self, samples: Tensor) -> Tensor:
        """From ``(n,)`` at 24 kHz to ``(enc_dim,)``."""
        x = log_mel(samples.float(), self._bands).T[None].to(self.fc.weight.dtype)
        levels = []
        for block in self.blocks:
            x = block(x)
            levels.append(x)
        x = self.mfa(torch.cat(levels[1:], dim=1))
        return self.fc(self.asp(x))[0, :, 0]


class TimeDelay(nn.Module):
    """A convolution that keeps the length, the edges mirrored, and no negative results."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            inputs, outputs, kernel, dilation=dilation, padding="same", padding_mode="reflect"
        )

    def forward(self, x: Tensor) -> Tensor:
        """From ``(1, inputs, n)`` to ``(1, outputs, n)``."""
        return self.conv(x).relu()


class SqueezeRes2Net(nn.Module):
    """Channels in groups, each of which hears what the one before it made; then weighted."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, sizes: Sizes) -> None:
        super().__init__()
        self.tdnn1 = TimeDelay(inputs, outputs, 1, 1)
        self.res2net_block = Res2Net(outputs, kernel, dilation, sizes.enc_res2net_scale)
        self.tdnn2 = TimeDelay(outputs, outputs, 1, 1)
        self.se_block = Squeeze(outputs, sizes.enc_se_channels)

    def forward(self, x: Tensor) -> Tensor:
        """From ``(1, inputs, n)`` to ``(1, outputs, n)``."""
        return x + self.se_block(self.tdnn2(self.res2net_block(self.tdnn1(x))))


class Res2Net(nn.Module):
    """Groups of channels, each of which also hears what the one before it made."""

    def __init__(self, size: int, kernel: int, dilation: int, scale: int) -> None:
        super().__init__()
        self._scale = scale
        part = size // scale
        self.blocks = nn.ModuleList(
            TimeDelay(part, part, kernel, dilation) for _ in range(scale - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape: ``(1, size, n)`` to the same."""
        first, *rest = x.chunk(self._scale, dim=1)
        made = [first]
        for part, block in zip(rest, self.blocks, strict=True):
            made.append(block(part if len(made) == 1 else part + made[-1]))
        return torch.cat(made, dim=1)


class Squeeze(nn.Module):
    """Weighs channels by their mean over the whole recording."""

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(size, inner, 1)
        self.conv2 = nn.Conv1d(inner, size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: ``(1, size, n)`` to the same."""
        mean = x.mean(dim=2, keepdim=True)
        return x * self.conv2(self.conv1(mean).relu()).sigmoid()


class AttentivePooling(nn.Module):
    """Mean and deviation of each channel, over the moments that matter to it.

    Shape: ``(1, size, n)`` to ``(1, 2 * size, 1)``.
    """

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.tdnn = TimeDelay(3 * size, inner, 1, 1)
        self.conv = nn.Conv1d(inner, size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Pool over time."""
        even = torch.full_like(x[:, :1], 1.0 / x.shape[-1])
        overall = torch.cat(_moments(x, even), dim=1).expand(-1, -1, x.shape[-1])
        matter = self.conv(self.tdnn(torch.cat((x, overall), dim=1)).tanh()).softmax(dim=2)
        return torch.cat(_moments(x, matter), dim=1)


def _moments(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    mean = (weight * x).sum(2, keepdim=True)
    variance = (weight * (x - mean).pow(2)).sum(2, keepdim=True)
    return mean, variance.clamp(min=_LEAST_VARIANCE).sqrt()
