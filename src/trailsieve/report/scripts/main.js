// The page: reads the data, draws everything, and draws it again when the address changes.
import { AlertTable } from "./alerts.js";
import { Charts } from "./charts.js";
import { Alerts, unpacked } from "./data.js";
import { announce, counted, h, lastPart, number, pivot, slot, typedTime } from "./dom.js";
import { copy, download, exception, pattern } from "./export.js";
import { drawCoverage, drawMatrix } from "./grids.js";
import { addFilters, change, read, removeFilter, tests, zoom } from "./state.js";
import { PagedTable } from "./tables.js";

function left(alerts, rows) {
  return `${number(alerts.total(rows))} of ${counted(alerts.all, "alert")}`;
}

/** Addresses and keys of alerts that are counted by minute are not known. */
function unknown(alerts, state) {
  const asked = state.filters.some(([key]) => ["address", "key", "account", "region", "error"].includes(key));
  return asked && alerts.merged ? `; ${counted(alerts.merged, "alert")} counted by minute cannot be filtered so` : "";
}

function filterBar(data, alerts, state, rows) {
  const bar = document.getElementById("filters");
  const held = document.activeElement && bar.contains(document.activeElement);
  bar.hidden = !state.filters.length && state.from === null;
  const chips = state.filters.map(([key, value]) => h("button", {
    type: "button", class: "chip", title: `${key}: ${value}`, "aria-label": `Remove the filter ${key} ${value}`, onclick: () => removeFilter(key, value),
  }, `${key}: ${lastPart(value)} ✕`));
  if (state.from !== null) {
    const text = `${new Date(state.from * 1000).toISOString().slice(5, 16).replace("T", " ")} – ${new Date(state.to * 1000).toISOString().slice(5, 16).replace("T", " ")}`;
    chips.push(h("button", { type: "button", class: "chip", "aria-label": `Remove the time range ${text}`, onclick: () => zoom(null) }, `${text} ✕`));
  }
  const button = (text, action) => h("button", { type: "button", onclick: action }, text);
  const asPattern = pattern(data, state.filters);
  const [, rule] = state.filters.find(([key]) => key === "rule") || [];
  const asException = rule ? exception(data, rule, state.filters) : "";
  bar.replaceChildren(...chips, button("Clear", () => change({ filters: [], from: null, to: null })),
    ...(asPattern ? [button("Copy as pattern", () => copy(asPattern).then(() => announce("Pattern copied")))] : []),
    ...(asException ? [button("Copy as exception", () => copy(asException).then(() => announce("Exception copied")))] : []),
    h("span", { class: "soft" }, left(alerts, rows) + unknown(alerts, state)));
  if (held && !bar.hidden) bar.querySelector("button").focus();
}

/** Hides the steps of the stories that the filters exclude, and counts them. */
function filterStories(state) {
  const wanted = {};
  for (const [key, value] of state.filters) (wanted[key] ||= []).push(value);
  for (const row of document.querySelectorAll("tr.step")) {
    const has = (key, value) => (key === "key"
      ? row.dataset.keys.split(" ").includes(value)
      : row.dataset[key] === value || [...row.querySelectorAll(".pivot")].some((each) => each.dataset.key === key && each.dataset.value === value));
    const inRange = state.from === null || (Number(row.dataset.to) >= state.from && Number(row.dataset.from) <= state.to);
    row.hidden = !inRange || !Object.entries(wanted).every(([key, values]) => values.some((value) => has(key, value)));
  }
  for (const line of document.querySelectorAll(".hidden-steps")) {
    const hidden = line.parentElement.querySelectorAll("tr.step[hidden]").length;
    line.hidden = !hidden;
    line.textContent = `${counted(hidden, "step")} hidden by the filters`;
  }
}

