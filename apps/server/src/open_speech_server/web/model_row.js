// One model in the list: what is known of it and what can be done with it.
import {devicesFor, groupOf, isFetching, served, usualDevice} from "./library.js";
import {h, icon, iconButton, setText, show} from "./dom.js";
import {bytes, language} from "./format.js";
import {S} from "./strings.js";

const T = S.models;
const SHOWN_LANGUAGES = 3;
const USES = {stt: ["transcribe"], tts: ["speak"]}; // the other kinds work for these

/** What can be done now: the first is the obvious thing, the others stand beside it. */
export function verbs(model) {
  if (isFetching(model)) return ["cancel"];
  if (model.busy || model.state === "draining") return [];
  const onDisk = isHere(model);
  const removable = isOurs(model) && onDisk;
  switch (model.state) {
    case "loaded":
      return ["unload", model.pinned ? "unpin" : "pin"];
    case "provider_missing":
      return model.size_mb ? ["delete"] : [];
    default:
      if (!onDisk) return ["download", "load"];
      return removable ? ["load", "delete"] : ["load"];
  }
}

/** What the menu has beyond these. */
export function moreVerbs(model) {
  if (!served(model)) return [];
  const more = [...(USES[model.type] ?? [])];
  if (model.state !== "loaded") more.push(model.pinned ? "unpin" : "pin");
  if (model.source.length && ["downloaded", "loaded"].includes(model.state)) more.push("update");
  if (model.state === "loaded" && isOurs(model)) more.push("delete");
  return more;
}

/** Whether its files were fetched, so that they can be deleted; what pip installed is pip's. */
function isOurs(model) {
  return model.source.length > 0 && model.packages.length === 0;
}

/** Whether its files are on disk, or come with its provider. */
function isHere(model) {
  return ["loaded", "downloaded"].includes(groupOf(model));
}

export class ModelRow {
  /** `on(verb, model, device, button)` does what is asked. */
  constructor(model, on) {
    this.on = on;
    this.verbs = null;
    this.shown = null;
    this.name = h("h4.model-name", {id: `model-${model.id}`});
    const [last, ...before] = model.id.split("/").reverse();
    if (before.length) this.name.append(h("span.dim", `${before.reverse().join("/")}/`));
    this.name.append(last);
    this.badges = h("span.badges");
    this.meta = h("p.model-meta", {onpointerenter: () => this.tellMore()});
    this.abilities = h("ul.chips", {"aria-label": T.can});
    this.diskLabel = h("dt");
    this.disk = h("dd");
    this.memory = h("dd");
    this.device = h("dd.device");
    this.state = h("p.model-state");
    this.bar = h("progress", {max: 1, "aria-label": T.progressOf(model.id)});
    this.progressText = h("span.progress-text");
    this.progress = h("div.model-progress", {hidden: true}, this.bar, this.progressText);
    this.error = h("p.model-error", {hidden: true});
    this.main = h("div.model-actions-main");
    this.more = iconButton("more", T.actionsOf(model.id), () => this.on("menu", this.model, this.choice(), this.more), {
      "aria-haspopup": "menu", "aria-expanded": "false",
    });
    this.code = iconButton("code", `${S.code}: ${model.id}`, () => this.on("code", this.model, this.choice(), this.code));
    this.facts = h(
      "dl.model-facts",
      h("div", this.diskLabel, this.disk),
      h("div.running", h("dt", T.memory), this.memory),
      h("div.running", h("dt", T.device), this.device),
    );
    this.element = h(
      "li.model",
      {"aria-labelledby": this.name.id, dataset: {id: model.id}},
      h("div.model-main", h("div.model-title", this.name, this.badges), this.meta, this.abilities),
      this.facts,
      h("div.model-actions", this.state, this.main, this.code, this.more),
      this.progress,
      this.error,
    );
    this.update(model);
  }

  update(model) {
    if (model === this.shown) return;
    this.shown = this.model = model;
    this.element.dataset.state = model.state;
    this.updateBadges(model);
    this.updateMeta(model);
    setText(this.diskLabel, isHere(model) || !served(model) ? T.disk : T.toFetch);
    setText(this.disk, size(model));
    this.updateMemory(model);
    this.updateDevice(model);
    this.updateState(model);
    this.updateProgress(model);
    this.updateActions(model);
    show(this.error, Boolean(model.error));
    setText(this.error, model.error ?? "");
    show(this.more, moreVerbs(model).length > 0);
    show(this.code, served(model));
    show(this.facts, served(model) || Boolean(model.size_mb));
  }

