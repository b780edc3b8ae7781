// Plays sound that is still being made: pieces are put one after the other on the audio clock.

const LEAD_S = 0.03; // between scheduling and sounding; enough for the audio thread to take notice

export class PcmPlayer extends EventTarget {
  /** Events: `frame` with every picture while it plays, `state` when it starts, pauses or ends. */
  constructor() {
    super();
    this.context = null;
    this.reset(24_000);
  }

  /** Called within a click, or browsers keep it silent. */
  reset(rate) {
    this.stop();
    if (this.context?.sampleRate !== rate) {
      this.context?.close();
      // The context has the sound's own rate: nothing is resampled piece by piece.
      this.context = globalThis.AudioContext && this.used ? new AudioContext({sampleRate: rate, latencyHint: "interactive"}) : null;
    }
    this.rate = rate;
    this.chunks = []; // {samples, at: seconds from the start}
    this.seconds = 0;
    this.complete = false;
    this.paused = false;
    this.from = 0;
    this.origin = null; // the context's time at position 0
    this.heard = false;
  }

  open(rate) {
    this.used = true;
    this.reset(rate);
    this.context.resume();
  }

  feed(samples) {
    if (!samples.length) return;
    const chunk = {samples, at: this.seconds};
    this.chunks.push(chunk);
    this.seconds += samples.length / this.rate;
    if (!this.paused) this.schedule(chunk);
  }

  /** Nothing more will come. */
  finish() {
    this.complete = true;
    if (!this.sources.size && !this.paused) this.ended();
  }

  get playing() {
    return this.origin !== null && !this.paused;
  }

  get position() {
    if (this.origin === null) return this.from;
    const now = this.context.currentTime - (this.context.outputLatency || 0) - this.origin;
    return Math.max(0, Math.min(this.seconds, now));
  }

  pause() {
    if (!this.playing) return;
    this.from = this.position;
    this.paused = true;
    this.silence();
    this.tell("state");
  }

  /** Go on, or begin again after the end. */
  play() {
    if (this.playing || !this.chunks.length) return;
    this.context.resume();
    this.paused = false;
    if (this.complete && this.from >= this.seconds - 0.01) this.from = 0;
    this.begin();
  }

  seek(seconds) {
    const wasPlaying = this.playing;
    this.silence();
    this.from = Math.max(0, Math.min(this.seconds, seconds));
    if (wasPlaying) this.begin();
    else this.tell("frame");
  }

  stop() {
    this.silence();
    this.paused = true;
    this.from = 0;
    this.tell("state");
  }

  begin() {
    this.origin = null;
    for (const chunk of this.chunks) {
      if (chunk.at + chunk.samples.length / this.rate > this.from) this.schedule(chunk);
    }
  }

  schedule(chunk) {
    const soonest = Math.ceil((this.context.currentTime + LEAD_S) * this.rate) / this.rate;
    const skipped = Math.max(0, this.from - chunk.at);
    const begins = chunk.at + skipped;
    const first = this.origin === null;
    // The first one sets the clock; one that comes too late moves it.
    if (first || this.origin + begins < soonest - LEAD_S) this.origin = soonest - begins;
    const buffer = new AudioBuffer({length: chunk.samples.length, sampleRate: this.rate});
    buffer.copyToChannel(chunk.samples, 0);
    const source = new AudioBufferSourceNode(this.context, {buffer});
    source.connect(this.context.destination);
    source.start(this.origin + begins, skipped);
    this.sources.add(source);
    source.onended = () => {
      this.sources.delete(source);
      if (!this.sources.size && this.complete && this.playing) this.ended();
    };
    if (first) {
      this.tell("state");
      this.frame();
    }
  }

  ended() {
    this.origin = null;
    this.paused = true;
    this.from = this.seconds;
    this.tell("frame");
    this.tell("state");
  }

  silence() {
    for (const source of this.sources ?? []) {
      source.onended = null;
      source.stop();
    }
    this.sources = new Set();
    this.origin = null;
  }

  frame() {
    if (!this.playing) return;
    if (!this.heard && this.context.currentTime >= this.origin + this.from) {
      this.heard = true;
      this.tell("sound");
    }
    this.tell("frame");
    requestAnimationFrame(() => this.frame());
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  /** All samples so far, in one piece. */
  samples() {
    const all = new Float32Array(this.chunks.reduce((sum, chunk) => sum + chunk.samples.length, 0));
    let at = 0;
    for (const {samples} of this.chunks) {
      all.set(samples, at);
      at += samples.length;
    }
    return all;
  }
}

/** Bytes of 16-bit samples as they come, in pieces that may end within a sample. */
export class PcmReader {
  constructor() {
    this.odd = null;
  }

  read(bytes) {
    let all = bytes;
    if (this.odd !== null) {
      all = new Uint8Array(bytes.length + 1);
      all[0] = this.odd;
      all.set(bytes, 1);
    }
    this.odd = all.length % 2 ? all[all.length - 1] : null;
    const view = new DataView(all.buffer, all.byteOffset, all.length - (all.length % 2));
    const samples = new Float32Array(view.byteLength / 2);
    for (let i = 0; i < samples.length; i += 1) samples[i] = view.getInt16(i * 2, true) / 32768;
    return samples;
  }
}
