"""Mixtures of voices."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech.errors import InvalidRequest
from open_speech.voices.mix import MAX_SHARES, VoiceShare, read_mix, write_mix

names = st.from_regex(r"[a-z]{2}_[a-z]{2,8}", fullmatch=True)
weights = st.floats(0.001, 1000).map(lambda weight: float(f"{weight:g}"))
shares = st.builds(
    lambda voice, weight, sign: VoiceShare(voice=voice, weight=sign * weight),
    names,
    weights,
    st.sampled_from([1, -1]),
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("af_sky", [("af_sky", 1)]),
        ("af_bella(2)+af_sky(1)", [("af_bella", 2), ("af_sky", 1)]),
        (" af_bella (2.5) - af_sky ", [("af_bella", 2.5), ("af_sky", -1)]),
        ("a+b-c(.5)", [("a", 1), ("b", 1), ("c", -0.5)]),
    ],
)
def test_a_blend_is_names_with_weights(expression, expected):
    assert [(share.voice, share.weight) for share in read_mix(expression)] == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "  ",
        "+a",
        "-a",
        "a+",
        "a++b",
        "a(0)",
        "a(-1)",
        "a(nan)",
        "a(inf)",
        "a(1e999)",
        "a(",
        "a)",
        "a(2)b",
        "(2)",
        "a((2))",
        "a" * 65,
        "+".join(["a"] * (MAX_SHARES + 1)),
    ],
)
def test_anything_else_is_refused_with_an_example(expression):
    with pytest.raises(InvalidRequest, match="is no blend of voices") as raised:
        read_mix(expression)
    assert raised.value.param == "voice"


@given(
    st.builds(
        lambda first, rest: [VoiceShare(voice=first.voice, weight=abs(first.weight)), *rest],
        shares,
        st.lists(shares, max_size=MAX_SHARES - 1),
    )
)
def test_what_is_written_reads_the_same(blend):
    assert list(read_mix(write_mix(blend))) == blend


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        found = read_mix(text)
    except InvalidRequest:
        return
    assert all(math.isfinite(share.weight) and share.weight for share in found)
