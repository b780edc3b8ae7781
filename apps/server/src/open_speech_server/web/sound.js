// Sound in memory: decoding files, peaks for drawing, and wav.

export const DRAWN_BYTES = 64e6; // larger files are played, not drawn
const RATE = 24_000;

/** A file's samples in mono at 24 kHz, or null where this browser cannot read it. */
export async function decode(file) {
  try {
    const context = new OfflineAudioContext(1, 1, RATE);
    const buffer = await context.decodeAudioData(await file.arrayBuffer());
    return {samples: mono(buffer), rate: buffer.sampleRate, seconds: buffer.duration};
  } catch {
    return null;
  }
}

function mono(buffer) {
  const samples = buffer.getChannelData(0);
  for (let channel = 1; channel < buffer.numberOfChannels; channel += 1) {
    const other = buffer.getChannelData(channel);
    for (let i = 0; i < samples.length; i += 1) samples[i] += other[i];
  }
  if (buffer.numberOfChannels > 1) for (let i = 0; i < samples.length; i += 1) samples[i] /= buffer.numberOfChannels;
  return samples;
}

/** The loudest of each of `count` stretches, 0 to 1, the loudest of all being 1. */
export function peaks(samples, count) {
  const found = new Float32Array(count);
  const stretch = samples.length / count;
  for (let bar = 0; bar < count; bar += 1) {
    const end = Math.min(samples.length, Math.ceil((bar + 1) * stretch));
    const start = Math.floor(bar * stretch);
    const step = Math.max(1, Math.floor((end - start) / 2000));
    for (let i = start; i < end; i += step) found[bar] = Math.max(found[bar], Math.abs(samples[i]));
  }
  const loudest = found.reduce((most, peak) => Math.max(most, peak), 0.05);
  return found.map((peak) => peak / loudest);
}

/** 16 bits, mono. */
export function wav(samples, rate) {
  const bytes = new ArrayBuffer(44 + samples.length * 2);
  const view = new DataView(bytes);
  const text = (at, letters) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  for (let i = 0; i < samples.length; i += 1) view.setInt16(44 + i * 2, Math.max(-1, Math.min(1, samples[i])) * 32767, true);
  return new Blob([bytes], {type: "audio/wav"});
}
