// The Models tab: loaded, downloading, downloaded, available; each by what it does.
import {act, groupOf, library, onChange} from "./library.js";
import {arrange, h, icon, idle, once, setText, show} from "./dom.js";
import {confirm, menu, showCode, toast} from "./dialogs.js";
import {bytes, language, primary} from "./format.js";
import {ModelRow, moreVerbs, size, verbs} from "./model_row.js";
import {choose} from "./picker.js";
import {modelSnippets} from "./snippets.js";
import {S} from "./strings.js";

const T = S.models;
const GROUPS = ["loaded", "downloading", "downloaded", "available", "orphaned"];
const ALWAYS = ["loaded", "downloaded", "available"]; // shown though there may be nothing in them
const KINDS = ["stt", "tts", "vad", "turn", "diarization", "unknown"];
const STEP = 16; // rows of a list at a time; more come before the last is reached
const names = new Intl.Collator("en", {numeric: true});

export function modelsView() {
  const rows = new Map();
  const filters = new Filters(() => render());
  const lists = new Map(GROUPS.map((name) => [name, new Group(name, rowOf, () => render())]));
  const attention = new Attention(rowOf, () => render());
  const nothing = h(
    "p.nothing", {hidden: true}, T.none, " ",
    h("button.link", {type: "button", onclick: () => filters.clear()}, T.clear),
  );
  const loading = h("p.nothing", T.loading);
  const element = h(
    "div.models", filters.element, attention.element, loading, nothing,
    [...lists.values()].map((list) => list.element),
  );
  const awaited = new Map();
  let order = []; // of ids
  const listed = new Set();

  function rowOf(model) {
    let row = rows.get(model.id);
    if (!row) rows.set(model.id, (row = new ModelRow(model, perform)));
    else row.update(model);
    return row.element;
  }

  function render() {
    if (!library.isKnown()) return;
    const started = performance.now();
    const models = sorted();
    filters.offer(models);
    const found = models.filter((model) => filters.matches(model));
    const grouped = Object.fromEntries(["attention", ...GROUPS].map((name) => [name, []]));
    for (const model of found) grouped[groupOf(model)].push(model);
    for (const [name, list] of lists) list.render(grouped[name], filters.active());
    attention.render(grouped.attention, filters.active());
    show(loading, false);
    show(nothing, found.length === 0);
    filters.tell(found.length, models.length);
    performance.measure("models-render", {start: started});
  }

  /** In the order of the list; put in order only when there are others than before. */
  function sorted() {
    if (listed.size === 0) {
      order = library.all().sort(byName).map((model) => model.id);
      for (const id of order) listed.add(id);
    }
    return order.map(library.get);
  }

  async function perform(verb, model, device, button) {
    if (verb === "menu") return menu(button, menuItems(model, device, perform));
    if (verb === "code") return showCode(codeFor(model, device));
    if (verb === "transcribe" || verb === "speak") return useWith(verb, model);
    if (verb === "delete" && !(await confirm(T.confirmDelete(model.id), T.confirmText(model.size_mb ? size(model) : ""), T.actions.delete))) return null;
    if (button) button.disabled = true;
    try {
      await doing[verb](model, device);
    } catch (error) {
      toast(error.message, "error");
    } finally {
      if (button) button.disabled = false;
    }
    return null;
  }

  const doing = {
    async load(model, device) {
      awaited.set(model.id, "loaded");
      await act.load(model.id, device);
    },
    async download(model) {
      awaited.set(model.id, "downloaded");
      await act.download(model.id);
    },
    async cancel(model) {
      awaited.delete(model.id);
      await act.cancel(model.id);
      toast(T.done.cancelled(model.id));
    },
    async unload(model) {
      await act.unload(model.id);
      toast(T.done.unloaded(model.id));
    },
    async delete(model) {
      await act.delete(model.id);
      toast(T.done.deleted(model.id));
    },
    async pin(model) {
      await act.pin(model.id, true);
      toast(T.done.pinned(model.id));
    },
    async unpin(model) {
      await act.pin(model.id, false);
      toast(T.done.unpinned(model.id));
    },
    async update(model) {
      toast(T.done.updated(model.id, await act.update(model.id)));
    },
  };

  /** Say when what was asked for is done: it may take minutes. */
  function tellWhenDone() {
    for (const [id, wanted] of awaited) {
      const model = library.get(id);
      if (!model || model.state === "failed") {
        if (model?.error) toast(model.error, "error");
        else if (model) continue; // the reason is on its way
        awaited.delete(id);
      } else if (model.state === wanted && !model.busy) {
        awaited.delete(id);
        toast(T.done[wanted](id));
      }
    }
  }

  const soon = once(() => {
    render();
    tellWhenDone();
  });
  onChange((ids) => {
    if (!ids?.every((id) => listed.has(id))) listed.clear();
    soon();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select") || document.querySelector("dialog[open]");
    if (event.key !== "/" || typing || !element.checkVisibility?.()) return;
    event.preventDefault();
    filters.search.focus();
  });
  render();
  return {element};
}

