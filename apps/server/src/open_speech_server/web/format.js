// Numbers and names for people.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Decimal units, as disks and hubs use them. */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : value >= 10 ? 0 : 1)} ${UNITS[unit]}`;
}

/** 75 -> "1:15", 3671 -> "1:01:11" */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

/** A rough length of time: "8 s", "3 min", "2 h". */
export function about(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

const names = new Map();
let display = null;

/** "de-AT" -> "German (Austria)" */
export function language(tag) {
  if (!names.has(tag)) {
    try {
      display ??= new Intl.DisplayNames(["en"], {type: "language", languageDisplay: "standard"});
      names.set(tag, display.of(tag) ?? tag);
    } catch {
      names.set(tag, tag);
    }
  }
  return names.get(tag);
}

/** "de-AT" -> "de" */
export function primary(tag) {
  return tag.split("-")[0].toLowerCase();
}
