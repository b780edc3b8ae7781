"""Registering, finding a voice's files, loading them; what is refused, and how."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import onnx
import pytest

from open_speech import Capability, LoadContext, SpeechRequest
from open_speech.errors import InvalidRequest, ModelLoadFailed
from open_speech_provider_piper import PiperBackend, open_speech_backends
from open_speech_provider_piper.model import PiperModel

LESSAC = "piper/en_US-lessac-medium"

Load = Callable[..., PiperModel]
Make = Callable[..., Path]


@pytest.fixture
def voice(make: Make, tmp_path: Path) -> Path:
    """The ``.onnx`` of a voice that a test may spoil."""
    return make(tmp_path / "voice", "en_US-mine-medium")


def edit(graph: Path, **changes: Any) -> None:
    file = graph.with_name(f"{graph.name}.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_entry_point_leads_to_the_hook() -> None:
    (entry,) = metadata.entry_points(group="open_speech", name="piper")
    assert [type(backend) for backend in entry.load().open_speech_backends()] == [PiperBackend]
    assert [backend.name for backend in open_speech_backends()] == ["piper"]


def test_importing_and_listing_loads_no_engine(several: Path) -> None:
    code = f"""if True:
        import sys
        from pathlib import Path
        import open_speech_provider_piper as provider
        (backend,) = provider.open_speech_backends()
        assert backend.list_available()
        assert backend.inspect(Path({str(several)!r}))
        engine = {{"onnxruntime", "piper", "onnx"}}
        assert not engine & set(sys.modules), engine & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_speaking_imports_no_more_than_it_must(several: Path) -> None:
    code = f"""if True:
        import sys
        from pathlib import Path
        from open_speech import LoadContext, SpeechRequest
        from open_speech_provider_piper import PiperBackend
        backend, path = PiperBackend(), Path({str(several)!r})
        model = backend.load(backend.inspect(path), LoadContext(paths={{"model": path}}))
        request = SpeechRequest(text="Good day.", voice="anna", word_timestamps=True)
        assert [word.text for audio in model.synthesize(request) for word in audio.words]
        others = {{"onnx", "torch", "transformers", "huggingface_hub"}}
        assert not others & set(sys.modules), others & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_and_a_file_are_recognised(several: Path, tmp_path: Path) -> None:
    for path in (several, several / "en_GB-trio-low.onnx"):
        found = PiperBackend().inspect(path)
        assert found is not None
        assert (found.id, found.languages, found.sources) == (
            "piper/en_GB-trio-low",
            ("en-GB",),
            (),
        )
        assert found.sample_rate == 16_000
        assert [voice.id for voice in found.voices] == ["anna", "bert", "carl"]
        assert found.voice_aliases == {"0": "anna", "1": "bert", "2": "carl"}
    for other in (tmp_path, tmp_path / "none", several / "en_GB-trio-low.onnx.json"):
        assert PiperBackend().inspect(other) is None


def test_a_folder_with_two_voices_means_neither(make: Make, tmp_path: Path) -> None:
    for name in ("en_US-one-medium", "en_US-two-medium"):
        make(tmp_path, name)
    assert PiperBackend().inspect(tmp_path) is None
    assert PiperBackend().inspect(tmp_path / "en_US-two-medium.onnx") is not None


def test_the_catalogue_finds_its_voice_among_others(
    lessac: Path, make: Make, load: Load, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(lessac, tmp_path / "repository"))
    make(folder / "en/en_US/amy/low", "en_US-amy-low", rate=16_000)
    assert load(folder, LESSAC).info.sample_rate == 22_050
    assert load(folder, "piper/en_US-amy-low").info.sample_rate == 16_000


@pytest.mark.parametrize("paths", [{}, {"model": Path("/nowhere")}, {"model": Path(__file__)}])
def test_no_voice_is_said_so(paths: dict[str, Path]) -> None:
    (info,) = (info for info in PiperBackend().list_available() if info.id == LESSAC)
    with pytest.raises(ModelLoadFailed, match=r"no voice .* \.onnx\.json"):
        PiperBackend().load(info, LoadContext(paths=paths))


def test_loading_tells_what_the_catalogue_cannot_know(voice: Path, load: Load) -> None:
    edit(voice, audio={"sample_rate": 24_000}, language={"code": "de_DE"})
    info = load(voice.parent).info
    assert (info.sample_rate, info.languages) == (24_000, ("de-DE",))
    assert info.voices[0].languages == ("de-DE",)


def test_speakers_without_names_are_numbers(make: Make, load: Load, tmp_path: Path) -> None:
    graph = make(tmp_path, speakers=("a", "b", "c"), speaker_id_map={"default": 1})
    info = load(graph).info
    assert [voice.id for voice in info.voices] == ["0", "default-speaker", "2"]
    edit(graph, speaker_id_map={"1": 0}, default_speaker_id=2)
    info = load(graph).info
    assert [voice.id for voice in info.voices] == ["1", "speaker-1", "2"]
    assert info.default_voice == "2"
    assert info.voice_aliases == {"0": "1"}


def test_a_device_that_is_not_there_is_refused(several: Path, load: Load) -> None:
    with pytest.raises(InvalidRequest, match="'cuda:9'") as caught:
        load(several, device="cuda:9")
    assert caught.value.param == "device"


def test_threads_are_bounded_and_do_not_spin(several: Path, load: Load) -> None:
    session = load(several, threads=1)._engine._voice.session
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert not session._model_bytes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"espeak": {"voice": "xx-none"}}, "espeak-ng voice 'xx-none'"),
        ({"phoneme_type": "klingon"}, "'klingon'"),
        ({"phoneme_type": "thai"}, r"Thai text .* tltk"),
        ({"phoneme_type": "japanese"}, r"Japanese text .* pyopenjtalk"),
        ({"phoneme_type": "pinyin"}, r"Chinese text .* g2pw"),
    ],
)
def test_what_cannot_be_phonemized_is_said_with_the_fix(
    voice: Path, load: Load, changes: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("open_speech_provider_piper._phonemizers._is_there", lambda _: False)
    (info,) = (info for info in PiperBackend().list_available() if info.id == LESSAC)
    edit(voice, **changes)
    with pytest.raises(ModelLoadFailed, match=said) as caught:
        PiperBackend().load(info, LoadContext(paths={"model": voice}))
    assert "pip install" in str(caught.value)


def test_a_phonemizer_that_does_not_start_is_said_with_the_fix(
    voice: Path, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there and lacks a part of its own."""
    (tmp_path / "pyopenjtalk.py").write_text("import sudachipy_that_is_missing")
    monkeypatch.syspath_prepend(str(tmp_path))
    edit(voice, phoneme_type="japanese", language={"code": "ja_JA"})
    with pytest.raises(ModelLoadFailed, match=r"sudachipy_that_is_missing.*piper\[ja\]"):
        load(voice)


