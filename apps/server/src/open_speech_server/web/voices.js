// Choosing a voice of a model: with a filter by language, and a sample.
import {json} from "./api.js";
import {h, icon, show} from "./dom.js";
import {language, primary} from "./format.js";
import {S} from "./strings.js";

const T = S.speak;

export class VoicePicker {
  /** `hear(text, voice)` speaks a sample. */
  constructor(hear) {
    this.voices = [];
    this.model = null;
    this.select = h("select", {id: "voice"});
    this.languages = h("select", {id: "voice-language", onchange: () => this.fill()});
    this.sample = h("button", {type: "button", "aria-label": T.hear, title: T.hear, onclick: () => this.hearSample(hear)}, icon("play"));
    this.languageField = h("label.field", {htmlFor: this.languages.id}, h("span.label", T.voiceLanguage), this.languages);
    this.element = h(
      "div.field",
      h("label.label", {htmlFor: this.select.id}, T.voice),
      h("div.row.joined", this.select, this.sample),
    );
    this.fill();
  }

  get voice() {
    return this.select.value;
  }

  /** Ask for the voices, again where they may have become known. */
  async of(model) {
    const signature = model ? `${model.id} ${model.state} ${model.voices}` : "";
    if (signature === this.signature) return;
    this.signature = signature;
    let found = [];
    try {
      if (model) found = (await json(`v1/audio/voices?model=${encodeURIComponent(model.id)}`)).voices;
    } catch {
      // the model's own voice remains
    }
    if (this.signature !== signature) return;
    if (this.model !== model?.id) this.select.value = "";
    this.model = model?.id;
    this.voices = found;
    this.offerLanguages(model);
    this.fill();
  }

  offerLanguages() {
    const {value} = this.languages;
    const known = [...new Set(this.voices.map((voice) => voice.language && primary(voice.language)).filter(Boolean))];
    const options = known.map((tag) => [language(tag), tag]).sort();
    this.languages.replaceChildren(h("option", {value: ""}, T.allVoices), ...options.map(([label, tag]) => h("option", {value: tag}, label)));
    this.languages.value = known.includes(value) ? value : "";
    show(this.languageField, known.length > 1);
  }

  fill() {
    const {value} = this.select;
    const wanted = this.languages.value;
    const shown = this.voices.filter((voice) => !wanted || (voice.language && primary(voice.language) === wanted));
    const first = wanted ? [] : [h("option", {value: ""}, T.voiceDefault)];
    this.select.replaceChildren(...first, ...shown.map((voice) => h("option", {value: voice.id}, label(voice))));
    if (shown.some((voice) => voice.id === value)) this.select.value = value;
  }

  hearSample(hear) {
    const chosen = this.voices.find((voice) => voice.id === this.voice);
    const tag = chosen?.language ?? this.voices[0]?.language ?? "en";
    hear(S.samples[primary(tag)] ?? S.samples.en, this.voice);
  }
}

function label({id, name, language: tag, gender}) {
  const facts = [name !== id ? id : "", tag ? language(tag) : "", gender ?? ""].filter(Boolean).join(", ");
  return facts ? `${name}  (${facts})` : name;
}