function principalTable(principals) {
  const place = slot("principals");
  if (!place) return () => {};
  const few = (counts, most, shown) => {
    const names = Object.keys(counts);
    const more = names.length > most ? [h("span", { class: "soft", title: names.slice(most).join("\n") }, `and ${names.length - most} more`)] : [];
    return [...names.slice(0, most).map(shown), ...more];
  };
  const list = (counts) => few(counts, 4, (name) => h("span", {}, `${name} ${number(counts[name])}`));
  const agents = (counts) => few(counts, 3, (name) => h("div", { title: name }, name.length > 40 ? `${name.slice(0, 39)}…` : name));
  const pivots = (key, counts) => few(counts, 4, (value) => pivot(key, value));
  const table = new PagedTable(place, {
    caption: "Principals", noun: "principal", size: 50,
    columns: [
      { title: "principal", className: "name", sort: (row) => row.principal, cell: (row) => pivot("principal", row.principal, lastPart(row.principal)) },
      { title: "calls", className: "number", sort: (row) => -row.calls, cell: (row) => number(row.calls) },
      { title: "failed", className: "number", sort: (row) => -row.failed, cell: (row) => number(row.failed) },
      { title: "first", className: "time", sort: (row) => row.first, cell: (row) => row.first.slice(0, 16).replace("T", " ") },
      { title: "last", className: "time", sort: (row) => row.last, cell: (row) => row.last.slice(0, 16).replace("T", " ") },
      { title: "succeeded", className: "list", cell: (row) => list(row.succeeded_by_service) },
      { title: "refused or failed", className: "list", cell: (row) => list(row.failed_by_service) },
      { title: "regions", className: "list", cell: (row) => list(row.regions) },
      { title: "addresses", className: "list", cell: (row) => pivots("address", row.addresses) },
      { title: "access keys", className: "list", cell: (row) => pivots("key", row.access_keys) },
      { title: "agents", className: "much", cell: (row) => agents(row.agents) },
    ],
  });
  return (state) => {
    const fields = { principal: (row) => [row.principal], address: (row) => Object.keys(row.addresses), key: (row) => Object.keys(row.access_keys) };
    const wanted = Object.entries(fields).map(([key, of]) => [state.filters.filter(([k]) => k === key).map(([, value]) => value), of]);
    table.show(principals.filter((row) => wanted.every(([values, of]) => !values.length || of(row).some((value) => values.includes(value)))));
  };
}

/** What the whole page listens to: pivots, links to sections, typed ranges, printing. */
function listen() {
  document.addEventListener("click", (event) => {
    const pivoted = event.target.closest(".pivot[data-key]");
    if (pivoted) addFilters([pivoted.dataset.key, pivoted.dataset.value]);
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    event.preventDefault(); // the address keeps the filters
    const section = document.getElementById(link.getAttribute("href").slice(1));
    section.scrollIntoView();
    section.focus({ preventScroll: true });
  });
  addEventListener("typed-range", ({ detail }) => {
    const [from, to] = detail.map(typedTime);
    if (from === null || to === null || from >= to) announce("The range needs two times such as 2026-03-14 02:00");
    else zoom(from, to);
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
}

async function start() {
  listen();
  if (!("DecompressionStream" in window)) {
    const text = "This browser is too old to unpack charts and alerts (Chrome 80, Firefox 113 or Safari 16.4 can). The verdict and the stories are complete.";
    slot("timeline").append(h("p", {}, text));
    return;
  }
  const data = await unpacked("data");
  const alerts = new Alerts(data.alerts, data);
  const charts = new Charts(data, alerts);
  const table = new AlertTable(data, alerts);
  const showPrincipals = principalTable(data.principals);
  if (slot("attack")) {
    slot("attack").append(h("button", { type: "button", onclick: () => download("attack-layer.json", "application/json", JSON.stringify(data.layer, null, 1)) }, "Layer for the ATT&CK Navigator"));
  }
  drawCoverage(data.hours);
  let drawn = "";
  let rows = [];
  const draw = () => {
    const state = read();
    const filters = JSON.stringify([state.filters, state.from]) + state.to;
    if (filters !== drawn) {
      rows = alerts.rows(tests(state), state.from, state.to);
      filterBar(data, alerts, state, rows);
      charts.draw(rows, state);
      drawMatrix(alerts, rows);
      filterStories(state);
      showPrincipals(state);
      if (drawn) announce(left(alerts, rows));
      drawn = filters;
    }
    const focused = document.activeElement?.dataset?.alert;
    table.show(rows, state.alert);
    document.documentElement.dataset.drawn = location.hash;
    if (focused !== undefined) document.querySelector(`[data-alert="${focused}"]`)?.focus();
  };
  addEventListener("hashchange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.draw(rows, read()));
  draw();
}

start();
