// The API page: every endpoint, drawn from /openapi.json.
import {json, key, onKeyNeeded, ROOT} from "./api.js";
import {h, iconButton, show} from "./dom.js";
import {copy} from "./dialogs.js";
import {askForKey} from "./key_dialog.js";
import {S} from "./strings.js";
import {themeButton} from "./theme.js";

const T = S.api;
const METHODS = ["get", "post", "put", "patch", "delete"];

function page(schema) {
  const tags = new Map();
  for (const [path, operations] of Object.entries(schema.paths)) {
    for (const method of METHODS.filter((each) => operations[each])) {
      const operation = operations[method];
      const tag = operation.tags?.[0] ?? "";
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(draw(method, path, operation, schema));
    }
  }
  const none = h("p.nothing", {hidden: true}, T.none);
  const search = h("input", {type: "search", placeholder: T.search, "aria-label": T.search, oninput: () => filter()});
  const sections = [...tags].map(([tag, operations]) => h("section", {"aria-label": tag}, h("h3.api-tag", tag.replaceAll("_", " ")), operations));
  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let any = false;
    for (const section of sections) {
      let some = false;
      for (const operation of section.querySelectorAll(".operation")) {
        const fits = words.every((word) => operation.dataset.words.includes(word));
        show(operation, fits);
        some ||= fits;
      }
      show(section, some);
      any ||= some;
    }
    show(none, !any);
  }
  return [
    h("header.api-head", h("h2", `${schema.info.title} ${schema.info.version}`), h("p", `${T.lead} `, h("a", {href: "openapi.json"}, T.raw)), search),
    ...sections, none,
  ];
}

function draw(method, path, operation, schema) {
  const details = h(
    "details.operation",
    {dataset: {words: `${method} ${path} ${operation.summary ?? ""}`.toLowerCase()}},
    h("summary", h(`span.method.${method}`, method.toUpperCase()), h("span.path", path), h("span.hint", operation.summary ?? "")),
  );
  // Most are never opened; each is filled when it is.
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(body(method, path, operation, schema)));
  return details;
}

function body(method, path, operation, schema) {
  const content = Object.entries(operation.requestBody?.content ?? {});
  const command = curl(method, path, content, schema);
  return h(
    "div.operation-body",
    prose(operation.description ?? "").map((parts) => h("p", parts)),
    operation.parameters?.length ? [h("h4", T.parameters), rows(operation.parameters.map((each) => [each.name, each.schema, each.required, each.description]), schema)] : null,
    content.map(([kind, {schema: fields}]) => [h("h4", T.body(kind)), fieldRows(fields, schema)]),
    h("div.row.spread", h("h4", T.curl), iconButton("copy", S.copy, () => copy(command))),
    h("pre.code", {tabIndex: 0, role: "region", "aria-label": T.curl}, command),
    h("h4", T.answers),
    h("ul.answers", Object.entries(operation.responses).map(([status, answer]) =>
      h("li", h("code", status), answer.description, " ", h("small", Object.keys(answer.content ?? {}).join(", "))))),
  );
}

function fieldRows(found, schema) {
  const fields = resolve(found, schema);
  return rows(Object.entries(fields.properties ?? {}).map(([name, field]) => [name, field, fields.required?.includes(name), field.description]), schema);
}

function rows(found, schema) {
  const head = h("tr", [T.field, T.type, T.meaning].map((label) => h("th", {scope: "col"}, label)));
  const lines = found.map(([name, field, required, meaning]) => {
    const otherwise = field.default === undefined || field.default === null ? "" : T.otherwise(JSON.stringify(field.default));
    return h("tr", h("td", name), h("td", type(field, schema), h("small", required ? T.required : otherwise)), h("td", prose(meaning ?? field.title ?? "").flat()));
  });
  return h("table", h("thead", head), h("tbody", lines));
}

/** The paragraphs of a description: lines are wrapped anew, and `this` is code. */
function prose(text) {
  return text.split(/\n\s*\n/).filter((each) => each.trim()).map((paragraph) =>
    paragraph.replace(/\s+/g, " ").split(/`+([^`]+)`+/).map((part, index) => (index % 2 ? h("code", part) : part)),
  );
}

function type(field, schema) {
  if (field.enum) return field.enum.join(" | ");
  if (field.const !== undefined) return String(field.const);
  if (field.anyOf) return [...new Set(field.anyOf.filter((each) => each.type !== "null").map((each) => type(each, schema)))].join(" or ");
  if (field.$ref) return field.$ref.split("/").at(-1);
  if (field.type === "array") return `list of ${type(field.items ?? {}, schema)}`;
  if (field.format === "binary") return "file";
  return field.type ?? "any";
}

function resolve(found, schema) {
  return found.$ref ? schema.components.schemas[found.$ref.split("/").at(-1)] : found;
}

function curl(method, path, content, schema) {
  const parts = [`curl${method === "get" || (method === "post" && content.length) ? "" : ` -X ${method.toUpperCase()}`} '${ROOT}${path.slice(1)}'`];
  if (key.get()) parts.push(`-H "Authorization: Bearer $OS_API_KEY"`);
  const [kind, {schema: fields} = {}] = content[0] ?? [];
  if (kind === "multipart/form-data") parts.push("-F file=@recording.wav");
  else if (kind) {
    const {properties = {}, required = []} = resolve(fields, schema);
    const names = required.length ? required : Object.keys(properties).slice(0, 1);
    parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(Object.fromEntries(names.map((name) => [name, properties[name]?.default ?? "…"])))}'`);
  }
  return parts.join(" \\\n  ");
}

async function start() {
  onKeyNeeded((wrong) => askForKey(wrong));
  themeButton(document.getElementById("theme"));
  const main = document.getElementById("main");
  try {
    main.replaceChildren(...page(await json("openapi.json")));
  } catch (error) {
    main.replaceChildren(h("p.nothing", {role: "alert"}, error.message));
  }
  document.documentElement.dataset.ready = "true";
}

start();