def test_chinese_asks_for_its_folder_and_fetches_nothing(
    voice: Path, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it went to the network")

    monkeypatch.setattr("open_speech_provider_piper._phonemizers._is_there", lambda _: True)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    edit(voice, phoneme_type="pinyin")
    for options, said in (({}, "never fetched"), ({"g2pw": str(empty)}, r"has no g2pw\.onnx")):
        with pytest.raises(ModelLoadFailed, match=said) as caught:
            load(voice, options=options)
        assert "'g2pw'" in str(caught.value)
    assert not list(empty.iterdir())


def test_hebrew_and_plain_letters_need_nothing_more(voice: Path, load: Load) -> None:
    edit(voice, phoneme_type="hebrew", language={"code": "he_IL"})
    hebrew = load(voice)
    assert hebrew.info.capabilities == frozenset()
    assert list(hebrew.synthesize(SpeechRequest(text="שלום עולם", voice="mine")))
    edit(voice, phoneme_type="text")
    plain = load(voice)
    assert plain.info.capabilities == {Capability.WORD_TIMESTAMPS}
    request = SpeechRequest(text="abc de", voice="mine", word_timestamps=True)
    (audio,) = plain.synthesize(request)
    assert [word.text for word in audio.words] == ["abc", "de"]


def test_it_holds_no_device_memory_on_a_cpu(several: Path, load: Load) -> None:
    assert load(several).device_memory_bytes() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"num_speakers": 10**9},
        {"num_speakers": 5},
        {"num_speakers": "3"},
        {"audio": {"sample_rate": 10**12}},
        {"audio": []},
        {"hop_length": -1},
        {"espeak": {"voice": "../../../etc/passwd"}},
        {"espeak": {"voice": None}},
        {"phoneme_id_map": {}},
        {"phoneme_id_map": {"_": [0], "^": [1], "$": [2], "a": [10**9]}},
        {"phoneme_id_map": {"_": [0], "^": [1], "$": [2], "a": [255], "b": [9_999]}},
        {"phoneme_id_map": {"_": [0], "^": [1], "$": "2"}},
        {"inference": {"length_scale": 1e30}},
        {"inference": {"noise_scale": float("nan")}},
        {"vowel_clusters": [1]},
        {"speaker_id_map": {"a": -1}, "num_speakers": 2},
    ],
    ids=",".join,
)
def test_a_configuration_that_lies_is_refused(
    voice: Path, load: Load, changes: dict[str, Any]
) -> None:
    (info,) = (info for info in PiperBackend().list_available() if info.id == LESSAC)
    edit(voice, **changes)
    with pytest.raises(ModelLoadFailed, match="cannot be loaded"):
        PiperBackend().load(info, LoadContext(paths={"model": voice}))


