// Segments as subtitles, the way the server writes them.

export function toText(segments) {
  return `${segments.map((segment) => segment.text.trim()).filter(Boolean).join(" ")}\n`;
}

export function toSrt(segments) {
  return cues(segments)
    .map((cue, index) => `${index + 1}\n${time(cue.start, ",")} --> ${time(cue.end, ",")}\n${cue.text.replaceAll("-->", "→")}\n\n`)
    .join("");
}

export function toVtt(segments) {
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `WEBVTT\n\n${cues(segments).map((cue) => `${time(cue.start, ".")} --> ${time(cue.end, ".")}\n${escape(cue.text)}\n\n`).join("")}`;
}

/** A cue ends after it starts, or players drop it. */
function cues(segments) {
  return segments
    .map((segment) => {
      const start = Math.max(0, Math.round(segment.start * 1000));
      return {start, end: Math.max(start + 1, Math.round(segment.end * 1000)), text: segment.text.split(/\r?\n/).map((part) => part.trim()).join(" ").trim()};
    })
    .filter((cue) => cue.text);
}

function time(ms, mark) {
  const pad = (number, width = 2) => String(number).padStart(width, "0");
  const seconds = Math.floor(ms / 1000);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${mark}${pad(ms % 1000, 3)}`;
}
