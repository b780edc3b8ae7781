// Choosing a model of one kind: those in memory first.
import {groupOf, library, onChange, served} from "./library.js";
import {h, once} from "./dom.js";
import {S} from "./strings.js";

const stored = (kind) => `open-speech.${kind}`;

/** Choose a model from elsewhere, whether its tab has been opened yet or not. */
export function choose(kind, id) {
  localStorage.setItem(stored(kind), id);
  document.dispatchEvent(new CustomEvent("choose-model", {detail: {kind, id}}));
}

export class ModelPicker {
  /** `changed(model)` hears of every other choice, and of news about the chosen one; `place` makes ids unique. */
  constructor(kind, changed, place = kind) {
    this.kind = kind;
    this.changed = changed;
    this.signature = "";
    this.wanted = localStorage.getItem(stored(kind));
    this.select = h("select", {id: `pick-${place}`, onchange: () => this.choose(this.select.value)});
    this.element = h("label.field", {htmlFor: this.select.id}, h("span.label", S.pick.model), this.select);
    onChange(once(() => this.render()));
    document.addEventListener("choose-model", ({detail}) => detail.kind === kind && this.choose(detail.id));
    this.fit();
  }

  get model() {
    return library.get(this.select.value) ?? null;
  }

  choose(id) {
    this.wanted = id;
    localStorage.setItem(stored(this.kind), id);
    this.select.value = id;
    this.changed(this.model);
  }

  render() {
    this.fit();
    if (library.isKnown()) this.changed(this.model);
  }

  fit() {
    const models = library.of(this.kind).filter(served);
    const signature = models.map((model) => `${groupOf(model)} ${model.id} ${model.is_default}`).join("\n");
    if (signature !== this.signature) {
      this.signature = signature;
      this.fill(models);
    }
  }

  fill(models) {
    const groups = ["loaded", "downloaded", "downloading", "available"].map((group) => {
      const found = models.filter((model) => groupOf(model) === group);
      return found.length ? h("optgroup", {label: S.models.groups[group]}, found.map(option)) : null;
    });
    this.select.replaceChildren(...groups.filter(Boolean));
    if (!models.length) this.select.append(h("option", {value: ""}, S.pick.none));
    this.select.disabled = !models.length;
    const usual = library.default(this.kind)?.id ?? "";
    this.select.value = this.wanted && library.get(this.wanted) ? this.wanted : usual;
  }
}

function option(model) {
  return h("option", {value: model.id}, model.is_default ? S.pick.default(model.id) : model.id);
}
