// Asking for speech and taking it as it is made: with the times of words where a model knows them.
import {ApiError, lines, pieces, request} from "./api.js";
import {library} from "./library.js";
import {PcmReader} from "./pcm_player.js";

export const RATE = 24_000; // of response_format=pcm

/**
 * Yields {samples, words}: sound in mono at RATE, and the words whose times have become known as
 * {word, start, end, from, to}: seconds from the start, characters (code points) of the text.
 */
export async function* speech(model, body, options) {
  const asked = {...body, response_format: "pcm"};
  const response = await (tellsTimes(model) ? timed(asked, options) : ask(asked, options));
  options.onAnswer?.();
  if (/json/.test(response.headers.get("Content-Type") ?? "")) yield* fromLines(response);
  else yield* fromBytes(response);
}

function tellsTimes(model) {
  const aligns = (other) => other.state === "loaded" && other.capabilities.includes("alignment");
  return model?.capabilities.includes("word_timestamps") || library.of("stt").some(aligns);
}

async function timed(body, options) {
  try {
    return await ask({...body, timestamps: true}, options);
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return ask(body, options); // without them, then
    throw error;
  }
}

function ask(body, {signal, onWait}) {
  return request("v1/audio/speech", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body), signal, onWait,
  });
}

async function* fromBytes(response) {
  const reader = new PcmReader();
  for await (const piece of pieces(response)) yield {samples: reader.read(piece), words: []};
}

async function* fromLines(response) {
  const reader = new PcmReader();
  for await (const line of lines(response)) {
    if (!line.trim()) continue;
    const {audio, timestamps, error} = JSON.parse(line);
    if (error) throw new ApiError(error.message);
    const words = (timestamps ?? []).map((each) => ({
      word: each.word, start: each.start_time, end: each.end_time, from: each.text_start ?? null, to: each.text_end ?? null,
    }));
    yield {samples: audio ? reader.read(fromBase64(audio)) : new Float32Array(), words};
  }
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
