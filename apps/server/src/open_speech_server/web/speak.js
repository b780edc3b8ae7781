// The Speak tab: text in, sound from the first sentence on, words lighting up.
import {ApiError, request} from "./api.js";
import {h, icon, iconButton, saveFile, setText, show} from "./dom.js";
import {showCode, toast} from "./dialogs.js";
import {clock} from "./format.js";
import {PcmPlayer} from "./pcm_player.js";
import {ModelPicker} from "./picker.js";
import {speakSnippets} from "./snippets.js";
import {wav} from "./sound.js";
import {speech, RATE} from "./speech.js";
import {SpokenText} from "./spoken_text.js";
import {S} from "./strings.js";
import {VoicePicker} from "./voices.js";

const T = S.speak;
const FORMATS = ["mp3", "wav", "opus", "flac", "aac", "pcm"];

export function speakView() {
  const player = new PcmPlayer();
  let abort = null;
  let spokenBody = null;

  // What to say and how
  const text = h("textarea", {id: "text", rows: 6, value: T.sample, oninput: count, onkeydown: shortcut, "aria-describedby": "text-facts"});
  const counted = h("span", {id: "text-facts"});
  const picker = new ModelPicker("tts", (model) => voices.of(model));
  const voices = new VoicePicker((sample, voice) => begin({...body(), input: sample, ...(voice ? {voice} : {})}));
  const speed = h("input", {type: "range", id: "speed", min: 0.5, max: 2, step: 0.05, value: 1, oninput: () => setText(speedText, `${Number(speed.value).toFixed(2)}×`)});
  const speedText = h("output", {htmlFor: "speed"}, "1.00×");
  const format = h("select", {id: "format", onchange: () => renderSave()}, FORMATS.map((name) => h("option", {value: name}, name)));
  const go = h("button.primary.big", {type: "button", onclick: () => (abort ? stop() : begin(body()))}, T.go);
  const code = h("button", {type: "button", onclick: () => showCode({[T.go]: speakSnippets(picker.model, {...body(), response_format: format.value})})}, icon("code"), S.code);
  const status = h("p.status", {role: "status"});
  const problem = h("p.problem", {role: "alert"});

  // What comes of it
  const spoken = new SpokenText((seconds) => {
    player.seek(seconds);
    player.play();
  }, T.spoken);
  const play = iconButton("play", T.play, () => (player.playing ? player.pause() : player.play()), {disabled: true});
  const seek = h("input.seek", {type: "range", min: 0, max: 1, step: 0.01, value: 0, disabled: true, "aria-label": T.position, oninput: () => player.seek(Number(seek.value))});
  const time = h("span.clock", "0:00");
  const save = h("button.small", {type: "button", disabled: true, onclick: download});
  const empty = h("p.empty", T.empty);
  const element = h(
    "div.playground",
    h("section.card.work", {"aria-label": T.lead}, h("h2", T.lead),
      h("label.field.wide", {htmlFor: "text"}, h("span.label", T.text), text),
      h("p.hint.row.spread", counted, h("span", T.keys)),
      h("div.fields", picker.element, voices.languageField, voices.element,
        h("label.field", {htmlFor: "speed"}, h("span.label", T.speed, speedText), speed),
        h("label.field", {htmlFor: "format"}, h("span.label", T.format), format)),
      h("div.row.go-row", go, code, status), problem),
    h("section.card.result", {"aria-label": T.spoken},
      h("header.row.spread", h("h2", T.spoken), h("div.row", save)),
      h("div.row.player", play, seek, time), empty, spoken.element),
  );

  function count() {
    setText(counted, T.count(Array.from(text.value).length));
    go.disabled = !text.value.trim() && !abort;
  }

  function shortcut(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !text.value.trim()) return;
    event.preventDefault();
    begin(body());
  }

  function body() {
    const found = {model: picker.model?.id ?? "", input: text.value};
    if (voices.voice) found.voice = voices.voice;
    if (Number(speed.value) !== 1) found.speed = Number(speed.value);
    return found;
  }

  async function begin(asked) {
    abort?.abort();
    const mine = new AbortController();
    abort = mine;
    spokenBody = asked;
    player.open(RATE);
    spoken.set(asked.input);
    show(empty, false);
    setText(problem, "");
    setText(status, T.making);
    setText(go, T.stop);
    go.disabled = false;
    save.disabled = true;
    const started = performance.now();
    let first = 0;
    for (const name of ["speech-asked", "speech-first-byte", "speech-first-sound"]) performance.clearMarks(name);
    performance.mark("speech-asked");
    const onSound = () => {
      performance.mark("speech-first-sound");
      first = performance.now() - started;
      setText(status, T.playing);
    };
    player.addEventListener("sound", onSound, {once: true});
    try {
      let got = false;
      const options = {signal: mine.signal, onWait: (message) => setText(status, message)};
      for await (const {samples, words} of speech(picker.model, asked, options)) {
        if (!got) performance.mark("speech-first-byte");
        got = true;
        player.feed(samples);
        spoken.add(words);
        seek.max = String(player.seconds);
      }
      player.finish();
      finished(mine);
      await ended();
      if (abort === null && spokenBody === asked) setText(status, T.finished(player.seconds, first));
    } catch (error) {
      if (abort === mine) failed(error);
    } finally {
      player.removeEventListener("sound", onSound);
    }
  }

  function finished(mine) {
    if (abort === mine) abort = null;
    setText(go, T.go);
    save.disabled = player.seconds === 0;
    count();
  }

  function failed(error) {
    player.finish();
    finished(abort);
    setText(status, error.name === "AbortError" ? T.stopped : "");
    if (error.name !== "AbortError") setText(problem, error instanceof ApiError ? error.message : S.errors.network);
  }

  function stop() {
    abort?.abort();
    player.pause();
  }

  function ended() {
    if (!player.playing) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (player.playing) return;
        player.removeEventListener("state", check);
        resolve();
      };
      player.addEventListener("state", check);
    });
  }

  /** wav and pcm are what was heard; the other formats are made anew by the server. */
  async function download() {
    const kind = format.value;
    save.disabled = true;
    try {
      if (kind === "wav") saveFile("speech.wav", wav(player.samples(), RATE));
      else saveFile(`speech.${kind}`, await made(kind));
    } catch (error) {
      toast(error.message, "error");
    }
    save.disabled = false;
    renderSave();
  }

  async function made(kind) {
    setText(save, T.saving);
    const response = await request("v1/audio/speech", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({...spokenBody, response_format: kind}),
    });
    return response.blob();
  }

  function renderSave() {
    save.replaceChildren(icon("download"), T.save(format.value));
  }

  player.addEventListener("frame", () => {
    const now = player.position;
    seek.value = String(now);
    seek.setAttribute("aria-valuetext", `${clock(now)} of ${clock(player.seconds)}`);
    setText(time, `${clock(now)} / ${clock(player.seconds)}`);
    spoken.mark(now, !player.playing && now >= player.seconds);
  });
  player.addEventListener("state", () => {
    play.disabled = seek.disabled = player.chunks.length === 0;
    play.replaceChildren(icon(player.playing ? "pause" : "play"));
    play.ariaLabel = play.title = player.playing ? T.pause : T.play;
  });
  count();
  renderSave();
  voices.of(picker.model);
  return {element, leave: () => player.pause()};
}
