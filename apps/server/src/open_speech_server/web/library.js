// Every model as the server sees it, kept up to date by its events; and what can be done with one.
import {json, modelPath, post, request} from "./api.js";

const models = new Map();
const listeners = new Set();
const newsListeners = new Set();
const refreshing = new Map();
let providers = [];
let machine = []; // its devices
let usual = {}; // the configured device of each kind
let known = false;

export const library = {
  all: () => [...models.values()],
  get: (id) => models.get(id),
  of: (kind) => library.all().filter((model) => model.type === kind),
  default: (kind) => library.of(kind).find((model) => model.is_default && served(model)) ?? library.of(kind).find(served),
  providers: () => providers,
  isKnown: () => known,
};

/** `listener(ids)` hears which models changed; null stands for all of them. */
export function onChange(listener) {
  listeners.add(listener);
}

/** `listener(event)` hears what people may want to know though they did not ask for it. */
export function onNews(listener) {
  newsListeners.add(listener);
}

export function served(model) {
  return model.state !== "provider_missing";
}

/** The devices of this machine that a model can be loaded on. */
export function devicesFor(model) {
  return machine.filter((device) => model.devices.includes(device.split(":")[0]));
}

/** The one of them that it is loaded on if nobody says otherwise; null if there is none. */
export function usualDevice(model) {
  const here = devicesFor(model);
  const wanted = model.device ?? usual[model.type] ?? "";
  return [wanted, wanted.split(":")[0], here[0]].find((device) => here.includes(device)) ?? null;
}

/** Where a model is shown; those that the server was told to have and nobody serves need attention. */
export function groupOf(model) {
  switch (model.state) {
    case "provider_missing":
      return model.is_default || !model.size_mb ? "attention" : "orphaned";
    case "loaded":
    case "loading":
    case "draining":
      return "loaded";
    case "downloading":
    case "downloaded":
      return model.state;
    case "failed":
      return model.source.length === 0 || model.revision || model.packages.length ? "downloaded" : "available";
    default:
      return "available";
  }
}

export function isFetching(model) {
  return model.state === "downloading" || (model.busy && Boolean(model.download));
}

export function hear(event) {
  switch (event.type) {
    case "snapshot":
      replaceAll(event);
      refreshProviders();
      return;
    case "state":
      change(event.model, (model) => moved(model, event.state));
      refresh(event.model);
      return;
    case "progress":
      change(event.model, (model) => ({...model, busy: true, download: event}));
      return;
    case "pinned":
      change(event.model, (model) => ({...model, pinned: event.pinned}));
      return;
    case "providers":
      resync();
      return;
    case "reloaded":
      refresh(event.model);
      return;
    default:
      for (const listener of newsListeners) listener(event);
  }
}

function moved(model, state) {
  const fetching = state === "downloading";
  const busy = fetching || state === "loading";
  return {...model, state, busy, download: fetching ? model.download : null, error: state === "failed" ? model.error : null};
}

function replaceAll(found) {
  machine = found.devices;
  usual = found.default_device;
  models.clear();
  for (const model of found.models) keep(model);
  known = true;
  tell(null);
}

/** Where one model is loaded on two devices it is listed twice; the one that does more is shown. */
function keep(model) {
  const there = models.get(model.id);
  if (there && weight(there) > weight(model)) return;
  models.set(model.id, model);
}

function weight(model) {
  return {loaded: 3, draining: 2, loading: 2, downloading: 1}[model.state] ?? 0;
}

function change(id, work) {
  const model = models.get(id);
  if (!model) return;
  models.set(id, work(model));
  tell([id]);
}

function tell(ids) {
  for (const listener of listeners) listener(ids);
}

/** Ask for one model anew; changes that come meanwhile lead to one more question, not to many. */
function refresh(id) {
  if (refreshing.has(id)) {
    refreshing.set(id, true);
    return;
  }
  refreshing.set(id, false);
  json(modelPath(id, "status"))
    .then(adopt, (error) => error.status === 404 && forget(id))
    .finally(() => {
      const again = refreshing.get(id);
      refreshing.delete(id);
      if (again) refresh(id);
    });
}

export function adopt(model) {
  models.set(model.id, model);
  tell([model.id]);
  return model;
}

function forget(id) {
  models.delete(id);
  tell(null);
}

export async function resync() {
  try {
    replaceAll(await json("api/models"));
    await refreshProviders();
  } catch {
    // the next connection begins with everything
  }
}

async function refreshProviders() {
  try {
    takeProviders(await json("api/providers"));
  } catch {
    // the next connection asks again
  }
}

function takeProviders(answer) {
  providers = answer.providers;
  tell(null);
}

export const act = {
  async load(id, device) {
    return adopt(await (await post(`${modelPath(id, "load")}?wait=false`, device ? {device} : {})).json());
  },
  async download(id) {
    return adopt(await (await post(`${modelPath(id, "download")}?wait=false`)).json());
  },
  async cancel(id) {
    return adopt(await (await post(modelPath(id, "cancel"))).json());
  },
  async pin(id, pin) {
    return adopt(await (await post(modelPath(id, "pin"), {pin})).json());
  },
  async update(id) {
    const found = await (await post(modelPath(id, "update"))).json();
    adopt(found);
    return found.updated;
  },
  async unload(id) {
    await request(modelPath(id), {method: "DELETE"});
    refresh(id);
  },
  async delete(id) {
    await request(modelPath(id, "cache"), {method: "DELETE"});
    await resync(); // a model outside of the catalogue is gone with its files
  },
  async rescan() {
    takeProviders(await (await post("api/providers/rescan")).json());
    await resync();
  },
};
