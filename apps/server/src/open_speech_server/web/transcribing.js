// Live transcription: sound to /v1/audio/stream, utterances back.
import {pcm16, RATE} from "./microphone.js";
import {openSocket} from "./live_socket.js";

export class Transcribing {
  /** `on`: {speech(is), text({text, settled, start, end}), final({text, start, end, language, latency}), error(message), end()} */
  static async open({model, language}, on) {
    const query = new URLSearchParams({sample_rate: RATE, ...(model ? {model} : {}), ...(language ? {language} : {})});
    return new Transcribing(await openSocket(`v1/audio/stream?${query}`), on);
  }

  constructor(socket, on) {
    this.socket = socket;
    this.began = null;
    let settled = "";
    socket.onmessage = ({data}) => {
      const event = JSON.parse(data);
      if (event.type === "vad") on.speech(event.state === "speech_start");
      else if (event.type === "error") on.error(event.message);
      else if (event.type === "transcript" && event.speech_final) {
        settled = "";
        on.final({...event, latency: performance.now() - this.began - event.end * 1000});
      } else if (event.type === "transcript") {
        if (event.is_final) settled = event.text;
        on.text({...event, settled});
      }
    };
    socket.onclose = ({code}) => on.end(code === 1000);
  }

  feed(samples) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.began ??= performance.now() - (samples.length / RATE) * 1000;
    this.socket.send(pcm16(samples));
  }

  stop() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({type: "stop"}));
  }
}
