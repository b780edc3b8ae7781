// Who speaks: the names that people give, and subtitles that carry them.
import {h, icon} from "./dom.js";
import {S} from "./strings.js";

const T = S.transcribe.speakers;
const COLOURS = 8; // in base.css; with more speakers they come again, and the names tell them apart
const LONGEST = 60;

export class Speakers {
  /** `changed()` is called when one has got another name. */
  constructor(changed) {
    this.changed = changed;
    this.clear();
  }

  clear() {
    this.names = new Map(); // those given by people
    this.tags = new Map(); // where the name of each stands; in the order in which they begin to speak
  }

  nameOf(speaker) {
    return this.names.get(speaker) ?? T.name(speaker);
  }

  colourOf(speaker) {
    return ([...this.tags.keys()].indexOf(speaker) % COLOURS) + 1;
  }

  /** The name as a button; choosing it lets people change it, wherever it stands. */
  tag(speaker) {
    const name = h("span", this.nameOf(speaker));
    const button = h("button.speaker-name", {type: "button", title: T.rename, onclick: () => this.edit(speaker, button)}, name, icon("pencil"));
    if (!this.tags.has(speaker)) this.tags.set(speaker, []);
    this.tags.get(speaker).push(name);
    return button;
  }

  edit(speaker, button) {
    const field = h("input.speaker-field", {
      value: this.nameOf(speaker), placeholder: T.name(speaker), maxLength: LONGEST, size: LONGEST / 3,
      autocomplete: "off", spellcheck: false, "aria-label": T.nameOf(T.name(speaker)),
    });
    let open = true;
    const close = (keep, back) => {
      if (!open) return;
      open = false;
      if (keep) this.rename(speaker, field.value);
      field.replaceWith(button);
      if (back) button.focus();
    };
    field.addEventListener("blur", () => close(true, false)); // to go elsewhere is no reason to lose what was typed
    field.addEventListener("keydown", (event) => {
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      close(event.key === "Enter", true);
    });
    button.replaceWith(field);
    field.select();
  }

  rename(speaker, typed) {
    const name = typed.replace(/\s+/g, " ").trim();
    if (name && name !== T.name(speaker)) this.names.set(speaker, name);
    else this.names.delete(speaker);
    for (const each of this.tags.get(speaker) ?? []) each.textContent = this.nameOf(speaker);
    this.changed();
  }

  /** Subtitles as the server wrote them, with the names of this page. */
  inSubtitles(kind, text) {
    if (kind === "vtt") return text.replace(/^<v ([^>]*)>/gm, (whole, speaker) => (this.tags.has(speaker) ? `<v ${escaped(this.nameOf(speaker))}>` : whole));
    const named = (whole, times, speaker) => (this.tags.has(speaker) ? `${times}${this.nameOf(speaker).replaceAll("-->", "→")}: ` : whole);
    return text.replace(/^(\d+\n[\d:,]+ --> [\d:,]+\n)(\w+): /gm, named);
  }
}

function escaped(name) {
  return name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