function byName(one, other) {
  return Number(other.is_default) - Number(one.is_default) || names.compare(one.id, other.id);
}

function menuItems(model, device, perform) {
  const items = moreVerbs(model).map((verb) => [
    T.actions[verb], () => perform(verb, model, device, null), verb === "delete" ? "danger-text" : "",
  ]);
  return [...items, [`${S.code}…`, () => perform("code", model, device, null)]];
}

function codeFor(model, device) {
  const found = [...verbs(model), ...moreVerbs(model)].filter((verb) => !["transcribe", "speak"].includes(verb));
  const all = found.length ? found : ["load"];
  return Object.fromEntries(all.map((verb) => [T.actions[verb], modelSnippets(model, verb, device)]));
}

function useWith(verb, model) {
  choose(model.type, model.id);
  location.hash = verb;
}

/** Broken providers, and models that the server was told to have and nobody serves. */
class Attention {
  constructor(rowOf, render) {
    this.broken = h("div");
    this.list = new Group("attention", rowOf, render);
    this.again = h("button.small", {type: "button", onclick: () => this.look()}, T.rescan);
    this.element = h(
      "section.attention", {hidden: true, "aria-label": T.broken},
      h("header", icon("warning"), h("h2", T.broken), this.again), this.broken, this.list.element,
    );
  }

  async look() {
    this.again.disabled = true;
    try {
      await act.rescan();
      toast(T.rescanned);
    } catch (error) {
      toast(error.message, "error");
    }
    this.again.disabled = false;
  }

  render(models, filtered) {
    const broken = library.providers().filter((provider) => provider.status === "broken");
    const signature = JSON.stringify(broken.map((each) => [each.name, each.error]));
    if (this.signature !== signature) {
      this.signature = signature;
      this.broken.replaceChildren(...broken.map(brokenProvider));
    }
    this.list.render(models, filtered);
    show(this.element, broken.length + models.length > 0);
  }
}

function brokenProvider(provider) {
  const more = {tabIndex: 0, role: "region", "aria-label": T.reason};
  return h(
    "article",
    h("h3", T.brokenOf(provider.name), h("small", `${provider.distribution} ${provider.version}`)),
    h("p", provider.error),
    provider.detail ? h("details", h("summary", T.reason), h("pre.code", more, provider.detail)) : null,
  );
}

class Group {
  constructor(name, rowOf, render) {
    this.name = name;
    this.rowOf = rowOf;
    this.limits = Object.fromEntries(KINDS.map((kind) => [kind, STEP]));
    this.count = h("span.count");
    this.sum = h("span.sum");
    this.empty = h("p.empty", {hidden: true}, T.empty[name]);
    this.lists = Object.fromEntries(KINDS.map((kind) => [kind, this.makeList(kind, render)]));
    this.element = h("section.group", {hidden: true, dataset: {group: name}});
    if (name in T.groups) this.element.append(this.makeHeader(`group-${name}`));
    this.element.append(this.empty, ...KINDS.map((kind) => this.lists[kind].section));
  }

  makeHeader(id) {
    this.element.setAttribute("aria-labelledby", id);
    const title = h("h2", {id}, T.groups[this.name]);
    return h("header", title, this.count, h("p.hint", T.hints[this.name]), this.sum);
  }

  makeList(kind, render) {
    const list = h("ul.model-list", {role: "list"});
    const more = h("div.sentinel", {"aria-hidden": "true"});
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.limits[kind] += STEP;
        render();
      },
      {rootMargin: "900px"},
    );
    observer.observe(more);
    const count = h("span.count");
    const section = h("div.kind", h("h3", T.kinds[kind] ?? T.kindUnknown, count), list, more);
    return {section, list, more, count};
  }

  render(models, filtered) {
    setText(this.count, String(models.length));
    const memory = models.reduce((sum, model) => sum + (model.memory_bytes ?? 0), 0);
    setText(this.sum, this.name === "loaded" && memory ? T.memoryOf(bytes(memory)) : "");
    show(this.empty, models.length === 0);
    show(this.element, models.length > 0 || (ALWAYS.includes(this.name) && !filtered));
    for (const kind of KINDS) {
      const {section, list, more, count} = this.lists[kind];
      const found = models.filter((model) => model.type === kind);
      const shown = found.slice(0, this.limits[kind]);
      show(section, found.length > 0);
      show(more, shown.length < found.length);
      setText(count, String(found.length));
      const nodes = shown.map(this.rowOf);
      nodes.forEach((node, index) => {
        node.ariaSetSize = String(found.length);
        node.ariaPosInSet = String(index + 1);
      });
      arrange(list, nodes);
    }
  }
}

