"""The command without a server: the real one, with the two embedded engines."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
import pytest

from command_line import COMMAND, WAIT_S, Done, ended, run, variables
from open_speech.testing.hub import FakeHub
from open_speech.testing.install import install_provider
from open_speech_server.cli import exits
from open_speech_server.cli.client import ModelEntry, ProviderEntry, VoiceEntry
from open_speech_server.cli.main import cli
from open_speech_server.cli.output import written
from open_speech_server.cli.voices import speaks

SPEAK = {"TTS_MODEL": "espeak/en-us", "STT_MODEL": "pocketsphinx/en-us"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all, so that providers are asked once what they offer."""
    return tmp_path_factory.mktemp("command")


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings under which the engines of the default models are not installed.

    They may well be: providers of the same names go before them and have nothing to offer.
    """
    folder = tmp_path_factory.mktemp("without")
    hollow = (
        "import open_speech\n\n\n"
        "@open_speech.hookimpl\ndef open_speech_backends():\n    return []\n"
    )
    for name in ("kokoro", "piper", "whisper"):
        install_provider(folder / "site", name, hollow, distribution=f"nothing-of-{name}")
    return {**variables(folder), "PYTHONPATH": str(folder / "site")}


@pytest.fixture(scope="module")
def hello(shared: Path) -> Path:
    path = shared / "hello.wav"
    done = run(
        "say", "hello world, one two three", "-o", path, environment=variables(shared, **SPEAK)
    )
    assert done.status == 0, done.errors
    return path


def plain(done: Done) -> str:
    """One sentence on standard error, and no traceback."""
    assert "Traceback" not in done.errors
    assert done.errors.startswith("open-speech: ")
    assert done.errors.count("\n") == 1, done.errors
    return done.errors.removeprefix("open-speech: ").strip()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# -- speaking ----------------------------------------------------------------------------------


def test_without_settings_an_installed_model_is_used_and_named(
    without: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    done = run("say", "One.", "-o", path, environment=without)
    assert done.status == 0, done.errors
    assert "kokoro, the default, is not installed; espeak/en-us is used instead" in done.errors
    assert done.output == b""
    assert names(tmp_path) == ["a.wav"]


def test_wav_files_tell_their_true_length(hello: Path) -> None:
    with wave.open(str(hello)) as file:
        assert file.getnframes() * 2 + 44 == hello.stat().st_size
        assert file.getnframes() > file.getframerate()


def test_format_follows_the_ending_and_json_tells_what_was_written(
    shared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.ogg"
    done = run(
        "say", "One.", "-o", path, "--voice", "en-gb", "--speed", "2", "--json",
        environment=variables(shared, **SPEAK),
    )  # fmt: skip
    assert done.status == 0, done.errors
    assert path.read_bytes()[:4] == b"OggS"
    told = done.json
    assert told.keys() == {"file", "format", "bytes", "model", "voice", "elapsed_s"}
    assert told["format"] == "opus"
    assert told["voice"] == "en-gb"
    assert told["bytes"] == path.stat().st_size


def test_text_comes_from_standard_input_and_sound_goes_to_standard_output(shared: Path) -> None:
    done = run(
        "say", "-", "-o", "-", "--format", "flac",
        environment=variables(shared, **SPEAK), given=b"One two.",
    )  # fmt: skip
    assert done.status == 0, done.errors
    assert done.output[:4] == b"fLaC"
    assert done.errors == ""


def test_subtitles_of_what_is_said_stand_beside_it(shared: Path, tmp_path: Path) -> None:
    text = "Good morning, dear listeners! This costs 25 dollars."
    out = tmp_path / "talk.mp3"
    done = run("say", text, "-o", out, "--srt", environment=variables(shared, **SPEAK))
    assert done.status == 0, done.errors
    cues = (tmp_path / "talk.srt").read_text().split("\n\n")
    assert [cue.splitlines()[2] for cue in cues if cue] == [
        "Good morning, dear listeners!",
        "This costs 25 dollars.",
    ]
    done = run("say", text, "-o", "-", "--srt", environment=variables(shared, **SPEAK))
    assert "--srt needs a file" in done.errors


def test_a_text_with_nothing_to_say_is_a_short_silence(shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "nothing.wav"
    done = run("say", "...", "-o", out, "--srt", environment=variables(shared, **SPEAK))
    assert done.status == 0, done.stderr
    with wave.open(str(out)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(0.3, abs=0.01)
        assert not any(sound.readframes(sound.getnframes()))
    assert out.with_suffix(".srt").read_text() == ""


def test_an_explicit_model_that_nobody_serves_is_an_error_that_names_what_is_there(
    without: dict[str, str], tmp_path: Path
) -> None:
    environment = {**without, "TTS_MODEL": "piper/en_US-lessac-medium"}
    done = run("say", "One.", "-o", tmp_path / "a.wav", environment=environment)
    sentence = plain(done)
    assert done.status == 1
    assert "providers install open-speech-provider-piper" in sentence
    assert "--model espeak/en-us" in sentence
    assert names(tmp_path) == []


def test_a_failure_leaves_the_earlier_file_as_it_was(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"earlier")
    done = run(
        "say", "One.", "-o", path, "--voice", "nobody", environment=variables(shared, **SPEAK)
    )
    assert done.status == 1
    assert "has no voice 'nobody'" in plain(done)
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["a.wav"]


# -- hearing -----------------------------------------------------------------------------------


def test_json_has_times_of_segments_and_words(shared: Path, hello: Path) -> None:
    done = run(
        "transcribe", "-", "--json", "--words",
        environment=variables(shared, **SPEAK), given=hello.read_bytes(),
    )  # fmt: skip
    told = done.json
    assert told.keys() == {"text", "language", "duration", "segments", "words"}
    assert told["language"] == "english"
    assert told["segments"][0].keys() == {"start", "end", "text"}
    assert told["words"][0].keys() == {"start", "end", "word"}
    assert told["words"][-1]["end"] <= told["duration"]
    assert [word["word"] for word in told["words"]] == told["text"].split()


def test_subtitles_go_to_a_file(shared: Path, hello: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    done = run("transcribe", hello, "--srt", "-o", path, environment=variables(shared, **SPEAK))
    assert (done.status, done.output) == (0, b"")
    assert path.read_text().startswith("1\n00:00:00,")


def test_what_is_no_recording_is_an_error_in_one_sentence(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound at all" * 100)
    done = run("transcribe", path, environment=variables(shared, **SPEAK))
    assert done.status == 1
    plain(done)


# -- looking -----------------------------------------------------------------------------------


def test_models_as_json(without: dict[str, str]) -> None:
    done = run("models", "--json", environment=without)
    models = {model["id"]: model for model in done.json["models"]}
    assert all(model.keys() == ModelEntry.__dataclass_fields__.keys() for model in models.values())
    assert models["kokoro"]["state"] == "provider_missing"
    assert models["kokoro"]["is_default"]
    assert models["espeak/en-us"]["state"] == "downloaded"
    assert not models["espeak/en-us"]["is_default"]


def test_one_model(shared: Path) -> None:
    done = run("models", "info", "espeak/en-us", environment=variables(shared, **SPEAK))
    assert done.status == 0
    assert "espeak/en-us" in done.text
    assert "pitch" in done.text


def test_a_model_that_is_nearly_there(shared: Path) -> None:
    done = run("models", "info", "espeak/en-uk", environment=variables(shared))
    assert done.status == 1
    assert "espeak" in plain(done)


def test_voices_of_a_language(shared: Path) -> None:
    done = run("voices", "--language", "EN", "--json", environment=variables(shared, **SPEAK))
    voices = done.json["voices"]
    assert all(voice.keys() == VoiceEntry.__dataclass_fields__.keys() for voice in voices)
    assert {voice["language"].split("-")[0] for voice in voices} == {"en"}
    assert len({voice["language"] for voice in voices}) > 1


def test_broken_providers_are_listed_and_doctor_says_what_to_do(tmp_path: Path) -> None:
    install_provider(tmp_path / "site", "sick", "raise RuntimeError('no engine')")
    environment = variables(tmp_path, **SPEAK, PYTHONPATH=str(tmp_path / "site"))
    done = run("providers", "--json", environment=environment)
    providers = {provider["name"]: provider for provider in done.json["providers"]}
    assert all(
        one.keys() == ProviderEntry.__dataclass_fields__.keys() for one in providers.values()
    )
    assert providers["sick"]["status"] == "broken"
    assert "no engine" in providers["sick"]["error"]
    assert providers["espeak"]["status"] == "ok"

    examined = run("doctor", environment=environment)
    assert examined.status == 1
    assert "no engine" in examined.text
    assert "providers remove open-speech-provider-sick" in examined.text
    assert examined.errors == ""


# -- fetching ----------------------------------------------------------------------------------


def _fetched(store: Path) -> int:
    """Bytes of a download under way that are on the disk."""
    return sum(part.stat().st_size for part in store.rglob("*.part"))


def test_pull_goes_on_where_ctrl_c_stopped_it(tmp_path: Path) -> None:
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    weights = os.urandom(3_000_000)
    arrived: list[int] = []
    with FakeHub(rate=2_000_000) as hub:
        hub.add("tone/voices-two", {"model.bin": weights})
        environment = variables(
            tmp_path, PYTHONPATH=str(tmp_path / "site"), HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0"
        )
        with subprocess.Popen(
            [COMMAND, "models", "pull", "tone/voices-two"], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip

            def stop(_key: str, sent: int) -> None:
                if sent > 1_000_000 and not arrived:
                    arrived.append(sent)
                    deadline = time.monotonic() + WAIT_S
                    while _fetched(tmp_path / "models") <= 500_000:
                        assert time.monotonic() < deadline
                        time.sleep(0.01)  # between two looks at another process
                    process.send_signal(signal.SIGINT)

            hub.on_block = stop
            _, errors = process.communicate(timeout=WAIT_S)
        assert process.returncode == exits.INTERRUPTED, errors
        assert b"to resume" in errors
        assert b"Traceback" not in errors

        hub.on_block, hub.rate = None, None
        hub.forget()
        done = run("models", "pull", "tone/voices-two", "--json", environment=environment)
        assert done.status == 0, done.errors
        assert done.json["state"] == "downloaded"
        (rest,) = hub.gets("*model.bin")
    assert rest.start > 500_000
    (kept,) = [path for path in (tmp_path / "models").rglob("*") if path.name == "model.bin"]
    assert kept.read_bytes() == weights


# -- ending ------------------------------------------------------------------------------------


def test_ctrl_c_ends_quietly_with_nothing_left_behind(shared: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [COMMAND, "say", "One two three four. " * 5000, "-o", tmp_path / "a.wav"],
        env=variables(shared, **SPEAK), stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert not ended(process, 0.05)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == exits.INTERRUPTED
    assert errors.strip() == b""
    assert names(tmp_path) == []
    assert workers
    assert psutil.wait_procs(workers, timeout=WAIT_S)[1] == []


def test_a_reader_that_leaves_is_no_error(shared: Path) -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(
        [COMMAND, "voices"], env=variables(shared, **SPEAK), stdout=writing, stderr=subprocess.PIPE
    ) as process:
        os.close(writing)
        os.close(reading)
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == exits.BROKEN_PIPE
    assert errors == b""


def test_words_come_back_and_progress_is_shown_on_a_terminal(shared: Path, hello: Path) -> None:
    mine, terminal = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "transcribe", hello], env=variables(shared, **SPEAK, COLUMNS="80"),
        stdout=subprocess.PIPE, stderr=terminal,
    ) as process:  # fmt: skip
        os.close(terminal)
        output, _ = process.communicate(timeout=WAIT_S)
    shown = os.read(mine, 65536).decode()
    os.close(mine)
    assert b"hello world" in output
    assert " of 2 s heard" in shown
    assert shown.endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--nonsense"], exits.USAGE, "No such option"),
        (["sing"], exits.USAGE, "No such command 'sing'"),
        (["models", "sing"], exits.USAGE, "No such command 'sing'"),
        (["transcribe", "/nowhere.wav"], exits.USAGE, "does not exist"),
        (["say", "a", "-o", "a.xyz"], exits.USAGE, "--format"),
        (["say", "a", "-o", "-", "--json"], exits.USAGE, "--json"),
        (["say", "a", "-o", "a.wav", "--speed", "9"], exits.USAGE, "0.25"),
        (["say", " ", "-o", "a.wav"], exits.FAILED, "no text"),
        (["transcribe", __file__, "--srt", "--vtt"], exits.USAGE, "Choose one"),
        (["models", "--url", "host:8100"], exits.USAGE, "is no address"),
        (["models", "--url", "http://127.0.0.1:9"], exits.UNAVAILABLE, "No server answers"),
        (["models", "pull", "x", "--url", "http://127.0.0.1:9"], exits.UNAVAILABLE, "No server"),
        (["models", "load", "x"], exits.FAILED, "OPEN_SPEECH_URL"),
        (["models", "unload", "x"], exits.FAILED, "OPEN_SPEECH_URL"),
        (["models", "rm", "espeak/en-us"], exits.UNAVAILABLE, "not in the store"),
        (["models", "update", "nobody/has-it"], exits.FAILED, "No installed provider"),
        (["models", "import", "/nowhere"], exits.USAGE, "does not exist"),
        (["serve", "--stt-device", "abacus"], exits.USAGE, "STT_DEVICE"),
        (["say", "a", "-o", "/nowhere/a.wav"], exits.FAILED, "/nowhere/a.wav: No such file"),
        (["providers", "install", "--isolated", "--force", "x"], exits.USAGE, "--force"),
        (["providers", "install", "--isolated", "-x"], exits.USAGE, "No such option"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_status(
    arguments: list[str],
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name, value in variables(tmp_path, **SPEAK).items():
        monkeypatch.setenv(name, value)
    assert exits.run(cli, arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("open-speech: ")
    assert captured.err.count("\n") == 1, captured.err
    assert said in captured.err


def test_what_nobody_foresaw_is_a_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def burst(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(cli, "main", burst)
    assert exits.run(cli, []) == exits.FAILED
    captured = capsys.readouterr().err
    assert "RuntimeError: two lines" in captured
    assert "Traceback" not in captured
    monkeypatch.setenv("OS_PORT", "many")
    assert exits.run(cli, []) == exits.FAILED
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.delenv("OS_PORT")
    monkeypatch.setenv("OS_LOG_LEVEL", "debug")
    assert exits.run(cli, []) == exits.FAILED
    assert "Traceback" in capsys.readouterr().err


def test_help_waits_for_no_heavy_import() -> None:
    code = (
        "import sys; from open_speech_server.cli.main import cli; "
        "cli.main(['--help'], standalone_mode=False); print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "transcribe" in done.stdout
    for heavy in ("fastapi", "httpx", "numpy", "open_speech", "pydantic", "ssl", "asyncio"):
        assert f"'{heavy}'" not in done.stderr


# -- the document ------------------------------------------------------------------------------


def commands(
    group: click.Command, path: str = "open-speech"
) -> Iterator[tuple[str, click.Command]]:
    yield path, group
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, f"{path} {name}")


def test_every_command_and_option_is_documented() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "commands.md"
    parts = page.read_text(encoding="utf-8").split("\n## ")
    sections = {part.split("\n", 1)[0].strip("`# "): part for part in parts}
    for path, command in commands(cli):
        if path == "open-speech":
            continue
        assert path in sections, path
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                name = parameter.metavar or option.upper()
                shown = option if option.startswith("-") else name.removesuffix("...")
                assert re.search(rf"(?<![\w-]){shown}(?![\w-])", sections[path]), option


# -- parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "wanted", "same"),
    [
        ("en-GB", "en", True),
        ("en-GB", "EN_gb", True),
        ("en", "en-GB", False),
        ("eno", "en", False),
        (None, "en", False),
    ],
)
def test_a_language_means_its_narrower_ones_too(tag: str | None, wanted: str, same: bool) -> None:
    assert speaks(tag, wanted) is same


def test_a_link_is_followed_and_the_mode_of_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with written(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_what_is_no_ordinary_file_is_written_as_it_is() -> None:
    with written(Path(os.devnull)) as file:
        file.write(b"gone")
    assert Path(os.devnull).is_char_device()


def test_sound_that_stops_halfway_leaves_no_file(tmp_path: Path) -> None:
    file = written(tmp_path / "a.wav")
    file.__enter__().write(b"half")
    error = RuntimeError("the engine died")
    assert not file.__exit__(RuntimeError, error, None)
    assert names(tmp_path) == []


@pytest.mark.parametrize("host", ["a..b", "no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_cannot_be_listened_on_names_the_setting(tmp_path, host):
    done = run("serve", environment=variables(tmp_path, OS_HOST=host, OS_SSL_ENABLED="false"))
    assert done.status == exits.USAGE
    assert f"OS_HOST is {host!r}" in done.errors.splitlines()[0]
    assert "Traceback" not in done.errors
