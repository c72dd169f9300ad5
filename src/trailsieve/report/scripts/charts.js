// The charts over time. They share the range: who selects in one of them zooms all, and filters the tables.
import { clock, counted, h, number, slot } from "./dom.js";
import { zoom } from "./state.js";
import { plainTable } from "./tables.js";

const WIDTHS = [60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400];
const WIDTH_NAMES = ["minute", "5 minutes", "10 minutes", "half hour", "hour", "3 hours", "6 hours", "12 hours", "day", "week"];
const BARS = 360;
const LANES = 12;

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Numbers of rows by severity and bar; the narrowest bars of which the chart can show all. */
export function bars(alerts, rows, from, to, severities) {
  const fits = WIDTHS.findIndex((width) => (to - from) / width <= BARS);
  const place = fits < 0 ? WIDTHS.length - 1 : fits;
  const width = WIDTHS[place];
  const start = Math.floor(from / width) * width;
  const count = Math.floor((to - start) / width) + 1;
  const counts = severities.map(() => new Array(count).fill(0));
  for (const row of rows) {
    const bar = Math.floor((alerts.times[row] - start) / width);
    if (bar >= 0 && bar < count) counts[alerts.severities[row]][bar] += alerts.weights[row];
  }
  return { times: Array.from({ length: count }, (_, bar) => start + bar * width), counts, width, name: WIDTH_NAMES[place] };
}

