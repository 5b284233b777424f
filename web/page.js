// The page: an instrument's price, bars, and signals as they come.

import { Chart, MARKS } from "/web/chart.js";
import { Gaps } from "/web/gaps.js";
import { Stream } from "/web/stream.js";

const LENGTH_MS = { "1s": 1000, "1m": 60_000, "5m": 300_000, "1h": 3_600_000 };
const BARS_KEPT = 2000;
const SIGNALS_KEPT = 300;
const SIGNALS_LISTED = 100;
const ASK_HEALTH_MS = 2000;
const ASK_COVERAGE_MS = 2000;
const ALL_SIGNALS = "signals:*:*";

const $ = (id) => document.getElementById(id);
const state = {
  instrument: null, // {exchange, symbol, ...}
  interval: "1s",
  scope: "one",
  bars: new Map(), // interval -> Map(start text -> bar)
  signals: new Map(), // key -> signal
  offsets: new Map(), // channel and offset -> what it said
  last: null,
  feed: null, // {age, read}: its age in ms when that was read
  due: false, // whether a drawing is asked for already
  window: null, // {from, to}: the ms that the chart shows
};
const gaps = new Gaps($("gaps"));
const chart = new Chart($("chart"), {
  bar: showBar,
  moved: (behind) => { $("follow").hidden = !behind; },
  window: showWindow,
});
const stream = new Stream(`${location.origin.replace(/^http/, "ws")}/v1/stream`, {
  frame: hear,
  state: showConnection,
  followed: loadHistory,
});

// What is asked of REST.

