// What the page does, as curl, as Python, and as a compose file.
import {key, modelPath, ROOT} from "./api.js";

const IMAGE = "${OPEN_SPEECH_IMAGE:-jwindsor1/open-speech:latest}";
const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const py = (value) => {
  if (value === true) return "True";
  if (value === false) return "False";
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
};

function authLines() {
  return key.get() ? [`-H "Authorization: Bearer $OS_API_KEY"`] : [];
}

function curl(method, path, ...lines) {
  const verb = method === "GET" || (method === "POST" && lines.some((line) => /^-[dF]/.test(line))) ? "" : ` -X ${method}`;
  return [`curl${verb} ${quote(ROOT + path)}`, ...authLines(), ...lines].join(" \\\n  ");
}

/** `settings`: environment of the server that serves this by itself. */
export function compose(settings) {
  const lines = Object.entries(settings).map(([name, value]) => `      ${name}: ${JSON.stringify(String(value))}`);
  return `services:
  open-speech:
    image: ${IMAGE}
    ports: ["8100:8100"]
    environment:
${lines.join("\n")}
    volumes: ["models:/root/.cache/open-speech"]
volumes:
  models:
    name: open-speech-models
`;
}

function plainPython(method, path, body) {
  const auth = key.get() ? `, headers={"Authorization": f"Bearer {os.environ['OS_API_KEY']}"}` : "";
  const json = body ? `, json={${Object.entries(body).map(([name, value]) => `${py(name)}: ${py(value)}`).join(", ")}}` : "";
  return `${key.get() ? "import os\n\n" : ""}import httpx

answer = httpx.${method.toLowerCase()}(${py(ROOT + path)}${json}${auth}, timeout=None)
answer.raise_for_status()
print(answer.json())
`;
}

/** The settings under which a server has a model from its start on. */
export function modelSettings(model, device) {
  const kind = model.type.toUpperCase();
  const settings = {[`${kind}_MODEL`]: model.id};
  if (device && ["stt", "tts"].includes(model.type)) settings[`${kind}_DEVICE`] = device;
  return settings;
}

/** Every way to do one thing with a model. */
export function modelSnippets(model, verb, device = null) {
  const [method, path, body] = {
    load: ["POST", modelPath(model.id, "load"), device ? {device} : null],
    download: ["POST", modelPath(model.id, "download"), null],
    cancel: ["POST", modelPath(model.id, "cancel"), null],
    update: ["POST", modelPath(model.id, "update"), null],
    pin: ["POST", modelPath(model.id, "pin"), {pin: true}],
    unpin: ["POST", modelPath(model.id, "pin"), {pin: false}],
    unload: ["DELETE", modelPath(model.id), null],
    delete: ["DELETE", modelPath(model.id, "cache"), null],
  }[verb];
  const data = body ? ["-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(body))}`] : [];
  const settings = modelSettings(model, device);
  // A server that should be without the model is one that is configured without it.
  if (verb === "unload") settings.OS_MODEL_TTL = 300;
  return {
    curl: curl(method, path, ...data),
    python: plainPython(method, path, body),
    compose: compose(settings),
  };
}

function client() {
  const value = key.get() ? `os.environ["OS_API_KEY"]` : `"unused"`;
  return `${key.get() ? "import os\n\n" : ""}from openai import OpenAI

client = OpenAI(base_url=${py(`${ROOT}v1`)}, api_key=${value})
`;
}

/** `fields` are those of the form; `task` is transcribe or translate. */
export function transcribeSnippets(model, fileName, fields, task) {
  const path = `v1/audio/${task === "translate" ? "translations" : "transcriptions"}`;
  const {diarize, ...others} = fields;
  // Segments have speakers, and there are none where words alone are asked for.
  if (diarize) delete others["timestamp_granularities[]"];
  const forms = Object.entries(diarize ? {...others, diarize} : others).map(([name, value]) => `-F ${quote(`${name}=${value}`)}`);
  const named = Object.entries(others).map(([name, value]) =>
    name.endsWith("[]") ? `    ${name.slice(0, -2)}=[${py(value)}],\n` : `    ${name}=${py(value)},\n`,
  );
  if (diarize) named.push(`    extra_body={"diarize": True},\n`);
  const said = diarize ? `for segment in result.segments:\n    print(f"{segment.speaker}: {segment.text.strip()}")` : "print(result.text)";
  return {
    curl: curl("POST", path, `-F ${quote(`file=@${fileName}`)}`, ...forms),
    python: `${client()}
with open(${py(fileName)}, "rb") as file:
    result = client.audio.${task === "translate" ? "translations" : "transcriptions"}.create(
        file=file,
${named.map((line) => `    ${line}`).join("")}    )
${said}
`,
    compose: compose(model ? modelSettings(model) : {}),
  };
}

export function speakSnippets(model, body) {
  const {input, model: id, response_format: format, voice, ...rest} = body;
  const more = Object.entries(rest).map(([name, value]) => `    ${name}=${py(value)},\n`).join("");
  const settings = model ? modelSettings(model) : {};
  if (voice) settings.TTS_VOICE = voice;
  if (body.speed && body.speed !== 1) settings.TTS_SPEED = body.speed;
  return {
    curl: `${curl("POST", "v1/audio/speech", "-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(body))}`)} \\\n  -o speech.${format}`,
    python: `${client()}
with client.audio.speech.with_streaming_response.create(
    model=${py(id)},
    voice=${py(voice ?? "default")},
    input=${py(input)},
    response_format=${py(format)},
${more}) as speech:
    speech.stream_to_file("speech.${format}")
`,
    compose: compose(settings),
  };
}