/** The times that any band covers, each once. */
function joined(bands) {
  const found = [];
  for (const { from, to } of [...bands].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}

/** Both charts, drawn again by `draw`. */
export class Charts {
  constructor(data, alerts) {
    Object.assign(this, { data, alerts, plots: [] });
    this.place = slot("timeline");
    const last = alerts.count ? alerts.times.filter(Number.isFinite).at(-1) : undefined;
    this.whole = [Math.min(data.first ?? Infinity, alerts.times[0] || Infinity), Math.max(data.last ?? -Infinity, last ?? -Infinity)];
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  draw(rows, state) {
    this.plots.forEach((plot) => plot.destroy());
    this.plots = [];
    if (!Number.isFinite(this.whole[0])) return this.place.replaceChildren(h("p", { class: "soft" }, "No alert has a time."));
    this.range = state.from === null ? [this.whole[0], Math.max(this.whole[1], this.whole[0] + 60)] : [state.from, state.to];
    const charts = [this.matches(rows)];
    if (this.data.lanes.length) charts.push(this.lanes());
    this.place.replaceChildren(this.controls(state), ...charts.map(({ box }) => box));
    this.plots = charts.map(({ plot }) => plot());
  }

  controls(state) {
    const field = (label, value) => h("label", {}, `${label} `, h("input", { type: "text", size: "19", value: clock(value), "aria-label": `${label}, UTC` }));
    const from = field("From", this.range[0]);
    const to = field("to", this.range[1]);
    const apply = (event) => {
      event.preventDefault();
      dispatchEvent(new CustomEvent("typed-range", { detail: [from, to].map((label) => label.querySelector("input").value) }));
    };
    return h("form", { class: "controls", onsubmit: apply }, from, to, h("button", { type: "submit" }, "Zoom"),
      h("button", { type: "button", onclick: () => zoom(null), disabled: state.from === null }, "Whole time"),
      h("span", { class: "soft" }, "UTC. Drag over a chart, or focus it and press + − ← → and Esc."));
  }

  matches(rows) {
    const { severities } = this.data;
    const found = bars(this.alerts, rows, ...this.range, severities);
    const present = severities.map((name, place) => place).filter((place) => found.counts[place].some(Boolean));
    const stacked = present.map((_, at) => found.times.map((_, bar) => present.slice(at).reduce((sum, place) => sum + found.counts[place][bar], 0)));
    const series = present.map((place) => ({
      label: severities[place], fill: color(severities[place]), width: 0, points: { show: false },
      paths: uPlot.paths.bars({ size: [1, 40], align: 1, gap: 1 }),
      value: (_, value, number, bar) => (bar === null ? "" : found.counts[place][bar]),
    }));
    const { bands } = this.data;
    const alarms = (time) => [...new Set(bands.filter(({ from, to }) => from < time + found.width && to > time).map(({ rule }) => rule))].join(", ");
    const twin = found.times.map((time, bar) => [clock(time), ...present.map((place) => number(found.counts[place][bar])), alarms(time)])
      .filter((row) => row.at(-1) || row.slice(1, -1).some((value) => value !== "0"));
    return this.chart(`Matches a ${found.name}`, 210, [found.times, ...stacked], series, {
      axes: [this.timeAxis(), this.axis({ size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6] })],
      scales: { x: { time: true, range: this.range }, y: { range: (_, low, high) => [0, Math.max(1, high) * 1.08] } },
      hooks: { drawClear: [(plot) => this.drawBands(plot, bands)] },
    }, ["time (UTC)", ...present.map((place) => severities[place]), "in ALARM"], twin,
      bands.length ? `Shaded: ${counted(new Set(bands.map((band) => band.rule)).size, "alarm")} in ALARM.` : "");
  }

  lanes() {
    const { lanes, severities } = this.data;
    const shown = lanes.slice(0, LANES);
    const points = shown.flatMap((lane, y) => lane.points.map(([time, severity, event]) => ({ time, severity, event, y, name: lane.name })))
      .filter(({ time }) => time >= this.range[0] && time <= this.range[1]).sort((a, b) => a.time - b.time);
    const grades = [-1, ...severities.keys()].filter((grade) => points.some((point) => point.severity === grade));
    const series = grades.map((grade) => ({
      label: grade < 0 ? "no rule" : severities[grade], fill: color(grade < 0 ? "soft" : severities[grade]), paths: () => null, stroke: color(grade < 0 ? "soft" : severities[grade]),
      points: { show: true, size: grade < 0 ? 5 : 9, fill: color(grade < 0 ? "soft" : severities[grade]) },
      value: (_, value, number, place) => (place === null || value === null ? "" : points[place].event),
    }));
    const values = grades.map((grade) => points.map((point) => (point.severity === grade ? point.y : null)));
    const name = (place) => (shown[place] ? (shown[place].name.length > 21 ? `${shown[place].name.slice(0, 20)}…` : shown[place].name) : "");
    const more = lanes.length > shown.length ? ` (the first ${LANES} of ${lanes.length})` : "";
    return this.chart(`Steps of the suspects${more}`, 70 + 26 * shown.length, [points.map((point) => point.time), ...values], series, {
      axes: [this.timeAxis(), this.axis({ size: 160, splits: () => shown.map((_, place) => place), values: (_, splits) => splits.map(name) })],
      scales: { x: { time: true, range: this.range }, y: { range: [-0.6, shown.length - 0.4], dir: -1 } },
    }, ["time (UTC)", "suspect", "event", "severity"], points.map((point) => [clock(point.time), point.name, point.event, severities[point.severity] || ""]));
  }

  /** The axis of time: hours and minutes, and the day where one begins. */
  timeAxis() {
    const text = (time, place, step) => {
      const [day, minute] = clock(time).split(" ");
      if (step >= 86400 || minute.startsWith("00:00:00")) return day.slice(5);
      const shown = minute.slice(0, step < 60 ? 8 : 5);
      return place === 0 ? `${shown}\n${day}` : shown;
    };
    return this.axis({ space: 64, values: (plot, splits, axis, space, step) => splits.map((time, place) => text(time, place, step)) });
  }

  axis(more) {
    return { stroke: color("soft"), grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("grid"), width: 1 }, ...more };
  }

  drawBands(plot, bands) {
    plot.ctx.save();
    plot.ctx.fillStyle = color("band");
    for (const [from, to] of joined(bands)) {
      const left = Math.max(plot.valToPos(from, "x", true), plot.bbox.left);
      const right = Math.min(plot.valToPos(to, "x", true), plot.bbox.left + plot.bbox.width);
      if (right > left) plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
    }
    plot.ctx.restore();
  }

  /** A chart in a box with its table; `plot` draws it once the box is in the page. */
  chart(title, height, values, series, options, titles, twin, note = "") {
    const keys = "plus and minus zoom, left and right move, Escape shows the whole time";
    const target = h("div", { class: "plot", tabindex: "0", role: "application", "aria-label": `${title}: ${keys}`, onkeydown: (event) => this.key(event) });
    const table = h("details", {}, h("summary", {}, `As a table (${number(twin.length)} rows)`));
    table.addEventListener("toggle", () => {
      if (table.open && table.children.length === 1) table.append(plainTable(title, titles, twin.slice(0, 2000)));
    });
    const box = h("div", { class: "chart" }, h("h3", {}, title), target, note ? h("p", { class: "soft" }, note) : null, table);
    const plot = () => new uPlot({
      width: this.width(), height, series: [{ value: (_, time) => (time === null ? "" : clock(time)), label: "time" }, ...series],
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: "time", scales: ["x", null] }, bind: { dblclick: () => () => zoom(null) } },
      ...options,
      hooks: { ...options.hooks, setSelect: [(made) => made.select.width > 4 && zoom(made.posToVal(made.select.left, "x"), made.posToVal(made.select.left + made.select.width, "x"))] },
    }, values, target);
    return { box, plot };
  }

  width() {
    return Math.max(240, this.place.clientWidth - 22);
  }

  resize() {
    this.plots.forEach((plot) => plot.setSize({ width: this.width(), height: plot.height }));
  }

  key(event) {
    const [from, to] = this.range;
    const length = to - from;
    const ranges = {
      "+": [from + length / 4, to - length / 4], "=": [from + length / 4, to - length / 4],
      "-": [from - length / 2, to + length / 2],
      ArrowLeft: [from - length / 4, to - length / 4], ArrowRight: [from + length / 4, to + length / 4], Escape: [null],
    };
    if (!ranges[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [low, high] = ranges[event.key];
    if (low === null || (low <= this.whole[0] && high >= this.whole[1])) zoom(null);
    else zoom(Math.max(low, this.whole[0] - 60), Math.min(high, this.whole[1] + 60));
  }
}
