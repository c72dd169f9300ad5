// Two grids: who did what, and which hours the archive holds.
import { counted, h, lastPart, number, pivot, slot } from "./dom.js";
import { addFilters } from "./state.js";

const MOST = 20;
const COLUMNS_OF_HOURS = 72;
const ROWS_OF_HOURS = 60;

function top(alerts, name, rows) {
  const counts = new Uint32Array(alerts.values[name].length);
  for (const row of rows) counts[alerts.numbers[name][row]] += alerts.weights[row];
  const found = [...counts.keys()].filter((place) => counts[place]).sort((a, b) => counts[b] - counts[a]);
  return { shown: found.slice(0, MOST), more: found.length - Math.min(found.length, MOST) };
}

/** Principals by events, with the number of alerts in each cell. */
export function drawMatrix(alerts, rows) {
  const who = top(alerts, "principal", rows);
  const what = top(alerts, "event_name", rows);
  const column = new Map(what.shown.map((event, place) => [event, place]));
  const line = new Map(who.shown.map((principal, place) => [principal, place]));
  const counts = who.shown.map(() => new Array(what.shown.length).fill(0));
  for (const row of rows) {
    const y = line.get(alerts.numbers.principal[row]);
    const x = column.get(alerts.numbers.event_name[row]);
    if (x !== undefined && y !== undefined) counts[y][x] += alerts.weights[row];
  }
  const most = Math.max(1, ...counts.flat());
  const principals = who.shown.map((place) => alerts.values.principal[place]);
  const events = what.shown.map((place) => alerts.values.event_name[place]);
  const cell = (count, principal, event) => {
    const heat = count ? Math.max(1, Math.ceil((5 * Math.log(count + 1)) / Math.log(most + 1))) : 0;
    if (!count || !principal || !event) return h("td", { class: `h${heat} h0` }, count ? number(count) : "");
    const choose = () => addFilters(["principal", principal], ["event", event]);
    return h("td", { class: `h${heat}` }, h("button", { type: "button", onclick: choose, "aria-label": `${number(count)}: ${lastPart(principal)}, ${event}` }, number(count)));
  };
  const head = h("tr", {}, h("td", { class: "h0" }), events.map((event) => h("th", { scope: "col" }, event ? pivot("event", event) : "(no event)")));
  const body = principals.map((principal, y) => h("tr", {},
    h("th", { scope: "row" }, principal ? pivot("principal", principal, lastPart(principal)) : "(nobody)"),
    counts[y].map((count, x) => cell(count, principal, events[x]))));
  const left = [who.more ? `${number(who.more)} more principals` : "", what.more ? `${number(what.more)} more events` : ""].filter(Boolean);
  slot("matrix").replaceChildren(
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Alerts by principal and event" },
      h("table", { class: "heat" }, h("thead", {}, head), h("tbody", {}, body))),
    h("p", { class: "soft" }, rows.length ? `Numbers of alerts.${left.length ? ` Not shown: ${left.join(", ")} with fewer alerts; filter to see them.` : ""}` : "No alert is left by the filters."));
}

function hourNumber(text) {
  return Math.floor(Date.parse(`${text.slice(0, 13)}:00:00Z`) / 3_600_000);
}

function hourText(hour, length) {
  return new Date(hour * 3_600_000).toISOString().slice(0, length).replace("T", " ");
}

/** Accounts and regions by hours, or by days of an archive of many days; gaps are red. */
export function drawCoverage(hours) {
  const place = slot("coverage");
  if (!place) return;
  const known = hours.map(([account, region, hour, files, records]) => ({ name: `${account} ${region}`, hour: hourNumber(hour), files, records }))
    .filter(({ hour }) => Number.isFinite(hour));
  const numbers = known.map(({ hour }) => hour);
  const first = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const last = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  const span = last - first + 1;
  const width = [1, 2, 3, 6, 12, 24, 48, 168, 720].find((hours) => span / hours <= COLUMNS_OF_HOURS) || 8760;
  const start = Math.floor(first / width) * width;
  const count = Math.floor((last - start) / width) + 1;
  const lines = new Map();
  for (const { name, hour, files, records } of known) {
    if (!lines.has(name)) lines.set(name, Array.from({ length: count }, () => ({ hours: 0, records: 0 })));
    const cell = lines.get(name)[Math.floor((hour - start) / width)];
    if (files || records) cell.hours += 1;
    cell.records += records;
  }
  drawHours(place, lines, { first, last, start, width, count });
}

function drawHours(place, lines, { first, last, start, width, count }) {
  const most = [...lines.values()].flat().reduce((found, { records }) => Math.max(found, records), 1);
  const expected = (bar) => Math.min(last, start + (bar + 1) * width - 1) - Math.max(first, start + bar * width) + 1;
  const titles = Array.from({ length: count }, (_, bar) => hourText(start + bar * width, width < 24 ? 13 : 10));
  const cell = ({ hours, records }, bar) => {
    const missing = expected(bar) - hours;
    if (missing > 0) return h("td", { class: "gap", title: `${titles[bar]}: ${number(missing)} of ${number(expected(bar))} hours without a file` }, missing === expected(bar) ? "–" : "…");
    return h("td", { class: `h${Math.ceil((5 * Math.log(records + 1)) / Math.log(most + 1))}`, title: `${titles[bar]}: ${number(records)} events` }, records < 1000 ? records : `${Math.round(records / 1000)}k`);
  };
  const gaps = (cells) => cells.filter((value, bar) => value.hours < expected(bar)).length;
  const names = [...lines.keys()].sort((a, b) => gaps(lines.get(b)) - gaps(lines.get(a)) || (a < b ? -1 : 1));
  const shown = names.slice(0, ROWS_OF_HOURS);
  const head = titles.map((title, bar) => h("th", { scope: "col", title }, width < 24 ? title.slice(11) + (bar === 0 || title.endsWith(" 00") ? ` ${title.slice(5, 10)}` : "") : title.slice(5)));
  const unit = width === 1 ? "hour" : width < 24 ? `${width} hours` : width === 24 ? "day" : `${width / 24} days`;
  const without = lines.size - names.filter((name) => gaps(lines.get(name))).length;
  place.replaceChildren(
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Grid of accounts, regions and hours" }, h("table", { class: "grid" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "account and region"), head)),
      h("tbody", {}, shown.map((name) => h("tr", {}, h("th", { scope: "row" }, name), lines.get(name).map(cell)))))),
    h("p", { class: "soft" }, `Events per ${unit}, UTC, from ${hourText(first, 13)} h to ${hourText(last, 13)} h. ${number(without)} of ${counted(lines.size, "row")} without a gap.`
      + (names.length > shown.length ? ` The ${ROWS_OF_HOURS} rows with most gaps are shown.` : "")));
}