async function ask(path, parameters = {}) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`, { cache: "no-store", headers: { "Cache-Control": "no-cache" } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function named() {
  return { exchange: state.instrument.exchange, symbol: state.instrument.symbol };
}

// The stream is followed before history is read, so that nothing falls between the two.
async function loadHistory(channel) {
  try {
    if (channel === ALL_SIGNALS) await loadSignals({});
    else if (channel === channelOf("bars")) await loadBars(state.instrument);
    else if (channel === channelOf("coverage")) await loadGaps(state.instrument);
  } catch (error) {
    console.warn(error);
    setTimeout(() => loadHistory(channel), 1000);
  }
}

async function loadBars(instrument) {
  const pages = await Promise.all(Object.keys(LENGTH_MS).map((interval) => ask("/v1/bars", { ...named(), interval, order: "desc", limit: 600 })));
  await loadSignals(named());
  if (instrument !== state.instrument) return;
  for (const page of pages) for (const bar of page.data) addBar(bar);
  draw();
}

async function loadSignals(whose) {
  const page = await ask("/v1/signals", { ...whose, order: "desc", limit: 200 });
  for (const signal of page.data.reverse()) addSignal(signal, true);
  listAll();
  draw();
}

async function loadGaps(instrument) {
  const asked = Date.now();
  const states = ["open", "healing", "unrecoverable"].map((name) => ["state", name]);
  const page = await ask("/v1/gaps", [...Object.entries(named()), ...states, ["order", "desc"], ["limit", 500]]);
  if (instrument !== state.instrument) return;
  gaps.replace(page.data, asked);
  draw();
}

async function loadInstruments() {
  const { data } = await ask("/v1/instruments", { limit: 5000 });
  const select = $("instrument");
  if (data.length && data.length !== Number(select.dataset.count ?? 0)) {
    select.dataset.count = data.length;
    select.replaceChildren(...byExchange(data));
    select.disabled = false;
    const wanted = decodeURIComponent(location.hash.slice(1));
    const chosen = data.find((each) => key(each) === (state.instrument ? key(state.instrument) : wanted)) ?? data[0];
    select.value = key(chosen);
    if (!state.instrument) choose(chosen);
  }
}

async function watchInstruments() {
  await loadInstruments().catch(console.warn);
  setTimeout(watchInstruments, state.instrument ? 30_000 : 1000);
}

function byExchange(instruments) {
  const groups = new Map();
  for (const instrument of instruments) {
    if (!groups.has(instrument.exchange)) groups.set(instrument.exchange, Object.assign(document.createElement("optgroup"), { label: instrument.exchange }));
    const option = new Option(instrument.symbol, key(instrument));
    option.instrument = instrument;
    groups.get(instrument.exchange).append(option);
  }
  return groups.values();
}

// What the stream says.

function hear(frame) {
  if (frame.op === "trade") hearTrade(frame.data);
  else if (frame.op === "bar" || frame.op === "signal") { take(frame.channel, frame.offset, frame.data); draw(); }
  else if (frame.op === "correction") { correct(frame); draw(); }
  else if (frame.op === "gap" && key(frame.data) === key(state.instrument)) { gaps.hear(frame.data); draw(); }
}

function take(channel, offset, data) {
  state.offsets.set(`${channel} ${offset}`, data);
  if (state.offsets.size > 5000) state.offsets.delete(state.offsets.keys().next().value);
  if (channel.startsWith("bars:")) addBar(data);
  else { addSignal(data, false); list(data); }
}

function correct(frame) {
  const had = state.offsets.get(`${frame.channel} ${frame.revises}`);
  if (had) {
    if (had.interval) state.bars.get(had.interval)?.delete(had.start);
    else { state.signals.delete(signalKey(had)); listed(had)?.classList.add("withdrawn"); }
  }
  if (frame.data) take(frame.channel, frame.offset, frame.data);
  if (!had) loadHistory(frame.channel.startsWith("bars:") ? channelOf("bars") : ALL_SIGNALS);
}

function hearTrade(trade) {
  if (`${trade.exchange}:${trade.symbol}` !== key(state.instrument)) return;
  if (state.last !== null && trade.price !== state.last) move(trade.price > state.last ? "up" : "down");
  state.last = trade.price;
  state.feed = { age: 0, read: Date.now() };
  $("price").textContent = String(trade.price);
  showLag($("venue-lag"), Date.parse(trade.received_at) - Date.parse(trade.ts), 2000);
  draw();
}

function move(direction) {
  $("price").dataset.move = direction;
  requestAnimationFrame(() => requestAnimationFrame(() => { $("price").dataset.move = ""; }));
}

// What is kept.

function key({ exchange, symbol }) { return `${exchange}:${symbol}`; }
function channelOf(family) { return `${family}:${key(state.instrument)}`; }
function signalKey(signal) { return [signal.exchange, signal.symbol, signal.kind, signal.version, signal.ts].join(" "); }

function addBar(bar) {
  if (key(bar) !== key(state.instrument)) return;
  if (!state.bars.has(bar.interval)) state.bars.set(bar.interval, new Map());
  const kept = state.bars.get(bar.interval);
  kept.set(bar.start, { ...bar, text: bar.start, start: Date.parse(bar.start) });
  if (kept.size > 2 * BARS_KEPT) sorted(bar.interval);
}

function addSignal(signal, past) {
  state.signals.set(signalKey(signal), { ...signal, past, time: Date.parse(signal.ts), heard: Date.now() });
  if (state.signals.size > SIGNALS_KEPT * 4) state.signals.delete(state.signals.keys().next().value);
  if (!past) showLag($("signal-lag"), latency(signal), 1000);
}

function latency(signal) { return Date.parse(signal.committed_at) - Date.parse(signal.received_at); }

// What is shown.

function draw() {
  if (!state.due) requestAnimationFrame(drawNow);
  state.due = true;
}

function drawNow() {
  state.due = false;
  if (!state.instrument) return;
  const length = LENGTH_MS[state.interval];
  const bars = sorted(state.interval);
  if (state.interval !== "1s") bars.push(...running(bars.at(-1), length));
  const signals = [...state.signals.values()].filter((signal) => key(signal) === key(state.instrument)).slice(-SIGNALS_KEPT);
  if (state.last === null && bars.length) $("price").textContent = String(bars.at(-1).close);
  $("empty").hidden = bars.length > 0;
  chart.show(bars, signals, gaps.spans(), state.last, length);
}

function sorted(interval) {
  const kept = state.bars.get(interval) ?? new Map();
  const bars = [...kept.values()].sort((a, b) => a.start - b.start);
  for (const bar of bars.splice(0, Math.max(0, bars.length - BARS_KEPT))) kept.delete(bar.text);
  return bars;
}

// The bar that is not final yet, out of the seconds that are.
function running(final, length) {
  const seconds = sorted("1s").filter((bar) => bar.start >= (final ? final.start + length : 0));
  const bars = new Map();
  for (const second of seconds) {
    const start = Math.floor(second.start / length) * length;
    const bar = bars.get(start) ?? { start, open: second.open, high: second.high, low: second.low, volume: 0, running: true };
    bars.set(start, { ...bar, high: Math.max(bar.high, second.high), low: Math.min(bar.low, second.low), close: second.close, volume: bar.volume + second.volume });
  }
  return bars.values();
}

function showBar(bar, signals) {
  if (!bar) return $("bar").replaceChildren();
  const figures = { O: bar.open, H: bar.high, L: bar.low, C: bar.close, V: Number(bar.volume.toPrecision(5)) };
  const parts = Object.entries(figures).map(([name, value]) => element("span", "", `${name} ${number(value)}`));
  if (bar.coverage < 1) parts.push(element("span", "unproven", `proven ${percent(bar.coverage)}`));
  for (const { direction, kind } of signals) parts.push(element("span", "", `${MARKS[direction]} ${kind}${direction === "ended" ? " ended" : ""}`));
  $("bar").replaceChildren(element("span", "", new Date(bar.start).toISOString().slice(0, 19).replace("T", " ")), ...parts);
}

function showWindow(from, to, holes) {
  state.window = { from, to };
  $("chart").setAttribute("aria-label", `Bars and signals over time${holes ? `, ${holes === 1 ? "one gap" : `${holes} gaps`} hatched` : ""}`);
}

// How much of what the chart shows is proven; asked again and again, since it heals.
async function watchCoverage() {
  if (state.instrument && state.window && state.window.from < state.window.to) await showCoverage(state.instrument, state.window).catch(console.warn);
  setTimeout(watchCoverage, ASK_COVERAGE_MS);
}

async function showCoverage(instrument, { from, to }) {
  const { share } = await ask("/v1/coverage", { ...named(), from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  if (instrument !== state.instrument) return;
  $("coverage").textContent = `coverage ${percent(share)}`;
  $("coverage").dataset.whole = String(share === 1);
}

// Never rounded up: 100 % is said when nothing is missing.
function percent(share) { return share === 1 ? "100 %" : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`; }

