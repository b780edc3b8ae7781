// A voice conversation over /v1/realtime: what is said is answered aloud.
import {pcm16, RATE} from "./microphone.js";
import {openSocket} from "./live_socket.js";
import {PcmPlayer, PcmReader} from "./pcm_player.js";

const HEARD = "conversation.item.input_audio_transcription";

export class Conversing {
  /** `on` as for Transcribing, and {thinking(), answer(text, settled), speaking(is)} */
  static async open({model, language}, on) {
    const socket = await openSocket("v1/realtime");
    return new Conversing(socket, {model, language}, on);
  }

  constructor(socket, {model, language}, on) {
    this.socket = socket;
    this.on = on;
    this.player = new PcmPlayer();
    this.player.addEventListener("state", () => on.speaking(this.player.playing));
    this.texts = new Map();
    this.answer = null;
    const transcription = {...(model ? {model} : {}), ...(language ? {language} : {})};
    this.say({type: "session.update", session: {type: "realtime", audio: {input: {transcription}}}});
    socket.onmessage = ({data}) => this.take(JSON.parse(data));
    socket.onclose = ({code}) => {
      this.player.stop();
      on.end(code === 1000);
    };
  }

  say(event) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(event));
  }

  feed(samples) {
    const bytes = pcm16(samples);
    this.say({type: "input_audio_buffer.append", audio: btoa(String.fromCharCode(...bytes))});
  }

  take(event) {
    const {on} = this;
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.interrupt();
        on.speech(true);
        break;
      case "input_audio_buffer.speech_stopped":
        on.speech(false);
        break;
      case `${HEARD}.delta`: {
        const text = (this.texts.get(event.item_id) ?? "") + event.delta;
        this.texts.set(event.item_id, text);
        on.text({text, settled: text});
        break;
      }
      case `${HEARD}.completed`:
        this.texts.delete(event.item_id);
        if (event.transcript) on.final({text: event.transcript});
        break;
      case "response.created":
        on.thinking();
        break;
      case "response.output_item.added":
        this.begin(event.item.id);
        break;
      case "response.output_audio_transcript.delta":
        this.answer.text += event.delta;
        on.answer(this.answer.text, false);
        break;
      case "response.output_audio.delta":
        this.player.feed(this.answer.reader.read(Uint8Array.from(atob(event.delta), (letter) => letter.charCodeAt(0))));
        break;
      case "response.done":
        this.done(event.response);
        break;
      case "error":
        on.error(event.error.message);
        break;
      default:
    }
  }

  begin(id) {
    this.player.open(RATE);
    this.answer = {id, text: "", reader: new PcmReader()};
  }

  done(response) {
    if (response.status === "failed") this.on.error(response.status_details.error.message);
    this.player.finish();
    if (this.answer?.text) this.on.answer(this.answer.text, true);
  }

  /** Fall silent, and tell the server how much was heard. */
  interrupt() {
    if (!this.player.playing || !this.answer) return;
    const heard = Math.floor(this.player.position * 1000);
    this.player.stop();
    this.say({type: "conversation.item.truncate", item_id: this.answer.id, content_index: 0, audio_end_ms: heard});
  }

  stop() {
    this.player.stop();
    this.socket.close(1000);
  }
}
