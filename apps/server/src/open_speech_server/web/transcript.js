// Segments and words as they arrive; each can be heard.
import {h} from "./dom.js";
import {clock} from "./format.js";
import {Speakers} from "./speakers.js";
import {S} from "./strings.js";

const T = S.transcribe;

export class Transcript {
  /** `play(start, end)` is called for the segment or the word that people choose. */
  constructor(play) {
    this.play = play;
    this.element = h("ol.transcript", {role: "list", "aria-label": T.words, onclick: (event) => this.clicked(event), onkeydown: (event) => this.keys(event)});
    this.speakers = new Speakers(() => this.label());
    this.clear();
  }

  clear() {
    this.element.replaceChildren();
    this.speakers.clear();
    this.segments = [];
    this.words = [];
    this.turns = [];
    this.current = null;
  }

  get text() {
    return textOf(this.segments);
  }

  /** The text; where speakers are told apart, a line for each time that one speaks. */
  get script() {
    return this.turns.map(({speaker, segments}) => (speaker ? `${this.speakers.nameOf(speaker)}: ` : "") + textOf(segments)).join("\n");
  }

  /** `segment`: {start, end, text, words?: [{word, start, end}], speaker?} */
  add(segment) {
    this.segments.push(segment);
    const line = h("p.segment-text");
    const words = segment.words ?? [];
    if (words.length) {
      for (const word of words) line.append(this.makeWord(word), " ");
    } else {
      line.append(this.makeWord({word: segment.text.trim(), start: segment.start, end: segment.end}));
    }
    const from = clock(segment.start);
    const time = h("button.segment-time", {type: "button", "aria-label": T.listenFrom(from), dataset: {start: segment.start, end: segment.end}}, from);
    this.turnOf(segment).append(h("li.segment", time, line));
  }

  /** The list that a segment belongs to: that of its speaker, who goes on or begins. */
  turnOf(segment) {
    const speaker = segment.speaker || null;
    let turn = this.turns.at(-1);
    if (turn?.speaker !== speaker) {
      turn = {speaker, segments: [], list: speaker ? this.makeTurn(speaker) : this.element};
      this.turns.push(turn);
    }
    turn.segments.push(segment);
    return turn.list;
  }

  makeTurn(speaker) {
    const list = h("ol", {role: "list", "aria-label": this.speakers.nameOf(speaker)});
    const name = this.speakers.tag(speaker);
    this.element.append(h("li.turn", {dataset: {colour: this.speakers.colourOf(speaker)}}, h("div.speaker", name), list));
    return list;
  }

  /** Have the lists of segments say whose they are, as that one is called now. */
  label() {
    for (const {speaker, list} of this.turns) if (speaker) list.ariaLabel = this.speakers.nameOf(speaker);
  }

  makeWord({word, start, end}) {
    const button = h("button.word", {type: "button", tabIndex: this.words.length ? -1 : 0, dataset: {start, end}}, word.trim());
    this.words.push({button, start, end});
    return button;
  }

  clicked({target}) {
    const button = target.closest("button");
    if (!button?.dataset.start) return;
    if (button.classList.contains("word")) this.focus(button);
    this.play(Number(button.dataset.start), Number(button.dataset.end));
  }

  focus(button) {
    for (const word of this.element.querySelectorAll(".word[tabindex='0']")) word.tabIndex = -1;
    button.tabIndex = 0;
    button.focus({preventScroll: false});
  }

  keys(event) {
    const at = this.words.findIndex((word) => word.button === event.target);
    if (at < 0) return;
    const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: this.words.length - 1}[event.key];
    if (to === undefined || !this.words[to]) return;
    event.preventDefault();
    this.focus(this.words[to].button);
  }

  /** Mark the word at a position in the sound. */
  mark(seconds) {
    let [low, high] = [0, this.words.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.words[middle].start <= seconds) low = middle + 1;
      else high = middle;
    }
    const word = this.words[low - 1];
    const now = word && seconds < word.end + 0.15 ? word.button : null;
    if (now === this.current) return;
    this.current?.classList.remove("now");
    now?.classList.add("now");
    this.current = now;
  }
}

function textOf(segments) {
  return segments.map((segment) => segment.text.trim()).join(" ");
}
