// A text whose words light up as they are spoken.
import {h} from "./dom.js";

export class SpokenText {
  /** `seek(seconds)` is called for the word that people click. */
  constructor(seek, label) {
    this.element = h("p.spoken", {role: "group", "aria-label": label, onclick: ({target}) => {
      const word = this.words.find((each) => each.element === target);
      if (word) seek(word.start);
    }});
    this.set("");
  }

  set(text) {
    this.letters = Array.from(text); // code points, as the server counts them
    this.done = 0;
    this.words = [];
    this.current = null;
    this.rest = h("span.rest", text);
    this.element.replaceChildren(this.rest);
  }

  /** `words`: see `speech`; in the order of the text. */
  add(words) {
    for (const word of words) {
      const [from, to] = this.place(word);
      if (from === null) continue;
      const element = h("span.word", this.letters.slice(from, to).join(""));
      const gap = h("span.gap", this.letters.slice(this.done, from).join(""));
      this.rest.before(gap, element);
      this.done = to;
      this.words.push({element, gap, start: word.start, end: word.end});
    }
    this.rest.textContent = this.letters.slice(this.done).join("");
  }

  /** Where a word stands; searched for where the server does not say. */
  place({word, from, to}) {
    if (from !== null && to !== null) return from >= this.done && to > from ? [from, to] : [null, null];
    const wanted = Array.from(word);
    for (let at = this.done; at + wanted.length <= this.letters.length; at += 1) {
      if (wanted.every((letter, index) => this.letters[at + index] === letter)) return [at, at + wanted.length];
    }
    return [null, null];
  }

  mark(seconds, ended) {
    let now = null;
    for (const word of this.words) {
      const begun = word.start <= seconds;
      word.element.classList.toggle("heard", begun);
      word.gap.classList.toggle("heard", begun);
      if (begun) now = word;
    }
    if (ended || (now && seconds > now.end + 0.4)) now = null;
    if (now === this.current) return;
    this.current?.element.classList.remove("now");
    now?.element.classList.add("now");
    this.current = now;
    keepInSight(this.element, now?.element);
  }
}

function keepInSight(box, word) {
  if (!word || box.scrollHeight <= box.clientHeight) return;
  const top = word.offsetTop - box.offsetTop;
  if (top < box.scrollTop || top > box.scrollTop + box.clientHeight - 40) box.scrollTop = top - box.clientHeight / 3;
}
