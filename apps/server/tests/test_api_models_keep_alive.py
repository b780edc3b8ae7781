from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech.errors import InvalidRequest
from open_speech_server.api.models.keep_alive import keep_alive_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), (0, 0), (30, 30), (1.5, 1.5), (-1, -1), (-7, -1), ("0", 0), ("300", 300),
        ("-1", -1), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), (" 10s ", 10), ("1.5h", 5400),
        ("-1m", -1),
    ],
)  # fmt: skip
def test_what_it_means(value, seconds):
    assert keep_alive_seconds(value) == seconds


REFUSED = ["", "soon", "5 m", "m5", "5m!", "5d", "1e9", "nan", "inf", "9" * 10]


@pytest.mark.parametrize("value", [*REFUSED, float("nan"), float("inf")])
def test_what_is_refused(value):
    with pytest.raises(InvalidRequest):
        keep_alive_seconds(value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        seconds = keep_alive_seconds(text)
    except InvalidRequest:
        return
    assert seconds is not None
    assert seconds >= -1
