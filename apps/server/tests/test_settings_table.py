from __future__ import annotations

from open_speech_server.settings.table import settings_table


def test_kinds_of_rows():
    rows = {row.name: row for row in settings_table()}
    assert rows["OS_PORT"].type == "whole number"
    assert rows["OS_PORT"].aliases == ("STT_PORT",)
    assert rows["TTS_SPEED"].allowed == "a number from 0.25 to 4.0"
    assert rows["OS_API_KEY"].type == "secret"
    assert rows["OS_SSL_CERTFILE"].type == "path"
    assert rows["OS_SSL_ENABLED"].type == "true or false"
    assert rows["OS_LOG_FORMAT"].type == "console or json"
    assert rows["HF_ENDPOINT"].allowed.startswith("an address")