def test_a_voice_of_espeak_is_no_path(voice: Path) -> None:
    """The engine would look for a file of that name."""
    (info,) = (info for info in PiperBackend().list_available() if info.id == LESSAC)
    for path in ("../../../../tmp/voice", "/etc/passwd", "gmw/de", "de\x00", "a" * 65):
        edit(voice, espeak={"voice": path})
        with pytest.raises(ModelLoadFailed, match="for a voice of espeak-ng"):
            PiperBackend().load(info, LoadContext(paths={"model": voice}))


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"[]", b'"\xff"', b" " * (5 << 20)])
def test_a_configuration_that_is_none_is_refused(voice: Path, content: bytes) -> None:
    voice.with_name(f"{voice.name}.json").write_bytes(content)
    (info,) = (info for info in PiperBackend().list_available() if info.id == LESSAC)
    with pytest.raises(ModelLoadFailed, match=r"en_US-mine-medium\.onnx\.json"):
        PiperBackend().load(info, LoadContext(paths={"model": voice}))
    assert PiperBackend().inspect(voice) is None


def test_a_graph_that_lies_about_its_sizes_is_refused(voice: Path, load: Load) -> None:
    model = onnx.load(voice)
    model.graph.initializer[0].dims[0] = 2 << 40
    voice.write_bytes(model.SerializeToString())
    with pytest.raises(ModelLoadFailed, match="cannot be loaded"):
        load(voice)


def test_nothing_beside_the_weights_is_run(voice: Path, load: Load, tmp_path: Path) -> None:
    """Pickles and Python files in the folder stay what they are: files."""
    canary = tmp_path / "canary"
    bomb = b"cposix\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR."
    code = f"open({str(canary)!r}, 'w')".encode()
    for name in ("voice.pt", "data.pkl", "en_US-mine-medium.ckpt", "checkpoint.bin"):
        (voice.parent / name).write_bytes(bomb)
    for name in ("config.py", "__init__.py", "sitecustomize.py", "g2pw.py"):
        (voice.parent / name).write_bytes(code)
    assert list(load(voice.parent).synthesize(SpeechRequest(text="Hello.", voice="mine")))
    voice.write_bytes(bomb)
    with pytest.raises(ModelLoadFailed):
        load(voice)
    assert not canary.exists()
