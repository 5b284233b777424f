// Draw /openapi.json for people.

const described = await (await fetch("/openapi.json")).json();
document.getElementById("about").append(...prose(described.info.description));
const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => route(path, method, operation)));
document.getElementById("routes").append(...routes);

function route(path, method, operation) {
  const article = element("article");
  const heading = element("h2");
  heading.append(element("span", method.toUpperCase()), path);
  const told = element("p");
  told.append(...prose(operation.description ?? operation.summary ?? ""));
  const parameters = operation.parameters ?? [];
  article.append(heading, told, element("pre", `curl '${location.origin}${example(path, parameters)}'`));
  if (parameters.length) article.append(element("h3", "You may say"), table(parameters.map(parameter)));
  const row = rowOf(operation.responses?.["200"]?.content?.["application/json"]?.schema);
  if (row?.properties) article.append(element("h3", "You are told"), table(Object.entries(row.properties).map(([name, schema]) => [name, kind(schema), false])));
  return article;
}

function parameter({ name, required, description, schema }) {
  return [name, [kind(schema), description, schema.default === undefined || schema.default === null ? "" : `default ${schema.default}`].filter(Boolean).join(" · "), required];
}

function kind(schema) {
  const resolved = resolve(schema);
  if (resolved.enum) return resolved.enum.join(" | ");
  if (resolved.const !== undefined) return String(resolved.const);
  if (resolved.anyOf) return resolved.anyOf.map(kind).filter((each) => each !== "null").join(" | ");
  if (resolved.type === "array") return `list of ${kind(resolved.items)}`;
  return resolved.type ?? "";
}

// What the rows of a page look like, or the answer itself.
function rowOf(schema) {
  if (!schema) return null;
  const page = resolve(schema);
  return page.properties?.data ? resolve(page.properties.data.items) : page.properties ? page : null;
}

function resolve(schema) {
  if (!schema?.$ref) return schema ?? {};
  return schema.$ref.split("/").slice(1).reduce((at, step) => at[step], described);
}

function example(path, parameters) {
  const values = { exchange: "binance", symbol: "BTC/USDT", interval: "1m" };
  const asked = parameters.filter(({ name, required }) => required || name === "symbol").map(({ name }) => `${name}=${values[name] ?? ""}`);
  return path + (asked.length ? `?${asked.join("&")}` : "");
}

function table(rows) {
  const body = element("tbody");
  for (const [name, text, needed] of rows) {
    const line = element("tr");
    const cell = element("td");
    cell.append(...prose(text));
    line.append(Object.assign(element("td", name), { className: needed ? "needed" : "" }), cell);
    body.append(line);
  }
  const whole = element("table");
  whole.append(body);
  return whole;
}

// Text in which `this` is code.
function prose(text) {
  return text.split("`").map((part, at) => (at % 2 ? element("code", part) : part));
}

function element(name, text = "") {
  return Object.assign(document.createElement(name), { textContent: text });
}
