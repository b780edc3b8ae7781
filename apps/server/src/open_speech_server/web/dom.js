// Making and arranging elements. Texts are always set as text, never as HTML.

/** h("button.small", {type: "button", onclick, "aria-label": "..."}, "Text", child, ...) */
export function h(selector, ...rest) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  const [first] = rest;
  const isProps = first && typeof first === "object" && !(first instanceof Node) && !Array.isArray(first);
  if (isProps) assign(element, rest.shift());
  element.append(...flat(rest));
  return element;
}

export function assign(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name in element && !name.startsWith("aria") && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name, value);
  }
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Make the children of `parent` be `nodes`, moving as few as possible; what has the focus keeps it. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let next = parent.firstChild;
  for (const node of nodes) {
    if (node === next) next = next.nextSibling;
    else place(parent, node, next);
  }
}

function place(parent, node, before) {
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  if (node.isConnected && parent.isConnected && parent.moveBefore) parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
  if (focused && document.activeElement !== focused) focused.focus({preventScroll: true});
}

export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Set only what changes: no needless layout, and no screen reader says a text twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  download: "M12 4v11m-5-5l5 5 5-5M5 20h14",
  key: "M14.5 9.5a4 4 0 1 1-2.9-3.8 4 4 0 0 1 2.9 3.8zM13 12l7 7m-3-3l2-2",
  mic: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11.5a6 6 0 0 0 12 0M12 18v3",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  pause: "M8 5v14M16 5v14",
  pencil: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  pin: "M12 21v-6M8 15h8l-1.5-4V5h1V3h-7v2h1v6z",
  play: "M8 5l11 7-11 7z",
  search: "M16 11a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0zM15 15l5 5",
  stop: "M7 7h10v10H7z",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4m11.2 11.2L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  upload: "M12 16V5m-5 5l5-5 5 5M5 20h14",
  warning: "M12 4L2.5 20h19zM12 10v4m0 3h.01",
};

/** A drawing beside a text or a label; it says nothing by itself. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, more = {}) {
  return h("button.icon-button", {type: "button", "aria-label": label, title: label, onclick, ...more}, icon(name));
}

/** Call `work` when nothing else is to be done. */
export function idle(work) {
  if (globalThis.requestIdleCallback) requestIdleCallback(work);
  else setTimeout(work, 300);
}

/** Call `work` once in the next frame, however often it is asked for meanwhile. */
export function once(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    const run = () => {
      if (!asked) return;
      asked = false;
      work();
    };
    requestAnimationFrame(run);
    setTimeout(run, 200); // pages in the background get no frames
  };
}

export function saveFile(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = h("a", {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
