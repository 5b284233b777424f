// What /health says, drawn again every two seconds.

const EVERY_MS = 2000;
const SECTIONS = {
  processes: ["Processes", ["role", "host", "pid", "age_seconds"]],
  feeds: ["Feeds", ["exchange", "symbols", "state", "age_seconds", "detail"]],
  ingesters: ["Ingesters", ["host", "pid", "buffer_share", "paused_reads", "resident_bytes"]],
  books: ["Books", ["exchange", "symbol", "state", "resyncs", "cause"]],
};
const FIGURES = ["database", "redis", "queue", "repairs", "gaps", "replica"];

const shown = (value) => {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "answers" : "does not answer";
  if (typeof value === "number" && !Number.isInteger(value)) return value.toFixed(2);
  if (typeof value === "object") return Object.entries(value).map(([name, each]) => `${name} ${shown(each)}`).join(", ");
  return String(value);
};

const row = (cells, kind) => {
  const line = document.createElement("tr");
  for (const cell of cells) {
    const element = document.createElement(kind);
    element.textContent = cell;
    line.append(element);
  }
  return line;
};

const table = (title, heading, rows) => {
  const section = document.createElement("section");
  const name = document.createElement("h2");
  name.textContent = title;
  const grid = document.createElement("table");
  if (heading) grid.append(row(heading.map((each) => each.replace("_", " ")), "th"));
  grid.append(...rows.map((cells) => row(cells, "td")));
  section.append(name, grid);
  return section;
};

const draw = (health) => {
  const status = document.getElementById("status");
  status.textContent = health.status;
  status.dataset.status = health.status;
  const said = [...health.problems, ...health.notes];
  const problems = said.length ? said : ["Nothing is amiss."];
  document.getElementById("problems").replaceChildren(...problems.map((problem) => {
    const item = document.createElement("li");
    item.textContent = problem;
    return item;
  }));
  const tables = [table("Stores and queues", null, FIGURES.map((name) => [name, shown(health[name])]))];
  for (const [name, [title, columns]] of Object.entries(SECTIONS)) {
    const rows = (health[name] || []).map((each) => columns.map((column) => shown(each[column])));
    if (rows.length) tables.push(table(title, columns, rows));
  }
  document.getElementById("tables").replaceChildren(...tables);
};

const ask = async () => {
  try {
    draw(await (await fetch("/health", { cache: "no-store" })).json());
  } catch {
    draw({ status: "down", problems: ["The API does not answer: is `heliograph api` running?"] });
  }
  setTimeout(ask, EVERY_MS);
};

ask();