  updateBadges(model) {
    const found = [];
    if (model.is_default) found.push(h("span.badge", T.default));
    if (model.pinned) found.push(h("span.badge.accent", icon("pin"), T.pinned));
    if (model.users) found.push(h("span.badge.busy", T.users(model.users)));
    this.badges.replaceChildren(...found);
  }

  updateMeta(model) {
    const count = model.languages.length;
    const spoken = count > SHOWN_LANGUAGES ? T.languages(count) : model.languages.map(language).join(", ");
    const facts = [model.provider, model.license, spoken, model.voices ? T.voices(model.voices) : "",
      model.packages.length ? T.packages(model.packages.join(", ")) : "", model.compute_type];
    const text = facts.filter(Boolean).join("  ·  ");
    setText(this.meta, text);
    const chips = model.capabilities.map((name) => S.abilities[name] ?? name.replaceAll("_", " "));
    if (this.chips !== chips.join()) {
      this.chips = chips.join();
      this.abilities.replaceChildren(...chips.map((text) => h("li", text)));
      show(this.abilities, chips.length > 0);
    }
  }

  /** Its description and all of its languages; their names are slow to find for every row. */
  tellMore() {
    const {description, languages} = this.model;
    const all = languages.length > SHOWN_LANGUAGES ? languages.map(language).join(", ") : "";
    this.meta.title = [description, all].filter(Boolean).join("\n");
  }

  updateMemory(model) {
    setText(this.memory, model.memory_bytes ? bytes(model.memory_bytes) : T.unknown);
    if (model.device_memory_bytes) this.memory.append(h("small", T.deviceMemory(bytes(model.device_memory_bytes))));
    const soon = model.ttl_remaining;
    this.memory.title = soon !== null && soon > 0 ? T.unload(soon) : "";
  }

  updateDevice(model) {
    const choices = served(model) && model.state !== "loaded" ? devicesFor(model) : [];
    const usual = usualDevice(model);
    if (choices.length < 2) {
      this.select = this.choices = null;
      const shown = model.state === "loaded" ? model.device : usual;
      const absent = !shown && model.devices.length > 0;
      this.device.replaceChildren(
        ...(absent ? [model.devices.join(", "), h("small", T.notHere)] : [shown ?? T.unknown]),
      );
      return;
    }
    if (this.choices !== choices.join()) {
      this.choices = choices.join();
      this.touched = false;
      this.select = h(
        "select.small", {"aria-label": T.deviceOf(model.id), onchange: () => (this.touched = true)},
        choices.map((device) => h("option", {value: device}, device)),
      );
      this.device.replaceChildren(this.select);
    }
    if (!this.touched) this.select.value = usual;
  }

  /** The device that was chosen, or null to leave it to the server. */
  choice() {
    return this.select && this.touched ? this.select.value : null;
  }

  updateState(model) {
    const waiting = model.busy && !["downloading", "loading", "draining"].includes(model.state);
    const said = waiting ? "queued" : model.state;
    const worth = waiting || ["loading", "draining", "failed", "provider_missing"].includes(model.state);
    show(this.state, worth);
    setText(this.state, T.states[said] ?? said);
  }

  updateProgress(model) {
    const fetching = isFetching(model);
    show(this.progress, fetching);
    if (!fetching) return;
    const news = model.download ?? {bytes_done: 0, bytes_total: 0, bytes_per_second: 0};
    const {bytes_done: done, bytes_total: total, bytes_per_second: rate} = news;
    if (total) this.bar.value = Math.min(1, done / total);
    else this.bar.removeAttribute("value");
    const parts = model.download ? [T.progress(done, total)] : [T.states.queued];
    if (rate > 0) parts.push(T.speed(rate));
    if (rate > 0 && total > done) parts.push(T.left((total - done) / rate));
    setText(this.progressText, parts.join("  ·  "));
  }

  updateActions(model) {
    const wanted = verbs(model);
    if (this.verbs === wanted.join()) return;
    const had = this.main.contains(document.activeElement);
    this.verbs = wanted.join();
    this.main.replaceChildren(
      ...wanted.map((verb, index) =>
        h(
          `button.small${index === 0 && verb === "load" ? ".primary" : ""}`,
          {type: "button", dataset: {verb}, "aria-label": T.labels[verb](model.id),
            onclick: (event) => this.on(verb, this.model, this.choice(), event.currentTarget)},
          T.actions[verb],
        ),
      ),
    );
    if (had) (this.main.firstElementChild ?? this.code).focus({preventScroll: true});
  }
}

export function size(model) {
  if (model.size_mb) return bytes(model.size_mb * 1e6);
  return model.source.length === 0 && served(model) ? T.embedded : T.unknown;
}

