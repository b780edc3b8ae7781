// The Live tab: the microphone or a file, and text that settles while somebody speaks.
import {json} from "./api.js";
import {Conversing} from "./conversing.js";
import {h, icon, saveFile, setText, show} from "./dom.js";
import {copy} from "./dialogs.js";
import {clock, language} from "./format.js";
import {canListen, loudness, Microphone, microphones, PlayedFile} from "./microphone.js";
import {ModelPicker} from "./picker.js";
import {S} from "./strings.js";
import {Transcribing} from "./transcribing.js";

const T = S.listen;
const KINDS = ["txt", "srt", "vtt"];

export function listenView() {
  let session = null;
  let source = null;
  let utterances = [];
  let line = null;

  const mode = h("select", {id: "live-mode", onchange: renderMode}, Object.entries(T.modes).map(([value, label]) => h("option", {value}, label)));
  const modeField = h("label.field", {htmlFor: mode.id, hidden: true}, h("span.label", T.mode), mode);
  const device = h("select", {id: "live-device"}, h("option", {value: ""}, T.usual));
  const deviceField = h("label.field", {htmlFor: device.id}, h("span.label", T.device), device);
  const languages = h("select", {id: "live-language"});
  const languageField = h("label.field", {htmlFor: languages.id}, h("span.label", T.language), languages);
  const picker = new ModelPicker("stt", renderLanguages, "live");
  const input = h("input.offscreen", {type: "file", id: "live-file", accept: "audio/*,video/*", tabIndex: -1, "aria-label": T.file, onchange: () => input.files[0] && begin(input.files[0])});
  const go = h("button.primary.big", {type: "button", onclick: () => (session ? stop() : begin(null))}, icon("mic"), h("span", T.start));
  const choose = h("button", {type: "button", onclick: () => input.click()}, icon("upload"), T.play);
  const level = h("meter.live-level", {min: 0, max: 1, value: 0, "aria-label": T.level, hidden: true});
  const status = h("p.status", {role: "status"});
  const problem = h("p.problem", {role: "alert"});
  const about = h("p.hint", T.about);

  const save = KINDS.map((kind) => h("button.small", {type: "button", disabled: true, "aria-label": T.saveAs(kind), onclick: () => download(kind)}, icon("download"), kind));
  const copyText = h("button.small", {type: "button", disabled: true, onclick: () => copy(text())}, icon("copy"), T.copyText);
  const empty = h("p.empty", T.empty);
  const list = h("ol.live-text", {role: "list", "aria-label": T.result, tabIndex: 0});
  const element = h(
    "div.playground",
    h("section.card.work", {"aria-label": T.lead}, h("h2", T.lead), about,
      canListen() ? null : h("p.hint", T.insecure),
      h("div.fields", picker.element, languageField, deviceField, modeField),
      h("div.row.go-row", go, choose, level, status), input, problem),
    h("section.card.result", {"aria-label": T.result},
      h("header.row.spread", h("h2", T.result), h("div.row", copyText, ...save)), empty, list),
  );
  go.disabled = !canListen();
  deviceField.hidden = !canListen();
  renderLanguages();
  listDevices();
  json("api/live").then(({conversation}) => show(modeField, conversation), () => {});

  function renderMode() {
    setText(about, mode.value === "talk" ? T.talkAbout : T.about);
  }

  function renderLanguages() {
    const known = picker.model?.languages ?? [];
    const signature = known.join(" ");
    if (languages.dataset.signature === signature) return;
    languages.dataset.signature = signature;
    const {value} = languages;
    const several = known.length !== 1;
    languages.replaceChildren(
      ...(several ? [h("option", {value: ""}, T.detect)] : []),
      ...known.map((tag) => [language(tag), tag]).sort().map(([label, tag]) => h("option", {value: tag}, label)),
    );
    if (known.includes(value)) languages.value = value;
  }

  async function listDevices() {
    const {value} = device;
    const found = await microphones();
    device.replaceChildren(h("option", {value: ""}, T.usual), ...found.filter(({deviceId}) => deviceId && deviceId !== "default").map(({deviceId, label}, index) => h("option", {value: deviceId}, label || T.numbered(index + 1))));
    if ([...device.options].some((option) => option.value === value)) device.value = value;
  }
  navigator.mediaDevices?.addEventListener?.("devicechange", listDevices);

  async function begin(file) {
    input.value = "";
    stop();
    clear();
    setText(status, T.connecting);
    const chosen = {model: picker.model?.id, language: languages.options.length > 1 ? languages.value : ""};
    const Kind = mode.value === "talk" && !modeField.hidden ? Conversing : Transcribing;
    let mine = null;
    const onSamples = (samples) => {
      level.value = loudness(samples);
      mine?.feed(samples);
    };
    try {
      mine = await Kind.open(chosen, events(() => mine));
      session = mine;
      source = file ? await PlayedFile.start(file, onSamples, () => finish(mine)) : await Microphone.start(device.value, onSamples);
    } catch (error) {
      mine?.stop();
      session = null;
      setText(status, "");
      setText(problem, error.name === "NotAllowedError" ? T.refused : error.message ?? T.lost);
      return;
    }
    if (!source) {
      mine.stop();
      setText(problem, T.unread);
      return;
    }
    if (!file) listDevices();
    setText(status, T.listening);
    renderRunning(true);
  }

  /** A file is over: a moment of silence ends its last utterance. */
  function finish(mine) {
    mine.feed(new Float32Array(24_000));
    if (mine instanceof Transcribing) mine.stop();
  }

  function stop() {
    source?.stop();
    source = null;
    session?.stop();
    renderRunning(false);
  }

  function renderRunning(running) {
    go.replaceChildren(icon(running ? "stop" : "mic"), h("span", running ? T.stop : T.start));
    go.classList.toggle("recording", running);
    show(level, running);
    for (const field of [picker.select, languages, device, mode, choose]) field.disabled = running;
    go.disabled = !running && !canListen();
  }

  function events(which) {
    return {
      speech: (is) => setText(status, is ? T.hearing : T.listening),
      text: (event) => heard("you", event.settled, event.text.slice(event.settled.length)),
      final: (event) => {
        utterances.push({start: 0, end: 0, ...event});
        heard("you", event.text, "");
        settle(event);
      },
      answer: (said, settled) => {
        heard("answer", said, "");
        if (settled) settle({});
      },
      thinking: () => setText(status, T.thinking),
      speaking: (is) => setText(status, is ? T.speaking : T.listening),
      error: (message) => setText(problem, message),
      end: (well) => {
        if (session !== which()) return;
        session = null;
        source?.stop();
        source = null;
        renderRunning(false);
        setText(status, well ? T.ended(utterances.length) : T.lost);
      },
    };
  }

  function heard(who, settled, open) {
    show(empty, false);
    if (line?.who !== who) {
      const words = h("p.live-words", {"aria-live": "off"}, h("span.settled"), h("span.open"));
      const facts = h("span.live-facts", who === "answer" ? T.answer : "");
      const item = h(`li.${who}`, facts, words);
      list.append(item);
      line = {who, item, words, facts};
    }
    const [first, second] = line.words.children;
    setText(first, settled);
    setText(second, open);
    list.scrollTop = list.scrollHeight;
  }

  function settle({start, end, language: tag, latency}) {
    const facts = [];
    if (end) facts.push(`${clock(start)}–${clock(end)}`);
    if (tag && languages.options.length > 1) facts.push(language(tag));
    if (latency !== undefined && latency > -1000) facts.push(T.latency(Math.max(0, latency)));
    if (facts.length) {
      setText(line.facts, facts.join("  ·  "));
      line.facts.title = T.latencyAbout;
    }
    line = null;
    for (const button of [...save, copyText]) button.disabled = false;
  }

  function clear() {
    utterances = [];
    line = null;
    list.replaceChildren();
    setText(problem, "");
    show(empty, true);
    for (const button of [...save, copyText]) button.disabled = true;
  }

  function text() {
    return utterances.map((each) => each.text).join("\n");
  }

  function download(kind) {
    const made = {txt: () => `${text()}\n`, srt: () => subtitles(","), vtt: () => `WEBVTT\n\n${subtitles(".")}`};
    saveFile(`live.${kind}`, new Blob([made[kind]()], {type: kind === "txt" ? "text/plain" : `text/${kind}`}));
  }

  function subtitles(point) {
    return utterances.map(({start, end, text: said}, index) => `${index + 1}\n${stamp(start, point)} --> ${stamp(end, point)}\n${said}\n`).join("\n");
  }

  return {element, leave: stop};
}

function stamp(seconds, point) {
  const ms = Math.round(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1000) % 60)}${point}${String(ms % 1000).padStart(3, "0")}`;
}
