// Requests to the server that this page came from, with the key where there is one.
import {S} from "./strings.js";

export const ROOT = new URL("./", document.baseURI).href;
const STORED = "open-speech.key";

export class ApiError extends Error {
  constructor(message, {status = 0, code = null, retryAfter = null} = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export const key = {
  get: () => sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED) ?? "",
  isKept: () => localStorage.getItem(STORED) !== null,
  set(value, keep) {
    key.forget();
    (keep ? localStorage : sessionStorage).setItem(STORED, value);
  },
  forget() {
    sessionStorage.removeItem(STORED);
    localStorage.removeItem(STORED);
  },
};

let asking = null;
let ask = async () => false;

/** `asker(wrong)` lets people enter a key; resolves to whether they did. */
export function onKeyNeeded(asker) {
  ask = asker;
}

/** One question for however many requests are refused at a time. */
function askForKey(used) {
  if (key.get() !== used) return Promise.resolve(true); // entered meanwhile
  asking ??= ask(used !== "").finally(() => {
    asking = null;
  });
  return asking;
}

/**
 * fetch, with the key; raises ApiError for any answer that is not OK. A 401 asks for the key and tries
 * again. `onWait(message)` allows waiting as long as the server says a model is on its way.
 */
export async function request(path, {onWait = null, ...options} = {}) {
  for (;;) {
    const used = key.get();
    const headers = {...options.headers, ...(used ? {Authorization: `Bearer ${used}`} : {})};
    let response;
    try {
      response = await fetch(new URL(path, ROOT), {cache: "no-store", ...options, headers});
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(S.errors.network);
    }
    if (response.ok) return response;
    const error = await asError(response);
    if (error.status === 401) {
      if (await askForKey(used)) continue;
      throw error;
    }
    if (error.code !== "model_not_ready" || !onWait) throw error;
    onWait(error.message);
    await pause(Math.min(error.retryAfter ?? 5, 10) * 1000, options.signal);
  }
}

async function asError(response) {
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  let said = {};
  try {
    said = (await response.json()).error ?? {};
  } catch {
    // not from our server: a proxy between
  }
  return new ApiError(said.message ?? S.errors.odd(response.status), {
    status: response.status,
    code: said.code ?? null,
    retryAfter: Number.isNaN(retryAfter) ? null : retryAfter,
  });
}

export async function json(path, options = {}) {
  const response = await request(path, options);
  return response.json();
}

export function post(path, body, options = {}) {
  const headers = body === undefined ? {} : {"Content-Type": "application/json"};
  return request(path, {method: "POST", headers, body: body === undefined ? undefined : JSON.stringify(body), ...options});
}

/** The path of one model: an id is written as it is, but for what a URL would take for its own. */
export function modelPath(id, verb = "") {
  const name = id.split("/").map(encodeURIComponent).join("/");
  return `api/models/${name}${verb ? `/${verb}` : ""}`;
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Pieces of bytes as they come; the body is cancelled when the caller stops. */
export async function* pieces(response) {
  const reader = response.body.getReader();
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Lines of text as they come, without their ends. */
export async function* lines(response) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces(response)) {
    const parts = (rest + decoder.decode(piece, {stream: true})).split("\n");
    rest = parts.pop();
    yield* parts;
  }
  rest += decoder.decode();
  if (rest) yield rest;
}

/** The JSON of server-sent events; `onComment` hears of lines that only keep the connection. */
export async function* events(response, onComment = () => {}) {
  for await (const line of lines(response)) {
    if (line.startsWith("data:")) yield JSON.parse(line.slice(5));
    else if (line.startsWith(":")) onComment();
  }
}
