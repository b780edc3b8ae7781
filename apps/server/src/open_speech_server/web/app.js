// The page: its tabs, its connection to the server, its key.
import {key, onKeyNeeded} from "./api.js";
import {icon, idle, setText, show} from "./dom.js";
import {toast} from "./dialogs.js";
import {askForKey} from "./key_dialog.js";
import {hear, library, onChange, onNews} from "./library.js";
import {follow} from "./live.js";
import {modelsView} from "./models.js";
import {S} from "./strings.js";
import {themeButton} from "./theme.js";

// The first tab is there at once; the others are fetched when they are wanted, or nothing else is.
const LATER = {
  transcribe: async () => (await import("./transcribe.js")).transcribeView,
  speak: async () => (await import("./speak.js")).speakView,
  live: async () => (await import("./listen.js")).listenView,
};
const MAKE = {models: async () => modelsView, ...LATER};
const views = new Map(); // promises
const $ = (id) => document.getElementById(id);

/** Show the tab that the address names; each is made when it is first wanted. */
async function route() {
  const name = location.hash.slice(1);
  const tab = name in MAKE ? name : "models";
  for (const each of Object.keys(MAKE)) {
    const panel = $(`tab-${each}`);
    if (each !== tab && !panel.hidden) views.get(each)?.then((view) => view.leave?.(), () => {});
    show(panel, each === tab);
  }
  if (!views.has(tab)) views.set(tab, make(tab));
  for (const link of document.querySelectorAll("nav a[href^='#']")) {
    if (link.hash === `#${tab}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${S.title[tab]} · Open Speech`;
  try {
    await views.get(tab);
  } catch {
    views.delete(tab); // for the next time
    toast(S.errors.network, "error");
  }
}

async function make(tab) {
  const view = (await MAKE[tab]())();
  $(`tab-${tab}`).append(view.element);
  return view;
}

let countdown = 0;

function showConnection({state, seconds}) {
  const pill = $("connection");
  const shown = state === "on" ? "on" : library.isKnown() || state !== "connecting" ? "off" : "connecting";
  pill.dataset.state = shown;
  setText(pill.lastElementChild, S.live[shown]);
  clearInterval(countdown);
  show($("lost"), shown === "off");
  if (state !== "waiting") {
    setText($("lost-text"), S.live.trying);
    return;
  }
  const until = performance.now() + seconds * 1000;
  const tick = () => setText($("lost-text"), key.get() || seconds < 3600 ? S.live.lost(Math.max(1, (until - performance.now()) / 1000)) : S.key.needed);
  tick();
  if (seconds > 2 && seconds < 3600) countdown = setInterval(tick, 1000);
}

async function start() {
  onKeyNeeded((wrong) => askForKey(wrong));
  themeButton($("theme"));
  onNews((event) => {
    if (event.type === "worker_died") toast(S.models.done.died(event.model), "error");
    if (event.type === "evicted") toast(S.models.done.evicted(event.model));
  });
  const now = follow(hear, showConnection);
  $("lost-now").addEventListener("click", now);
  const keyButton = $("key-button");
  keyButton.append(icon("key"));
  keyButton.addEventListener("click", async () => {
    if (await askForKey(false, true)) location.reload();
  });
  const fetchOthers = () => {
    if (fetchOthers.asked) return;
    fetchOthers.asked = true;
    idle(() => Object.values(LATER).forEach((load) => load().catch(() => {})));
  };
  onChange(fetchOthers); // once the list is there
  addEventListener("hashchange", route);
  await route();
  document.documentElement.dataset.ready = "true";
}

start();
