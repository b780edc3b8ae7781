// Follow /api/events for as long as the page is open: reconnects with growing waits.
import {ApiError, events, request} from "./api.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;
const SILENCE_MS = 45_000; // three heartbeats

/**
 * `onEvent(event)` gets each one; the first after every connection is a snapshot of everything.
 * `onStatus({state, seconds})`: connecting, on, waiting. Returns a function that tries at once.
 */
export function follow(onEvent, onStatus) {
  let wake = () => {};
  let wait = FIRST_WAIT_MS;
  let attempts = 0;

  async function connect() {
    const abort = new AbortController();
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
    };
    try {
      alive();
      const response = await request("api/events", {signal: abort.signal});
      for await (const event of events(response, alive)) {
        alive();
        if (event.type === "snapshot") {
          wait = FIRST_WAIT_MS;
          attempts = 0;
          onStatus({state: "on"});
        }
        onEvent(event);
        if (event.type === "closing") return;
      }
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  function sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  (async () => {
    for (;;) {
      onStatus({state: attempts ? "trying" : "connecting"});
      let needed = wait;
      try {
        await connect();
      } catch (error) {
        // Whoever closed the question for the key is not asked again and again.
        if (error instanceof ApiError && error.status === 401) needed = 3_600_000;
        else if (error instanceof ApiError && error.retryAfter) needed = error.retryAfter * 1000;
      }
      attempts += 1;
      onStatus({state: "waiting", seconds: needed / 1000});
      await sleep(needed * (0.85 + 0.3 * Math.random()));
      wait = Math.min(LONGEST_WAIT_MS, wait * 1.8);
    }
  })();

  const now = () => {
    wait = FIRST_WAIT_MS;
    wake();
  };
  addEventListener("online", now);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  return now;
}
