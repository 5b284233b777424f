// Where nothing is proven, the chart is hatched, and no line is drawn through.

const TINTS = { open: "#e9b44c", healing: "#e9b44c", unrecoverable: "#e2697a" };
const LEAST = 3; // pixels: a short gap is still seen
const PITCH = 7;

const patterns = new Map();

function patternOf(paint, tint) {
  if (!patterns.has(tint)) {
    const tile = Object.assign(document.createElement("canvas"), { width: PITCH, height: PITCH });
    const ink = tile.getContext("2d");
    ink.strokeStyle = tint;
    ink.lineWidth = 1.2;
    for (const shift of [-PITCH, 0, PITCH]) {
      ink.beginPath();
      ink.moveTo(shift - 1, PITCH + 1);
      ink.lineTo(shift + PITCH + 1, -1);
      ink.stroke();
    }
    patterns.set(tint, paint.createPattern(tile, "repeat"));
  }
  return patterns.get(tint);
}

// spans: [{from, to, state}] in ms; x: time to pixels.
export function hatch(paint, spans, x, top, bottom) {
  for (const span of spans) {
    const left = x(span.from);
    const wide = Math.max(LEAST, x(span.to) - left);
    paint.globalAlpha = 0.05;
    paint.fillStyle = TINTS[span.state];
    paint.fillRect(left, top, wide, bottom - top);
    paint.globalAlpha = 0.3;
    paint.fillStyle = patternOf(paint, TINTS[span.state]);
    paint.fillRect(left, top, wide, bottom - top);
  }
  paint.globalAlpha = 1;
}

// Tell whether a line from one time to another would cross a span.
export function crosses(spans, from, to) {
  return spans.some((span) => span.from < to && span.to > from);
}

// The parts of [from, to) that lie in no span.
export function parts(spans, from, to) {
  const found = [];
  let at = from;
  for (const span of spans) {
    if (span.from > at) found.push([at, Math.min(span.from, to)]);
    at = Math.max(at, span.to);
    if (at >= to) return found;
  }
  return [...found, [at, to]];
}
