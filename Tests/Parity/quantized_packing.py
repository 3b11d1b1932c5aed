"""Codes and how formats pack them: streams of bits, small floats, and rounding a matrix to codes of groups of its inputs."""

import torch

# E2M1: code 8 and above are the negatives.
E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E2M1_SIGNED = torch.cat([E2M1, -E2M1])
E4M3_LARGEST = 448.0


def stream(codes: torch.Tensor, bits: int) -> torch.Tensor:
    """Codes [rows, n] as one little-endian stream of bits a row: int32 [rows, ceil(n * bits / 32)]."""
    rows, count = codes.shape
    places = codes.long()[..., None] >> torch.arange(bits) & 1
    flat = torch.nn.functional.pad(places.reshape(rows, -1), (0, -count * bits % 32))
    words = (flat.reshape(rows, -1, 32) << torch.arange(32)).sum(-1)
    return torch.where(words >= 1 << 31, words - (1 << 32), words).int()


def whole_words(codes: torch.Tensor, bits: int) -> torch.Tensor:
    """As `stream`, but no code is cut: floor(32 / bits) of them a word, and the rest of its bits 0."""
    each = 32 // bits
    padded = torch.nn.functional.pad(codes, (0, -codes.shape[1] % each)).reshape(codes.shape[0], -1, each)
    return torch.cat([stream(padded[:, word], bits) for word in range(padded.shape[1])], 1)


def halves(codes: torch.Tensor, first_is_high: bool = False) -> torch.Tensor:
    """Two codes of four bits a byte, neighbours together."""
    codes = codes.to(torch.uint8)
    first, second = codes[..., ::2], codes[..., 1::2]
    return first << 4 | second if first_is_high else first | second << 4


def groups_of(inputs: int, size: int) -> torch.Tensor:
    """The group of each input; the last may be shorter, and -1 is one group of all."""
    return torch.arange(inputs) // (inputs if size == -1 else size)


def reduced(weight: torch.Tensor, groups: torch.Tensor, how: str) -> torch.Tensor:
    """The largest or least of each group of inputs: [out, groups]."""
    start = torch.full((weight.shape[0], int(groups.max()) + 1), float("-inf" if how == "amax" else "inf"))
    return start.scatter_reduce(1, groups.expand_as(weight), weight, how)


def symmetric(weight: torch.Tensor, groups: torch.Tensor, bits: int, dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Signed codes [out, in] and scales [out, groups] of `dtype`."""
    half = 1 << bits - 1
    scales = (reduced(weight.abs(), groups, "amax") / (half - 0.5)).clamp_min(1e-6).to(dtype)
    return (weight / scales.float()[:, groups]).round().clamp(-half, half - 1).long(), scales


def with_zeros(weight: torch.Tensor, groups: torch.Tensor, bits: int, dtype, least: int = 0):
    """Codes and zeros from 0 to 2^bits - 1 (the zeros from `least`), and scales."""
    top, low, high = (1 << bits) - 1, reduced(weight, groups, "amin"), reduced(weight, groups, "amax")
    scales = ((high.clamp_min(0) - low.clamp_max(0)) / top).clamp_min(1e-6).to(dtype)
    zeros = (-low / scales.float()).round().clamp(least, top).long()
    codes = ((weight / scales.float()[:, groups]).round() + zeros[:, groups]).clamp(0, top).long()
    return codes, zeros, scales


def e2m1(scaled: torch.Tensor) -> torch.Tensor:
    """The nearest codes."""
    return (scaled.abs()[..., None] - E2M1).abs().argmin(-1) + 8 * (scaled < 0)


def e4m3(values: torch.Tensor) -> torch.Tensor:
    return values.clamp(-E4M3_LARGEST, E4M3_LARGEST).to(torch.float8_e4m3fn)


def powers(largest: torch.Tensor, top: float) -> torch.Tensor:
    """Exponents so that `largest` over 2^exponent is at most about `top`."""
    return (largest.clamp_min(2.0**-60) / top).log2().ceil()
