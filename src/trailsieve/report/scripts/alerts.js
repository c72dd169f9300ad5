// The table of alerts, and one of them opened: why it matched, and its record.
import { clock, escaped, h, indented, lastPart, number, pivot, severityMark, slot, visible } from "./dom.js";
import { copy, csv, download, exception, json, pattern } from "./export.js";
import { change } from "./state.js";
import { PagedTable } from "./tables.js";

/** The section of alerts; `show` fills it. */
export class AlertTable {
  constructor(data, alerts) {
    Object.assign(this, { data, alerts, rows: [] });
    const place = slot("alerts");
    const button = (text, action) => h("button", { type: "button", onclick: action }, text);
    place.append(h("div", { class: "controls" },
      button("CSV", () => download("alerts.csv", "text/csv", csv(data, alerts, this.rows))),
      button("JSON", () => download("alerts.json", "application/json", json(data, alerts, this.rows))),
      h("span", { class: "soft" }, "of the alerts that the filters leave")));
    this.table = new PagedTable(place, { caption: "Alerts", noun: "row", columns: this.columns(), open: (row) => this.detail(row) });
  }

  columns() {
    const { alerts, data } = this;
    const text = (key, name, title, shown = (value) => value, className = "some") => ({
      title, className, sort: (row) => alerts.text(name, row),
      cell: (row) => (key ? pivot(key, alerts.text(name, row), shown(alerts.text(name, row))) : shown(alerts.text(name, row))),
    });
    return [
      { title: "time (UTC)", className: "time", sort: (row) => alerts.times[row] || Infinity, cell: (row) => this.opener(row) },
      { title: "severity", sort: (row) => -alerts.severities[row], cell: (row) => severityMark(data.severities[alerts.severities[row]]) },
      text("rule", "rule", "rule", undefined, "much"),
      text("principal", "principal", "principal", lastPart, "much"),
      text("event", "event_name", "event", undefined, "much"),
      text("error", "error_code", "error"),
      text(null, "target", "target", lastPart),
      text("address", "source_ip", "address", undefined, "whole"),
      {
        title: "account, region", className: "whole", sort: (row) => `${alerts.text("account", row)} ${alerts.text("region", row)}`,
        cell: (row) => [pivot("account", alerts.text("account", row)), h("br"), pivot("region", alerts.text("region", row))],
      },
      alerts.merged && { title: "alerts", className: "number", sort: (row) => -alerts.weights[row], cell: (row) => number(alerts.weights[row]) },
    ].filter(Boolean);
  }

  opener(row) {
    if (!this.alerts.chunks.has(row)) return clock(this.alerts.times[row]).slice(0, 16);
    const open = this.table.opened === row;
    const toggle = () => change({ alert: open ? null : row });
    return h("button", { type: "button", class: "pivot open", "aria-expanded": String(open), "data-alert": row, onclick: toggle },
      `${open ? "▾" : "▸"} ${clock(this.alerts.times[row]) || "no time"}`);
  }

  show(rows, opened) {
    this.rows = rows;
    this.table.show(rows, opened !== null && opened < this.alerts.count ? opened : null);
  }

  detail(row) {
    const box = h("div", {}, h("p", { class: "soft" }, "…"));
    this.alerts.detail(row).then((detail) => box.replaceChildren(...this.detailed(row, detail)));
    return box;
  }

  detailed(row, detail) {
    const filters = [["principal", "principal"], ["event", "event_name"], ["address", "source_ip"]]
      .map(([key, name]) => [key, this.alerts.text(name, row)]).filter(([, value]) => value);
    const rule = this.alerts.text("rule", row);
    const button = (text, value) => h("button", { type: "button", onclick: () => copy(value) }, text);
    const copies = h("div", { class: "controls" }, button("Copy as pattern", pattern(this.data, filters)),
      button("Copy as exception", exception(this.data, rule, filters)));
    const key = this.alerts.text("access_key", row);
    const known = key ? h("p", {}, "Access key ", pivot("key", key)) : null;
    if (!detail) {
      const where = "The record of this alert is not on the page: trailsieve replay … --format jsonl prints it.";
      return [known, h("p", {}, where), copies].filter(Boolean);
    }
    const records = detail.records.flatMap((record) => [
      h("h4", {}, detail.records.length > 1 || detail.events > 1 ? `A record of ${detail.events}` : "Record"),
      h("pre", { tabindex: "0" }, escaped(indented(record))),
      h("div", { class: "controls" }, button("Copy record", record)),
    ]);
    return [
      h("p", {}, h("b", {}, detail.title), ` ${visible(detail.summary)}`), known,
      detail.effect ? h("p", {}, `It ${visible(detail.effect)}.`) : null,
      detail.reason ? h("p", {}, visible(detail.reason)) : null,
      h("p", { class: "soft" }, [detail.agent, detail.position].filter(Boolean).map(visible).join(" · ")),
      ...this.why(detail), copies, ...records,
    ].filter(Boolean);
  }

  why(detail) {
    if (detail.why < 0) return [];
    const values = [...detail.values];
    const lines = this.data.explanations[detail.why].map(({ depth, holds, text, valued }) =>
      h("li", { class: `${holds ? "true" : "false"} d${Math.min(depth, 4)}` }, visible(text), valued ? ` ← ${visible(values.shift())}` : ""));
    return [h("h4", {}, "Why it matched"), h("ul", { class: "why" }, lines)];
  }
}
