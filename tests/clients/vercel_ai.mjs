// Vercel's AI SDK speaks and hears: vercel_ai.mjs ADDRESS FILE MODEL
import fs from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { experimental_generateSpeech as speak, experimental_transcribe as hear } from "ai";

const [address, path, model] = process.argv.slice(2);
const server = createOpenAI({ baseURL: `${address}/v1`, apiKey: "unused" });
const { audio } = await speak({ model: server.speech("tts-1"), text: "Hello", voice: "alloy" });
const heard = await hear({
  model: server.transcription(model),
  audio: fs.readFileSync(path),
  providerOptions: { openai: { timestampGranularities: ["word"], language: "en" } },
});
console.log(JSON.stringify({
  heard: heard.text, segments: heard.segments.length, seconds: heard.durationInSeconds,
  sound: audio.uint8Array.length, kind: audio.mediaType,
}));
