// Dark or light: what the system says, unless people say otherwise.
import {icon} from "./dom.js";
import {S} from "./strings.js";

const STORED = "open-speech.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (localStorage.getItem(STORED) ?? (system.matches ? "dark" : "light")) === "dark";

export function themeButton(button) {
  const render = () => {
    const dark = isDark();
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.replaceChildren(icon(dark ? "sun" : "moon"));
    button.ariaLabel = button.title = S.theme(dark);
    document.dispatchEvent(new Event("theme"));
  };
  button.addEventListener("click", () => {
    const wanted = isDark() ? "light" : "dark";
    if ((system.matches ? "dark" : "light") === wanted) localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, wanted);
    render();
  });
  system.addEventListener("change", render);
  render();
}
