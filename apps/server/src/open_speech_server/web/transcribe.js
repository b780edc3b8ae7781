// The Transcribe tab: a file or the microphone, a waveform, and words as they are found.
import {ApiError, events, request} from "./api.js";
import {h, icon, iconButton, saveFile, setText, show} from "./dom.js";
import {copy, showCode} from "./dialogs.js";
import {bytes, clock, language} from "./format.js";
import {library, served} from "./library.js";
import {ModelPicker} from "./picker.js";
import {canRecord, Recording} from "./recorder.js";
import {transcribeSnippets} from "./snippets.js";
import {decode, DRAWN_BYTES, wav} from "./sound.js";
import {S} from "./strings.js";
import {Transcript} from "./transcript.js";
import {Waveform} from "./waveform.js";

const T = S.transcribe;
const SUBTITLES = {srt: "application/x-subrip", vtt: "text/vtt"};
const DIARIZE = "open-speech.diarize"; // where the choice is remembered
const KINDS = ["txt", ...Object.keys(SUBTITLES), "json"];

export function transcribeView() {
  let file = null;
  let recording = null;
  let abort = null;
  let whole = null;
  let until = Infinity;
  let next = 0;

  const audio = h("audio", {preload: "auto"});
  const transcript = new Transcript((start, end) => {
    if (audio.hidden || !audio.src) return;
    until = end;
    audio.currentTime = start;
    audio.play();
  });
  const wave = new Waveform(T.wave, (seconds) => {
    until = Infinity;
    audio.currentTime = seconds;
    wave.show(seconds);
  });

  // Choosing what to transcribe
  const input = h("input.offscreen", {type: "file", id: "recording", accept: "audio/*,video/*", tabIndex: -1, "aria-label": T.choose, onchange: () => input.files[0] && take(input.files[0])});
  const choose = h("button.primary", {type: "button", onclick: () => input.click()}, icon("upload"), T.choose);
  const record = h("button", {type: "button", onclick: toggleRecording}, icon("mic"), h("span", T.record));
  const level = h("span.level", {"aria-hidden": "true"}, h("span"));
  const clockText = h("span.clock", {role: "timer"}, "0:00");
  const meter = h("div.meter", {hidden: true}, h("span.dot"), h("span", T.recording), level, clockText);
  const drop = h(
    "div.drop",
    h("p.drop-title", T.drop), h("p.hint", T.dropHint),
    h("div.row", choose, record), meter, input,
    canRecord() ? null : h("p.hint", T.insecure),
  );
  record.disabled = !canRecord();

  // What was chosen
  const name = h("strong.file-name");
  const facts = h("span.hint");
  const play = iconButton("play", T.play, () => (audio.paused ? listen() : audio.pause()));
  const position = h("span.clock", "0:00");
  const note = h("p.hint.wave-note", {hidden: true});
  const chosen = h(
    "div.chosen", {hidden: true},
    h("div.row.spread", h("div.file", name, facts), h("button.small", {type: "button", onclick: () => input.click()}, T.another)),
    h("div.row.wave-row", play, wave.canvas, position), note, audio,
  );

  // How
  const picker = new ModelPicker("stt", () => renderChoices());
  const languages = h("select", {id: "stt-language"});
  const task = h("select", {id: "stt-task"}, Object.entries(T.tasks).map(([value, label]) => h("option", {value}, label)));
  const speakers = h("input", {type: "checkbox", id: "stt-speakers", checked: localStorage.getItem(DIARIZE) === "true", onchange: () => localStorage.setItem(DIARIZE, String(speakers.checked))});
  const prompt = h("textarea", {id: "stt-prompt", rows: 2, placeholder: T.promptHint, maxLength: 10_000});
  const languageField = h("label.field", {htmlFor: languages.id}, h("span.label", T.language), languages);
  const taskField = h("label.field", {htmlFor: task.id}, h("span.label", T.task), task);
  const speakersField = h("label.check", {htmlFor: speakers.id}, speakers, T.speakers.choice);
  const promptField = h("label.field.wide", {htmlFor: prompt.id}, h("span.label", T.prompt), prompt);
  const go = h("button.primary.big", {type: "button", onclick: () => (abort ? abort.abort() : start()), disabled: true}, T.go);
  const code = h("button", {type: "button", onclick: () => showCode({[T.go]: transcribeSnippets(picker.model, file?.name ?? "recording.wav", named(fields()), task.value)})}, icon("code"), S.code);
  const status = h("p.status", {role: "status"});
  const problem = h("p.problem", {role: "alert"});

  // What comes of it
  const save = KINDS.map((kind) => h("button.small", {type: "button", disabled: true, "aria-label": T.saveAs(kind), onclick: () => download(kind)}, icon("download"), kind));
  const copyText = h("button.small", {type: "button", disabled: true, onclick: () => copy(transcript.script)}, icon("copy"), T.copyText);
  const empty = h("p.empty", T.empty);
  const result = h(
    "section.card.result", {"aria-label": T.result},
    h("header.row.spread", h("h2", T.result), h("div.row", copyText, ...save)),
    empty, transcript.element,
  );

  const element = h(
    "div.playground",
    h("section.card.work", {"aria-label": T.lead}, h("h2", T.lead), drop, chosen,
      h("div.fields", picker.element, languageField, taskField, speakersField, promptField),
      h("div.row.go-row", go, code, status), problem),
    result,
  );
  acceptDrops(element, drop, take);

  async function take(found) {
    abort?.abort();
    file = found;
    input.value = "";
    transcript.clear();
    finish("");
    setText(name, file.name);
    setText(facts, bytes(file.size));
    show(drop, false);
    show(chosen, true);
    go.disabled = false;
    await draw(found);
    if (file === found) go.focus();
  }

  async function draw(found) {
    wave.set(null, 0);
    const long = found.size > DRAWN_BYTES;
    show(note, true);
    setText(note, long ? T.long : T.decoding);
    listenTo(found);
    const sound = long ? null : await decode(found);
    if (file !== found || long) return;
    show(note, !sound);
    setText(note, sound ? "" : T.undrawn);
    if (!sound) return;
    wave.set(sound.samples, sound.seconds);
    setText(facts, `${clock(Math.round(sound.seconds))}  ·  ${bytes(found.size)}`);
    // A recording from the microphone has no table of positions: as wav it can be sought in.
    if (found.name === T.recordingName) listenTo(wav(sound.samples, sound.rate));
  }

  function listenTo(blob) {
    if (audio.src) URL.revokeObjectURL(audio.src);
    audio.src = URL.createObjectURL(blob);
  }

  function listen() {
    until = Infinity;
    audio.play();
  }

  async function toggleRecording() {
    if (recording) {
      const done = recording;
      recording = null;
      const made = await done.stop(T.recordingName);
      renderRecording();
      await take(made);
      return;
    }
    try {
      setText(problem, "");
      recording = await Recording.start((loudness, seconds) => {
        level.firstElementChild.style.inlineSize = `${Math.round(loudness * 100)}%`;
        setText(clockText, clock(seconds));
      });
    } catch {
      setText(problem, T.refused);
    }
    renderRecording();
  }

  function renderRecording() {
    show(meter, Boolean(recording));
    record.classList.toggle("recording", Boolean(recording));
    record.replaceChildren(icon(recording ? "stop" : "mic"), h("span", recording ? T.stopRecording : T.record));
    choose.disabled = Boolean(recording);
  }

  function renderChoices() {
    const model = picker.model;
    const can = (ability) => Boolean(model?.capabilities.includes(ability));
    const signature = model ? `${model.id} ${model.languages}` : "";
    if (languages.dataset.signature !== signature) {
      languages.dataset.signature = signature;
      const {value} = languages;
      const known = model?.languages ?? [];
      const detect = can("language_detection") || known.length !== 1;
      languages.replaceChildren(
        ...(detect ? [h("option", {value: ""}, T.detect)] : []),
        ...known.map((tag) => [language(tag), tag]).sort().map(([label, tag]) => h("option", {value: tag}, label)),
      );
      languages.value = known.includes(value) ? value : (languages.options[0]?.value ?? "");
    }
    show(taskField, can("translation"));
    if (!can("translation")) task.value = "transcribe";
    show(speakersField, library.of("diarization").some(served));
    show(promptField, can("prompt"));
  }

  function fields() {
    const translating = task.value === "translate";
    const found = {model: picker.model?.id ?? "", response_format: "verbose_json"};
    if (!translating && picker.model?.capabilities.includes("word_timestamps")) found["timestamp_granularities[]"] = "word";
    if (!translating && languages.value && languages.options.length > 1) found.language = languages.value;
    if (prompt.value.trim() && !promptField.hidden) found.prompt = prompt.value.trim();
    if (speakers.checked && !speakersField.hidden) found.diarize = "true";
    return found;
  }

  async function start() {
    transcript.clear();
    whole = null;
    setText(problem, "");
    show(empty, true);
    const mine = new AbortController();
    abort = mine;
    go.textContent = T.stop;
    setText(status, fields().diarize ? T.tellingApart : T.sending);
    result.setAttribute("aria-busy", "true");
    const started = performance.now();
    try {
      await (task.value === "translate" ? inOnePiece(mine.signal) : asItComes(mine.signal));
      const words = transcript.text.split(/\s+/).filter(Boolean).length;
      const took = ((performance.now() - started) / 1000).toFixed(1);
      finish(words ? T.done(words, whole?.duration ?? wave.seconds, took) : T.nothing);
    } catch (error) {
      if (file && abort !== mine && abort) return;
      finish(error.name === "AbortError" ? T.stopped : "");
      if (error.name !== "AbortError") setText(problem, error instanceof ApiError ? error.message : S.errors.network);
    }
  }

  function finish(said) {
    abort = null;
    go.textContent = T.go;
    result.removeAttribute("aria-busy");
    setText(status, said);
    setText(problem, "");
    for (const button of [...save, copyText]) button.disabled = transcript.segments.length === 0;
    // They come with the last event: of what was stopped there are none.
    if (!whole) for (const kind in SUBTITLES) save[KINDS.indexOf(kind)].disabled = true;
    show(empty, transcript.segments.length === 0);
  }

  function form(more) {
    const data = new FormData();
    for (const [field, value] of Object.entries({...fields(), ...more})) data.append(field, value);
    for (const kind in SUBTITLES) data.append("subtitles[]", kind);
    data.append("file", file, file.name);
    return data;
  }

  const onWait = (message) => setText(status, message);

  async function inOnePiece(signal) {
    const response = await request("v1/audio/translations", {method: "POST", body: form({}), signal, onWait});
    whole = await response.json();
    for (const segment of whole.segments) heard(segment);
  }

  async function asItComes(signal) {
    const response = await request("v1/audio/transcriptions", {method: "POST", body: form({stream: "true"}), signal, onWait});
    setText(status, T.hearing);
    for await (const event of events(response)) {
      if (event.type === "transcript.text.segment") heard(event);
      else if (event.type === "transcript.text.done") whole = event;
      else if (event.type === "error") throw new ApiError(event.error.message);
    }
  }

  function heard(segment) {
    show(empty, false);
    transcript.add(segment);
  }

  function download(kind) {
    const {segments, speakers: who} = transcript;
    const asJson = () => JSON.stringify({text: transcript.text, segments: segments.map(({id, start, end, speaker, text, words}) => ({id, start, end, ...(speaker ? {speaker: who.nameOf(speaker)} : {}), text, ...(words ? {words} : {})}))}, null, 2);
    const made = {txt: [() => `${transcript.script}\n`, "text/plain"], json: [asJson, "application/json"]};
    const [content, type] = made[kind] ?? [() => who.inSubtitles(kind, whole.subtitles[kind]), SUBTITLES[kind]];
    saveFile(`${file.name.replace(/\.\w+$/, "")}.${kind}`, new Blob([content()], {type}));
  }

  function followSound() {
    let now = audio.currentTime;
    if (now >= until) {
      now = until - 0.01; // the word that was chosen stays marked
      until = Infinity;
      audio.pause();
    }
    wave.show(now);
    transcript.mark(now);
    setText(position, clock(now));
    cancelAnimationFrame(next); // seeking while it plays must not begin a second round
    if (!audio.paused) next = requestAnimationFrame(followSound);
  }
  audio.addEventListener("play", () => {
    play.replaceChildren(icon("pause"));
    play.ariaLabel = play.title = T.pause;
    followSound();
  });
  audio.addEventListener("pause", () => {
    play.replaceChildren(icon("play"));
    play.ariaLabel = play.title = T.play;
  });
  audio.addEventListener("seeked", followSound);

  renderChoices();
  return {element, leave: () => audio.pause()};
}

/** Repeated fields of the form under the names that the documentation uses. */
function named(found) {
  return found.model ? found : {...found, model: "…"};
}

function acceptDrops(element, target, take) {
  const over = (on) => target.classList.toggle("over", on);
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  element.addEventListener("dragleave", (event) => !element.contains(event.relatedTarget) && over(false));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const [found] = event.dataTransfer.files;
    if (found) take(found);
  });
}
