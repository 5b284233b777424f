// A subscriber of /v1/stream that comes back by itself and resumes from its offsets.

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
const MUTE_AFTER_MS = 15_000; // the server beats every 5 s
const DO_NOT_COME_BACK = 4400;

export class Stream {
  #url;
  #tell;
  #channels = new Map(); // name -> {options, offsets: Map or null before the first answer}
  #requests = new Map(); // id -> the names asked for
  #socket = null;
  #epoch = null;
  #nextId = 1;
  #delay = FIRST_DELAY_MS;
  #mute = 0;

  // tell: {frame(frame), state(name, detail), lost(channel), followed(channel)}
  constructor(url, tell) {
    this.#url = url;
    this.#tell = tell;
  }

  follow(channel, options = {}) {
    this.#channels.set(channel, { options, offsets: null });
    this.#subscribe([channel]);
  }

  unfollow(channel) {
    this.#channels.delete(channel);
    this.#send({ op: "unsubscribe", id: this.#nextId++, channels: [channel] });
  }

  open() {
    this.#tell.state(this.#epoch ? "resuming" : "connecting");
    const socket = new WebSocket(this.#url, "heliograph.v1.json");
    this.#socket = socket;
    socket.onopen = () => this.#subscribe([...this.#channels.keys()]);
    socket.onmessage = (message) => this.#hear(JSON.parse(message.data));
    socket.onclose = (event) => this.#lost(event.code);
    this.#listen();
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #subscribe(names) {
    if (!names.length || this.#socket?.readyState !== WebSocket.OPEN) return;
    const id = this.#nextId++;
    this.#requests.set(id, names);
    this.#send({ op: "subscribe", id, channels: names.map((name) => this.#ask(name)), ...this.#log() });
  }

  #log() {
    return this.#epoch ? { epoch: this.#epoch } : {};
  }

  #ask(channel) {
    const { options, offsets } = this.#channels.get(channel);
    const ask = { channel, ...options };
    if (offsets?.size) ask.after = channel.includes("*") ? Object.fromEntries(offsets) : offsets.get(channel);
    return ask;
  }

  #hear(frame) {
    this.#listen();
    if (frame.op === "subscribed") this.#begin(frame);
    else if (frame.op === "error") this.#refused(frame);
    else if (this.#isNews(frame)) this.#tell.frame(frame);
  }

  #begin(frame) {
    this.#requests.delete(frame.id);
    this.#epoch = frame.epoch;
    this.#delay = FIRST_DELAY_MS;
    for (const result of frame.results) {
      const followed = this.#channels.get(result.channel);
      if (!followed) continue;
      const logged = result.offset !== undefined || result.offsets !== undefined;
      const resumed = logged && followed.offsets !== null && result.recovered !== false;
      if (!resumed) {
        const heads = result.offsets ?? (result.offset === undefined ? {} : { [result.channel]: result.offset });
        followed.offsets = new Map(Object.entries(heads));
        this.#tell.followed(result.channel);
      }
    }
    this.#tell.state("live");
  }

  #refused(frame) {
    const names = this.#requests.get(frame.id) ?? [];
    this.#requests.delete(frame.id);
    console.warn("stream:", frame.code, frame.message);
    if (frame.code === 1009) setTimeout(() => this.#subscribe(names.filter((name) => this.#channels.has(name))), 1000);
    if (frame.fatal) this.#tell.state("refused", frame.message);
  }

  // Remember how far we are; what we have already is no news.
  #isNews(frame) {
    if (frame.offset === undefined || frame.op === "caught_up") return true;
    let news = false;
    for (const [name, { offsets }] of this.#channels) {
      if (!offsets || !covers(name, frame.channel)) continue;
      if (frame.offset > (offsets.get(frame.channel) ?? 0)) {
        offsets.set(frame.channel, frame.offset);
        news = true;
      }
    }
    return news;
  }

  #lost(code) {
    clearTimeout(this.#mute);
    if (code >= DO_NOT_COME_BACK && code < 4500) return;
    const wait = Math.random() * this.#delay;
    this.#delay = Math.min(LONGEST_DELAY_MS, this.#delay * 2);
    this.#tell.state("waiting");
    setTimeout(() => this.open(), wait);
  }

  #listen() {
    clearTimeout(this.#mute);
    this.#mute = setTimeout(() => this.#socket.close(), MUTE_AFTER_MS);
  }
}

function covers(wanted, channel) {
  const [family, exchange, ...symbol] = wanted.split(":");
  const [family_, exchange_, ...symbol_] = channel.split(":");
  const same = (a, b) => a === "*" || a === b;
  return family === family_ && same(exchange, exchange_) && same(symbol.join(":"), symbol_.join(":"));
}
