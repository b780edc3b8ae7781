// Entering the key that a server wants.
import {h, setText} from "./dom.js";
import {modal} from "./dialogs.js";
import {key, ROOT} from "./api.js";
import {S} from "./strings.js";

/** Resolves to whether a key was entered. `wrong`: the one that was used is not right. */
export async function askForKey(wrong, changing = false) {
  const done = await modal(changing ? S.key.button : S.key.title, (close) => {
    const field = h("input", {
      type: "password", id: "key", autocomplete: "off", spellcheck: false, required: true,
      "aria-describedby": "key-problem", value: changing ? key.get() : "",
    });
    const keep = h("input", {type: "checkbox", checked: key.isKept()});
    const problem = h("p.problem", {id: "key-problem", role: "alert"}, wrong ? S.key.wrong : "");
    const enter = h("button.primary", {type: "submit"}, S.key.use);
    const submit = async (event) => {
      event.preventDefault();
      enter.disabled = true;
      const right = await isRight(field.value.trim());
      enter.disabled = false;
      if (right) {
        key.set(field.value.trim(), keep.checked);
        close(true);
      } else {
        setText(problem, S.key.wrong);
        field.setAttribute("aria-invalid", "true");
        field.select();
      }
    };
    return h(
      "form.dialog-body",
      {onsubmit: submit},
      h("p", changing ? S.key.change : S.key.text),
      h("label.field", {htmlFor: "key"}, h("span.label", S.key.label), field),
      problem,
      h("label.check", keep, S.key.keep),
      h(
        "div.dialog-actions",
        changing && key.get()
          ? h("button", {type: "button", onclick: () => { key.forget(); close(true); }}, S.key.forget)
          : null,
        enter,
      ),
    );
  });
  return done === true;
}

async function isRight(value) {
  try {
    const headers = {Authorization: `Bearer ${value}`};
    const response = await fetch(new URL("openapi.json", ROOT), {method: "HEAD", headers});
    return response.status !== 401;
  } catch {
    return false; // not even a header: letters that no header may have, or no server
  }
}
