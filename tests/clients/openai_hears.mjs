// The openai package hears a file in every form: openai_hears.mjs ADDRESS FILE MODEL
import fs from "node:fs";
import OpenAI from "openai";

const [address, path, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "unused", maxRetries: 0 });
const heard = {};
for (const response_format of ["json", "text", "srt", "verbose_json", "vtt"]) {
  heard[response_format] = await client.audio.transcriptions.create({
    file: fs.createReadStream(path),
    model,
    response_format,
    language: "en",
    keywords: ["nine", "zero"],
    ...(response_format === "verbose_json" && { timestamp_granularities: ["word", "segment"] }),
    ...(response_format === "json" && { include: ["logprobs"] }),
  });
}
heard.events = [];
const events = await client.audio.transcriptions.create({
  file: fs.createReadStream(path),
  model,
  stream: true,
  chunking_strategy: { type: "server_vad", threshold: 0.4 },
});
for await (const event of events) heard.events.push(event);
heard.refused = await client.audio.transcriptions
  .create({ file: fs.createReadStream(path), model: "nobody/has-it" })
  .catch((error) => [error.constructor.name, error.status, error.code]);
const spoken = await client.audio.speech.create({
  model: "tts-1", voice: "alloy", input: "Hello", response_format: "wav",
});
heard.spoken = (await spoken.arrayBuffer()).byteLength;
console.log(JSON.stringify(heard));
