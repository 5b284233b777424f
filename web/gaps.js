// What is known of one instrument's gaps, and the list of those that matter now.

const LISTED = 5;
const CLOSED_STAYS_MS = 8000;
const ENDED_STAYS_MS = 3_600_000; // an unrecoverable one is no news after an hour; the chart still shows it
const RANK = { open: 0, healing: 1, closed: 2, unrecoverable: 2 };
const WORDS = { open: "open", healing: "healing", closed: "closed", unrecoverable: "lost" };
const HINTS = {
  open: "Found, and not fetched yet",
  healing: "Its range is being fetched from the venue's history",
  closed: "Nothing is missing any more",
  unrecoverable: "The venue cannot give it back",
};

export class Gaps {
  #list;
  #known = new Map(); // gap_id -> {gap, heard (ms)}
  #timer = 0;

  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#known.clear();
    this.#show();
  }

  hear(gap) {
    this.#known.set(gap.gap_id, { gap, heard: Date.now() });
    this.#show();
  }

  // What REST says of all that is not closed. What the stream told since it was asked may be newer.
  replace(gaps, asked) {
    for (const [id, { heard }] of this.#known) if (heard < asked) this.#known.delete(id);
    for (const gap of gaps) {
      const had = this.#known.get(gap.gap_id);
      if (!had || RANK[had.gap.state] < RANK[gap.state]) this.#known.set(gap.gap_id, { gap, heard: asked });
    }
    this.#show();
  }

  // The intervals without proven trades: [{from (ms), to, state}] in order.
  spans() {
    return [...this.#known.values()]
      .filter(({ gap }) => gap.kind === "trades" && gap.state !== "closed")
      .map(({ gap }) => ({ from: Date.parse(gap.from_ts), to: Date.parse(gap.to_ts), state: gap.state }))
      .sort((a, b) => a.from - b.from);
  }

  #show() {
    const shown = [...this.#known.values()].filter(matters).sort((a, b) => RANK[a.gap.state] - RANK[b.gap.state] || b.gap.gap_id - a.gap.gap_id);
    this.#list.replaceChildren(...shown.slice(0, LISTED).map(({ gap }) => item(gap)));
    if (shown.length > LISTED) this.#list.append(Object.assign(document.createElement("li"), { className: "more", textContent: `and ${shown.length - LISTED} more` }));
    this.#list.hidden = !shown.length;
    clearTimeout(this.#timer);
    if (shown.some(({ gap }) => RANK[gap.state] === 2)) this.#timer = setTimeout(() => this.#show(), 1000);
  }
}

function matters({ gap, heard }) {
  if (gap.state === "closed") return Date.now() - heard < CLOSED_STAYS_MS;
  return gap.state !== "unrecoverable" || Date.now() - Date.parse(gap.closed_at ?? gap.opened_at) < ENDED_STAYS_MS;
}

function item(gap) {
  const li = document.createElement("li");
  Object.assign(li.dataset, { state: gap.state, gap: gap.gap_id });
  li.title = [HINTS[gap.state], gap.detail].filter(Boolean).join("\n");
  const long = (Date.parse(gap.to_ts) - Date.parse(gap.from_ts)) / 1000;
  const what = gap.kind === "depths" ? "no book" : "no trades";
  for (const [name, text] of [["state", WORDS[gap.state]], ["what", what], ["when", gap.from_ts.slice(11, 19)], ["long", lasting(long)], ["cause", gap.cause]]) {
    li.append(Object.assign(document.createElement("span"), { className: name, textContent: text }));
  }
  return li;
}

function lasting(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
