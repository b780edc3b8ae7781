// Sound as it comes: from the microphone, or from a file in real time. Samples are mono at 24 kHz.
import {decode} from "./sound.js";

export const RATE = 24_000;
export const canListen = () => Boolean(globalThis.isSecureContext && navigator.mediaDevices?.getUserMedia && globalThis.AudioWorkletNode);

/** The microphones; they have names once one was allowed. */
export async function microphones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices.filter(({kind}) => kind === "audioinput");
}

export class Microphone {
  /** `onSamples(samples)` comes fifty times a second. */
  static async start(deviceId, onSamples) {
    const audio = {channelCount: 1, echoCancellation: true, noiseSuppression: true, ...(deviceId ? {deviceId: {exact: deviceId}} : {})};
    const stream = await navigator.mediaDevices.getUserMedia({audio});
    const context = new AudioContext({sampleRate: RATE});
    await context.audioWorklet.addModule(new URL("./microphone_worklet.js", import.meta.url));
    const node = new AudioWorkletNode(context, "microphone");
    node.port.onmessage = ({data}) => onSamples(data);
    context.createMediaStreamSource(stream).connect(node);
    return new Microphone(stream, context);
  }

  constructor(stream, context) {
    this.stream = stream;
    this.context = context;
  }

  stop() {
    for (const track of this.stream.getTracks()) track.stop();
    this.context.close();
  }
}

export class PlayedFile {
  /** Null where this browser cannot read the file; `onEnd` comes when it is over. */
  static async start(file, onSamples, onEnd) {
    const sound = await decode(file);
    return sound && new PlayedFile(sound.samples, onSamples, onEnd);
  }

  constructor(samples, onSamples, onEnd) {
    const began = performance.now();
    let sent = 0;
    this.timer = setInterval(() => {
      const due = Math.min(samples.length, Math.round(((performance.now() - began) / 1000) * RATE));
      if (due > sent) onSamples(samples.subarray(sent, due));
      sent = due;
      if (sent < samples.length) return;
      this.stop();
      onEnd();
    }, 20);
  }

  stop() {
    clearInterval(this.timer);
  }
}

/** 16-bit little-endian bytes of samples. */
export function pcm16(samples) {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  for (let i = 0; i < samples.length; i += 1) view.setInt16(i * 2, Math.max(-1, Math.min(1, samples[i])) * 32767, true);
  return new Uint8Array(view.buffer);
}

/** 0 to 1. */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.min(1, Math.sqrt(sum / Math.max(1, samples.length)) * 4);
}
