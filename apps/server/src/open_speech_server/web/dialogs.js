// What opens over the page: questions, code to copy, menus, short messages.
import {h, icon, iconButton, setText} from "./dom.js";
import {S} from "./strings.js";

/** Show a modal dialog; resolves to what `close(value)` was given, or null. */
export function modal(title, build) {
  return new Promise((resolve) => {
    let result = null;
    const close = (value = null) => {
      result = value;
      dialog.close();
    };
    const heading = h("h2", {id: "dialog-title"}, title);
    const dialog = h(
      "dialog",
      {"aria-labelledby": "dialog-title"},
      h("header.dialog-head", heading, iconButton("close", S.close, () => close())),
      build(close),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function confirm(title, text, action) {
  return modal(title, (close) =>
    h(
      "div.dialog-body",
      h("p", text),
      h(
        "div.dialog-actions",
        h("button", {type: "button", onclick: () => close(false)}, S.cancel),
        h("button.danger", {type: "button", onclick: () => close(true)}, action),
      ),
    ),
  );
}

let messages = null;

/** A message that goes away by itself; screen readers say it. */
export function toast(text, kind = "note") {
  messages ??= document.getElementById("messages");
  const message = h(`div.toast.${kind}`, kind === "error" ? icon("warning") : null, h("span", text));
  const leave = () => message.remove();
  message.append(iconButton("close", S.close, leave));
  while (messages.childElementCount >= 4) messages.firstElementChild.remove();
  messages.append(message);
  let timer = setTimeout(leave, kind === "error" ? 12_000 : 4_000);
  message.addEventListener("pointerenter", () => clearTimeout(timer));
  message.addEventListener("pointerleave", () => {
    timer = setTimeout(leave, 3_000);
  });
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyOldWay(text)) return toast(S.copyFailed, "error");
  }
  return toast(S.copied);
}

/** Where the page came over plain HTTP from another machine, browsers have no clipboard. */
function copyOldWay(text) {
  const field = h("textarea.offscreen", {value: text, readOnly: true, "aria-hidden": "true"});
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

/** `actions`: {label: {curl, python, compose}}; shows one and lets people copy it. */
export function showCode(actions) {
  const labels = Object.keys(actions);
  let [action] = labels;
  let language = localStorage.getItem("open-speech.code") ?? "curl";
  return modal(S.snippet.title, () => {
    const code = h("code");
    const text = h("pre.code", {tabIndex: 0, role: "region", "aria-label": S.snippet.title}, code);
    const tabs = Object.entries(S.snippet.languages).map(([name, label]) =>
      h("button", {type: "button", dataset: {name}, onclick: () => choose(name)}, label),
    );
    const update = () => {
      setText(code, actions[action][language]);
      for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.name === language));
    };
    const choose = (name) => {
      language = name;
      localStorage.setItem("open-speech.code", name);
      update();
    };
    const picker = h(
      "select",
      {"aria-label": S.snippet.action, onchange: () => { action = picker.value; update(); }},
      labels.map((label) => h("option", {value: label}, label)),
    );
    update();
    return h(
      "div.dialog-body",
      h(
        "div.code-bar",
        h("div.segmented", {role: "group", "aria-label": S.snippet.language}, tabs),
        labels.length > 1 ? picker : null,
        h("button.primary", {type: "button", onclick: () => copy(code.textContent)}, icon("copy"), S.copy),
      ),
      text,
    );
  });
}

let openMenu = null;

/** A menu below a button: `items` are [label, action, kind?]; arrow keys move, Escape closes. */
export function menu(button, items) {
  if (openMenu) {
    const again = openMenu.button === button;
    openMenu.close();
    if (again) return;
  }
  const close = (focus = false) => {
    openMenu = null;
    list.remove();
    button.setAttribute("aria-expanded", "false");
    removeEventListener("pointerdown", outside, true);
    removeEventListener("scroll", away, true);
    removeEventListener("resize", away);
    if (focus) button.focus();
  };
  const outside = (event) => !list.contains(event.target) && !button.contains(event.target) && close();
  const away = () => close();
  const entries = items.map(([label, action, kind]) =>
    h(`button${kind ? `.${kind}` : ""}`, {
      type: "button", role: "menuitem", tabIndex: -1,
      onclick: () => { close(true); action(); },
    }, label),
  );
  const list = h("div.menu", {role: "menu", "aria-label": button.getAttribute("aria-label"), onkeydown: keys}, entries);
  function keys(event) {
    const at = entries.indexOf(document.activeElement);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1}[event.key];
    if (to !== undefined) entries.at(to % entries.length).focus();
    else if (event.key === "Escape" || event.key === "Tab") close(true);
    else return;
    if (event.key !== "Tab") event.preventDefault();
  }
  document.body.append(list);
  const box = button.getBoundingClientRect();
  const below = box.bottom + list.offsetHeight + 8 < innerHeight;
  list.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - list.offsetHeight - 4)}px`;
  list.style.left = `${Math.max(8, Math.min(box.right - list.offsetWidth, innerWidth - list.offsetWidth - 8))}px`;
  button.setAttribute("aria-expanded", "true");
  openMenu = {button, close};
  addEventListener("pointerdown", outside, true);
  addEventListener("scroll", away, true);
  addEventListener("resize", away);
  entries[0]?.focus({preventScroll: true});
}
