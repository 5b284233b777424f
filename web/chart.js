// Bars and signals on a canvas. The axis is time: where nothing traded, nothing is drawn.

import { crosses, hatch, parts } from "/web/hatching.js";

const COLORS = {
  up: "#45b892", down: "#e2697a", ended: "#8290a5", grid: "#161c27", text: "#66748a",
  close: "#5f6f8a", last: "#e9b44c", cross: "#38445a", night: "#0a0d13",
};
const FONT = "11px system-ui, sans-serif";
const RIGHT = 72;
const BOTTOM = 24;
const TAG = 18;
const TOP = { wide: 26, narrow: 56 };
const NARROW = 480;
const VOLUME_SHARE = 0.16;
export const MARKS = { up: "▲", down: "▼", ended: "○" };
const STEPS_S = [1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 10800, 21600, 43200, 86400, 604800];

export class Chart {
  #canvas;
  #paint;
  #told; // {bar, moved, window}
  #bars = [];
  #signals = [];
  #gaps = [];
  #last = null;
  #length = 1000;
  #zoom = null; // intervals across when the reader has chosen; null shows what there is
  #end = null; // right edge in ms when the reader has moved it; null follows the newest
  #cross = null;
  #due = false;

  // told: {bar(bar or null, its signals), moved(isBehind), window(from, to, gaps)}: what is shown, in ms
  constructor(canvas, told) {
    this.#canvas = canvas;
    this.#paint = canvas.getContext("2d");
    this.#told = told;
    new ResizeObserver(() => this.#soon()).observe(canvas);
    this.#listen();
  }

  // bars: [{start (ms), open, high, low, close, volume, running}] in order of start; gaps: [{from, to, state}]
  show(bars, signals, gaps, last, length) {
    if (length !== this.#length) this.follow();
    [this.#bars, this.#signals, this.#gaps, this.#last, this.#length] = [bars, signals, gaps, last, length];
    this.#soon();
  }

  follow() {
    this.#end = null;
    this.#told.moved(false);
    this.#soon();
  }

  #soon() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => { this.#due = false; this.#draw(); });
  }

  #listen() {
    const canvas = this.#canvas;
    let held = null;
    canvas.addEventListener("pointerdown", (event) => { held = { x: event.clientX, end: this.#edge() }; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointerup", () => { held = null; });
    canvas.addEventListener("pointercancel", () => { held = null; });
    canvas.addEventListener("pointerleave", () => { this.#cross = null; this.#soon(); });
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      this.#cross = { x: event.clientX - box.left, y: event.clientY - box.top };
      if (held && Math.abs(event.clientX - held.x) > 3) this.#move(held.end - (event.clientX - held.x) / this.#scale());
      this.#soon();
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#zoom = Math.min(900, Math.max(20, this.#shown() * Math.exp(event.deltaY / 600)));
      this.#soon();
    }, { passive: false });
  }

  #move(end) {
    const newest = this.#newest();
    const oldest = (this.#bars[0]?.start ?? newest) + this.#length * 10;
    this.#end = end >= newest ? null : Math.max(oldest, end);
    this.#told.moved(this.#end !== null);
  }

  #newest() {
    const bar = this.#bars.at(-1);
    return (bar ? bar.start + this.#length : Date.now()) + this.#length * 2;
  }

  #edge() { return this.#end ?? this.#newest(); }
  #top() { return this.#canvas.clientWidth < NARROW ? TOP.narrow : TOP.wide; }
  #width() { return this.#canvas.clientWidth - RIGHT; }
  #scale() { return this.#width() / (this.#shown() * this.#length); } // pixels a millisecond

  #shown() {
    if (this.#zoom) return this.#zoom;
    const most = Math.max(48, Math.min(160, this.#width() / 6));
    const there = this.#bars.length ? (this.#newest() - this.#bars[0].start) / this.#length + 3 : most;
    return Math.min(most, Math.max(36, there));
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      [this.#canvas.width, this.#canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    }
    const paint = this.#paint;
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, width, height);
    paint.font = FONT;
    const view = this.#view(height);
    if (!view) { this.#told.bar(null); return; }
    this.#grid(view, width, height);
    paint.save();
    paint.beginPath();
    paint.rect(0, 0, this.#width(), height);
    paint.clip();
    hatch(paint, view.gaps, view.x, this.#top(), height - BOTTOM);
    this.#volumes(view, height);
    this.#closes(view);
    this.#candles(view);
    this.#marks(view);
    paint.restore();
    this.#lastLine(view, width);
    this.#crosshair(view, width, height);
    const begun = Math.max(view.from, Math.min(...[...view.bars.map((bar) => bar.start), ...view.gaps.map((gap) => gap.from)]));
    this.#told.window(begun, Math.min(view.end, view.bars.at(-1).start + this.#length), view.gaps.length);
  }

  #view(height) {
    const end = this.#edge();
    const from = end - this.#shown() * this.#length;
    const bars = this.#bars.filter((bar) => bar.start + this.#length > from && bar.start < end);
    if (!bars.length) return null;
    let low = Math.min(...bars.map((bar) => bar.low));
    let high = Math.max(...bars.map((bar) => bar.high));
    if (this.#end === null && this.#last) [low, high] = [Math.min(low, this.#last), Math.max(high, this.#last)];
    const room = (high - low || Math.abs(high) * 1e-4 || 1) * 0.08;
    [low, high] = [low - room, high + room];
    const floor = (height - BOTTOM - this.#top()) * (1 - VOLUME_SHARE) + this.#top();
    const x = (time) => (time - from) * this.#scale();
    const y = (price) => floor - ((price - low) / (high - low)) * (floor - this.#top());
    const gaps = this.#gaps.filter((gap) => gap.to > from && gap.from < end);
    return { bars, gaps, from, end, low, high, x, y, floor, price: (at) => low + ((floor - at) / (floor - this.#top())) * (high - low) };
  }

  #grid({ from, end, low, high, x, y, floor }, width, height) {
    const paint = this.#paint;
    paint.fillStyle = COLORS.text;
    paint.strokeStyle = COLORS.grid;
    paint.lineWidth = 1;
    paint.beginPath();
    paint.textBaseline = "middle";
    paint.textAlign = "left";
    const step = niceStep((high - low) / Math.max(2, floor / 64));
    const last = this.#last ? y(this.#last) : Infinity; // its tag lies over the labels beside it
    for (let price = Math.ceil(low / step) * step; price < high; price += step) {
      const at = Math.round(y(price)) + 0.5;
      paint.moveTo(0, at);
      paint.lineTo(this.#width(), at);
      if (Math.abs(at - last) > TAG) paint.fillText(priceText(price, step), this.#width() + 10, at);
    }
    const apart = STEPS_S.find((seconds) => seconds * 1000 * this.#scale() > 84) ?? STEPS_S.at(-1);
    paint.textAlign = "center";
    for (let time = Math.ceil(from / (apart * 1000)) * apart * 1000; time < end; time += apart * 1000) {
      const at = Math.round(x(time)) + 0.5;
      paint.moveTo(at, this.#top());
      paint.lineTo(at, height - BOTTOM);
      if (at > 24 && at < this.#width() - 24) paint.fillText(timeText(time, apart), at, height - BOTTOM / 2);
    }
    paint.stroke();
  }

  #volumes({ bars, x }, height) {
    const most = Math.max(...bars.map((bar) => bar.volume)) || 1;
    const room = (height - BOTTOM - this.#top()) * VOLUME_SHARE - 10;
    this.#paint.globalAlpha = 0.28;
    for (const bar of bars) {
      this.#paint.fillStyle = bar.close < bar.open ? COLORS.down : COLORS.up;
      const tall = Math.max(1, (bar.volume / most) * room);
      this.#paint.fillRect(x(bar.start) + this.#gap(), height - BOTTOM - tall, this.#body(), tall);
    }
    this.#paint.globalAlpha = 1;
  }

  #closes({ bars, gaps, x, y }) {
    const paint = this.#paint;
    paint.strokeStyle = COLORS.close;
    paint.globalAlpha = 0.55;
    paint.lineWidth = 1.25;
    paint.beginPath();
    let before = null;
    for (const bar of bars) {
      const [at, level] = [x(bar.start + this.#length / 2), y(bar.close)];
      const near = before !== null && bar.start - before <= this.#length * 1.5;
      if (near && !crosses(gaps, before + this.#length / 2, bar.start + this.#length / 2)) paint.lineTo(at, level);
      else paint.moveTo(at, level);
      before = bar.start;
    }
    paint.stroke();
    paint.globalAlpha = 1;
  }

  #candles({ bars, x, y }) {
    const paint = this.#paint;
    for (const bar of bars) {
      const color = bar.close < bar.open ? COLORS.down : COLORS.up;
      const middle = Math.round(x(bar.start + this.#length / 2)) + 0.5;
      const [top, bottom] = [y(Math.max(bar.open, bar.close)), y(Math.min(bar.open, bar.close))];
      paint.strokeStyle = paint.fillStyle = color;
      paint.globalAlpha = bar.running ? 0.5 : 1;
      paint.lineWidth = 1;
      paint.beginPath();
      paint.moveTo(middle, y(bar.high));
      paint.lineTo(middle, y(bar.low));
      paint.stroke();
      paint.fillRect(x(bar.start) + this.#gap(), top, this.#body(), Math.max(1, bottom - top));
    }
    paint.globalAlpha = 1;
  }

  #gap() { return this.#length * this.#scale() * 0.16; }
  #body() { return Math.max(1, this.#length * this.#scale() * 0.68); }

  #marks({ bars, from, end, x, y }) {
    const paint = this.#paint;
    const piled = new Map();
    paint.textAlign = "center";
    paint.textBaseline = "middle";
    for (const signal of this.#signals) {
      if (signal.time < from || signal.time > end) continue;
      const start = this.#startOf(signal);
      const bar = bars.find((each) => each.start === start);
      const below = signal.direction === "up";
      const pile = `${start}${below}`;
      const place = (piled.get(pile) ?? 0) + 1;
      piled.set(pile, place);
      const level = y(bar ? (below ? bar.low : bar.high) : signal.price) + (below ? 1 : -1) * place * 12;
      paint.fillStyle = COLORS[signal.direction];
      paint.fillText(MARKS[signal.direction], x(start + this.#length / 2), level);
    }
  }

  #lastLine({ gaps, from, end, low, high, x, y }, width) {
    if (!this.#last || this.#last < low || this.#last > high) return;
    const paint = this.#paint;
    const at = Math.round(y(this.#last)) + 0.5;
    paint.strokeStyle = COLORS.last;
    paint.globalAlpha = 0.6;
    paint.setLineDash([2, 4]);
    for (const [begin, stop] of parts(gaps, from, end)) line(paint, x(begin), at, x(stop), at);
    paint.setLineDash([]);
    paint.globalAlpha = 1;
    this.#tag(String(this.#last), at, COLORS.last, width);
  }

  #crosshair(view, width, height) {
    const cross = this.#cross;
    if (!cross || cross.x > this.#width()) { this.#tell(view.bars.at(-1)); return; }
    const time = view.from + cross.x / this.#scale();
    const bar = view.bars.findLast((each) => each.start <= time) ?? view.bars[0];
    const paint = this.#paint;
    paint.strokeStyle = COLORS.cross;
    const middle = Math.round(view.x(bar.start + this.#length / 2)) + 0.5;
    line(paint, middle, this.#top(), middle, height - BOTTOM);
    if (cross.y > this.#top() && cross.y < view.floor) {
      line(paint, 0, cross.y, this.#width(), cross.y);
      this.#tag(priceText(view.price(cross.y), (view.high - view.low) / 200), cross.y, COLORS.cross, width);
    }
    this.#tell(bar);
  }

  #tell(bar) { this.#told.bar(bar, this.#signals.filter((signal) => this.#startOf(signal) === bar.start)); }
  #startOf(signal) { return Math.floor((signal.time - 1) / this.#length) * this.#length; }

  #tag(text, at, color, width) {
    const paint = this.#paint;
    paint.fillStyle = color;
    paint.fillRect(this.#width() + 4, at - TAG / 2, width - this.#width() - 4, TAG);
    paint.fillStyle = color === COLORS.cross ? "#dbe1ea" : COLORS.night;
    paint.textAlign = "left";
    paint.textBaseline = "middle";
    paint.fillText(text, this.#width() + 10, at);
  }
}

function line(paint, ...[x, y, toX, toY]) {
  paint.lineWidth = 1;
  paint.beginPath();
  paint.moveTo(x, y);
  paint.lineTo(toX, toY);
  paint.stroke();
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((each) => each * power >= rough) * power;
}

function priceText(price, step) {
  return price.toFixed(Math.min(10, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
}

function timeText(time, apart) {
  const text = new Date(time).toISOString();
  if (apart >= 86400) return text.slice(5, 10);
  return apart >= 60 ? text.slice(11, 16) : text.slice(11, 19);
}