// A price as it was said; a mid price without the noise of its last binary digit.
function number(value) { return String(Number(value.toPrecision(12))); }

function listAll() {
  const chosen = [...state.signals.values()].filter(isListed).sort((a, b) => a.time - b.time).slice(-SIGNALS_LISTED);
  $("signals").replaceChildren(...chosen.reverse().map(item));
}

function list(signal) {
  if (!isListed(signal)) return;
  $("signals").prepend(item(state.signals.get(signalKey(signal))));
  while ($("signals").childElementCount > SIGNALS_LISTED) $("signals").lastElementChild.remove();
}

function isListed(signal) { return state.scope === "all" || (state.instrument && key(signal) === key(state.instrument)); }
function listed(signal) { return [...$("signals").children].find((each) => each.dataset.key === signalKey(signal)); }

function item(signal) {
  const li = element("li", signal.past ? "past" : "");
  Object.assign(li.dataset, { direction: signal.direction, kind: signal.kind, key: signalKey(signal) });
  const bar = element("i");
  bar.style.width = `${Math.round(Math.abs(signal.strength) * 100)}%`;
  const strength = element("div", "strength");
  strength.append(bar);
  const note = element("div", "note");
  const whose = state.scope === "all" ? `${signal.exchange} ${signal.symbol}` : `${signal.direction} · ${Math.round(Math.abs(signal.strength) * 100)}%`;
  note.append(element("span", "", whose), element("span", "", signal.ts.slice(11, 23)), element("span", "", milliseconds(latency(signal))));
  li.append(element("span", "mark", MARKS[signal.direction]), element("span", "kind", signal.kind), element("span", "at", number(signal.price)), note, strength);
  li.title = Object.entries(signal.evidence).map(([name, value]) => `${name} ${value}`).join("\n");
  return li;
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function milliseconds(value) {
  if (value >= 86_400_000) return "recorded";
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${Math.max(0, Math.round(value))} ms`;
}

function showLag(where, value, budget) {
  where.textContent = milliseconds(value);
  where.dataset.amiss = String(value > budget && value < 86_400_000);
}

function showConnection(name) {
  const words = { connecting: "connecting", live: "live", resuming: "resuming", waiting: "reconnecting", refused: "refused" };
  $("connection").dataset.state = name;
  $("connection").lastElementChild.textContent = words[name];
}

// How things stand.

async function examine() {
  try {
    const health = await (await fetch("/health", { cache: "no-store" })).json();
    showSource(health);
    $("problems").textContent = health.problems.join(" · ");
    state.feed = fresher(state.feed, feedOf(health.feeds));
    if (health.queue) showLag($("queue"), health.queue.oldest_seconds * 1000, 5000);
  } catch (error) {
    $("problems").textContent = "the API does not answer";
  }
  setTimeout(examine, ASK_HEALTH_MS);
}

function showSource({ simulated, recorded }) {
  $("simulated").hidden = !simulated || recorded;
  $("recorded").hidden = !recorded;
  document.title = `${recorded ? "RECORDED · " : simulated ? "SIMULATED · " : ""}Heliograph`;
}

function feedOf(feeds) {
  const ours = feeds.filter((feed) => feed.exchange === state.instrument?.exchange);
  const feed = ours.find((each) => each.symbols.includes(state.instrument.symbol)) ?? ours[0];
  return feed?.age_seconds == null ? null : { age: feed.age_seconds * 1000, read: Date.now() };
}

function fresher(had, told) {
  const age = (feed) => feed.age + Date.now() - feed.read;
  return had && told && age(had) < age(told) ? had : told;
}

function showFeedAge() {
  if (state.feed) showLag($("feed-age"), state.feed.age + Date.now() - state.feed.read, 30_000);
  else $("feed-age").textContent = "–";
}

// What the reader does.

function choose(instrument) {
  if (state.instrument) for (const family of ["bars", "trades", "coverage"]) stream.unfollow(channelOf(family));
  Object.assign(state, { instrument, last: null, feed: null, window: null });
  state.bars.clear();
  gaps.clear();
  $("coverage").textContent = "";
  location.hash = encodeURIComponent(key(instrument));
  $("price").textContent = "–";
  $("unit").textContent = `${instrument.quote} on ${instrument.exchange}`;
  stream.follow(channelOf("bars"));
  stream.follow(channelOf("trades"), { max_rate_ms: 100 });
  stream.follow(channelOf("coverage"));
  chart.follow();
  listAll();
  draw();
}

function press(group, name, value) {
  for (const button of document.querySelectorAll(`.${group} button`)) button.setAttribute("aria-pressed", String(button.dataset[name] === value));
}

for (const button of document.querySelectorAll(".intervals button")) {
  button.addEventListener("click", () => { state.interval = button.dataset.interval; press("intervals", "interval", state.interval); draw(); });
}
for (const button of document.querySelectorAll(".scopes button")) {
  button.addEventListener("click", () => { state.scope = button.dataset.scope; press("scopes", "scope", state.scope); listAll(); });
}
$("instrument").addEventListener("change", (event) => choose(event.target.selectedOptions[0].instrument));
$("follow").addEventListener("click", () => chart.follow());

stream.follow(ALL_SIGNALS);
stream.open();
watchInstruments();
watchCoverage();
setInterval(showFeedAge, 250);
examine();
