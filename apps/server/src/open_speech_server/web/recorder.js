// Recording the microphone as webm/opus, with its level while it runs.
const TYPES = ["audio/webm;codecs=opus", "audio/webm", "audio/mp4", "audio/ogg;codecs=opus"];

export const canRecord = () => Boolean(globalThis.isSecureContext && navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);

export class Recording {
  /** `onLevel(level, seconds)` comes with every frame; the level is 0 to 1. */
  static async start(onLevel) {
    const stream = await navigator.mediaDevices.getUserMedia({audio: {channelCount: 1, echoCancellation: false}});
    return new Recording(stream, onLevel);
  }

  constructor(stream, onLevel) {
    this.stream = stream;
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.recorder = new MediaRecorder(stream, mimeType ? {mimeType} : {});
    this.parts = [];
    this.recorder.addEventListener("dataavailable", (event) => event.data.size && this.parts.push(event.data));
    this.stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve));
    this.started = performance.now();
    this.recorder.start(1000);
    this.watch(onLevel);
  }

  watch(onLevel) {
    this.context = new AudioContext();
    const analyser = new AnalyserNode(this.context, {fftSize: 1024});
    this.context.createMediaStreamSource(this.stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const frame = () => {
      if (this.recorder.state === "inactive") return;
      analyser.getFloatTimeDomainData(samples);
      const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      onLevel(Math.min(1, loudness * 4), this.seconds);
      requestAnimationFrame(frame);
    };
    frame();
  }

  get seconds() {
    return (performance.now() - this.started) / 1000;
  }

  /** Ends it; resolves to the file. */
  async stop(name) {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.stopped;
    for (const track of this.stream.getTracks()) track.stop();
    this.context.close();
    const type = this.recorder.mimeType || "audio/webm";
    return new File(this.parts, type.includes("mp4") ? name.replace("webm", "m4a") : name, {type: type.split(";")[0]});
  }
}
