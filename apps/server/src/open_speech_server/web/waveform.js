// A drawing of a sound that shows and sets the position in it.
import {h} from "./dom.js";
import {clock} from "./format.js";
import {peaks} from "./sound.js";

const BAR = 3;
const GAP = 2;

export class Waveform {
  /** `seek(seconds)` is called when people choose a position. */
  constructor(label, seek) {
    this.samples = null;
    this.seconds = 0;
    this.position = 0;
    this.seek = seek;
    this.canvas = h("canvas.wave", {
      tabIndex: 0, role: "slider", "aria-label": label, "aria-valuemin": "0",
      onpointerdown: (event) => {
        this.canvas.setPointerCapture(event.pointerId);
        this.point(event);
      },
      onpointermove: (event) => event.buttons && this.point(event),
      onkeydown: (event) => this.keys(event),
    });
    new ResizeObserver(() => this.measure()).observe(this.canvas);
    document.addEventListener("theme", () => this.draw());
    this.set(null, 0);
  }

  set(samples, seconds) {
    this.samples = samples;
    this.seconds = seconds;
    this.canvas.setAttribute("aria-valuemax", seconds.toFixed(1));
    this.measure();
    this.show(0);
  }

  show(position) {
    this.position = position;
    this.canvas.setAttribute("aria-valuenow", position.toFixed(1));
    this.canvas.setAttribute("aria-valuetext", `${clock(position)} of ${clock(this.seconds)}`);
    this.draw();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    this.go(((event.clientX - box.left) / box.width) * this.seconds);
  }

  keys(event) {
    const step = {ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageUp: 15, PageDown: -15}[event.key];
    if (step) this.go(this.position + step);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.seconds);
    else return;
    event.preventDefault();
  }

  go(seconds) {
    if (this.seconds) this.seek(Math.max(0, Math.min(this.seconds, seconds)));
  }

  measure() {
    const {clientWidth: width, clientHeight: height} = this.canvas;
    if (!width) return;
    this.canvas.width = width * devicePixelRatio;
    this.canvas.height = height * devicePixelRatio;
    const count = Math.max(1, Math.floor(width / (BAR + GAP)));
    this.bars = this.samples ? peaks(this.samples, count) : new Float32Array(count);
    this.draw();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    const heard = this.seconds ? (this.position / this.seconds) * width : 0;
    (this.bars ?? []).forEach((peak, index) => {
      const left = index * (BAR + GAP);
      const tall = Math.max(2, peak * (height - 8));
      context.fillStyle = style.getPropertyValue(left < heard ? "--accent" : "--wave");
      context.beginPath();
      context.roundRect(left, (height - tall) / 2, BAR, tall, 1.5);
      context.fill();
    });
    if (this.position > 0) {
      context.fillStyle = style.getPropertyValue("--accent");
      context.fillRect(Math.min(width - 2, heard), 0, 2, height);
    }
  }
}