class Filters {
  constructor(changed) {
    this.changed = changed;
    this.kind = "all";
    this.haystacks = new WeakMap();
    this.search = h("input", {
      type: "search", placeholder: T.searchHint(matchMedia("(min-width: 721px)").matches), "aria-label": T.search, autocomplete: "off", spellcheck: false,
      oninput: changed,
      onkeydown: (event) => event.key === "Escape" && (this.search.value = "", changed()),
    });
    this.kinds = Object.entries(T.kinds).map(([kind, label]) =>
      h("button", {type: "button", dataset: {kind}, onclick: () => this.choose(kind)}, label),
    );
    this.provider = this.select(T.provider, T.allProviders);
    this.language = this.select(T.language, T.allLanguages);
    this.ability = this.select(T.ability, T.allAbilities);
    this.count = h("p.found", {role: "status"});
    this.element = h(
      "search.filters",
      h("div.search", icon("search"), this.search, this.count),
      this.provider, this.language, this.ability,
      h("div.segmented", {role: "group", "aria-label": T.kindLabel}, this.kinds),
    );
    this.choose("all", true);
  }

  select(label, all) {
    return h("select", {"aria-label": label, onchange: this.changed}, h("option", {value: ""}, all));
  }

  choose(kind, quietly = false) {
    this.kind = kind;
    for (const button of this.kinds) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    if (!quietly) this.changed();
  }

  clear() {
    this.search.value = this.provider.value = this.language.value = this.ability.value = "";
    this.choose("all");
    this.search.focus();
  }

  active() {
    return Boolean(this.search.value.trim() || this.provider.value || this.language.value || this.ability.value || this.kind !== "all");
  }

  /** The choices are those that lead to something. */
  offer(models) {
    const signature = models.map((model) => model.id).join();
    if (signature === this.signature) return;
    this.signature = signature;
    const kinds = new Set(["all", this.kind, ...models.map((model) => model.type)]);
    for (const button of this.kinds) show(button, kinds.has(button.dataset.kind));
    fill(this.provider, new Set(models.map((model) => model.provider).filter(Boolean)), (name) => name);
    fill(this.ability, new Set(models.flatMap((model) => model.capabilities)), (name) => S.abilities[name] ?? name);
    // Names of languages are slow to find: before they are wanted, if there is time.
    idle(() => {
      fill(this.language, new Set(models.flatMap((model) => model.languages.map(primary))), language);
      models.forEach((model) => this.haystack(model));
    });
  }

  matches(model) {
    if (this.kind !== "all" && model.type !== this.kind) return false;
    if (this.provider.value && model.provider !== this.provider.value) return false;
    if (this.language.value && !model.languages.some((tag) => primary(tag) === this.language.value)) return false;
    if (this.ability.value && !model.capabilities.includes(this.ability.value)) return false;
    const words = this.words();
    return words.length === 0 || words.every((word) => this.haystack(model).includes(word));
  }

  words() {
    if (this.searched !== this.search.value) {
      this.searched = this.search.value;
      this.wanted = this.searched.toLowerCase().split(/\s+/).filter(Boolean);
    }
    return this.wanted;
  }

  haystack(model) {
    let text = this.haystacks.get(model);
    if (text === undefined) {
      text = [model.id, model.provider, model.description, model.license, T.kinds[model.type] ?? "", ...model.aliases,
        ...model.languages, ...model.languages.map(language)].join("\n").toLowerCase();
      this.haystacks.set(model, text);
    }
    return text;
  }

  tell(found, all) {
    setText(this.count, this.active() ? `${found.toLocaleString("en")} of ${T.count(all)}` : T.count(all));
  }
}

function fill(select, values, label) {
  const {value} = select;
  const options = [...values].map((each) => [each, label(each)]).sort((one, other) => names.compare(one[1], other[1]));
  select.replaceChildren(select.options[0], ...options.map(([each, text]) => h("option", {value: each}, text)));
  select.value = values.has(value) ? value : "";
}
