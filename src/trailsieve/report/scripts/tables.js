// A table of many rows: it shows a page of them, and sorts by the columns that can.
import { counted, h, number } from "./dom.js";

const PAGE = 100;

/** Columns have `title`, `cell(row)` and perhaps `sort(row)` and `className`; `open(row)` makes a row of details. */
export class PagedTable {
  constructor(place, { caption, columns, noun, open = null, size = PAGE }) {
    Object.assign(this, { columns, noun, open, size, rows: [], page: 0, by: null, down: false, opened: null });
    this.headings = columns.map((column) => this.heading(column));
    this.body = h("tbody");
    this.summary = h("span", { class: "soft" });
    this.back = h("button", { type: "button", onclick: () => this.turn(-1) }, "Previous");
    this.forth = h("button", { type: "button", onclick: () => this.turn(1) }, "Next");
    const table = h("table", {}, h("thead", {}, h("tr", {}, this.headings)), this.body);
    place.append(
      h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Table: ${caption}` }, table),
      h("p", { class: "soft print-count" }, this.summary),
      (this.pager = h("div", { class: "controls" }, this.back, this.forth)),
    );
  }

  heading(column) {
    const title = column.sort
      ? h("button", { type: "button", onclick: () => this.sortBy(column) }, column.title)
      : column.title;
    return h("th", { scope: "col", class: column.className }, title);
  }

  sortBy(column) {
    this.down = this.by === column && !this.down;
    this.by = column;
    this.show(this.unsorted);
  }

  turn(step) {
    this.page += step;
    this.draw();
  }

  /** Shows these rows, from the first page on, or the page with the row that is opened. */
  show(rows, opened = null) {
    this.unsorted = rows;
    this.rows = rows;
    if (this.by) {
      const { sort } = this.by;
      const sign = this.down ? -1 : 1;
      const keys = new Map(rows.map((row) => [row, sort(row)]));
      this.rows = [...rows].sort((a, b) => sign * (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0));
    }
    this.opened = opened;
    const place = opened === null ? -1 : this.rows.indexOf(opened);
    this.page = Math.floor(Math.max(0, place) / this.size);
    this.draw();
  }

  draw() {
    const first = this.page * this.size;
    const shown = this.rows.slice(first, first + this.size);
    this.body.replaceChildren(...shown.flatMap((row) => this.drawn(row)));
    this.columns.forEach((column, place) => {
      const order = this.by === column ? (this.down ? "descending" : "ascending") : null;
      this.headings[place].classList.toggle("sorted", order !== null);
      if (order) this.headings[place].setAttribute("aria-sort", order);
      else this.headings[place].removeAttribute("aria-sort");
    });
    const all = counted(this.rows.length, this.noun);
    this.summary.textContent = this.rows.length > this.size
      ? `${number(first + 1)} to ${number(first + shown.length)} of ${all}`
      : all;
    this.pager.hidden = this.rows.length <= this.size;
    this.back.disabled = this.page === 0;
    this.forth.disabled = first + this.size >= this.rows.length;
  }

  drawn(row) {
    const cells = this.columns.map((column) => h("td", { class: column.className }, column.cell(row)));
    const lines = [h("tr", {}, cells)];
    if (this.open && row === this.opened) {
      lines.push(h("tr", { class: "detail" }, h("td", { colspan: this.columns.length }, this.open(row))));
    }
    return lines;
  }
}

/** A small table of texts: the twin of a chart. */
export function plainTable(caption, titles, rows) {
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, h("table", {},
    h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value) => h("td", {}, value)))))));
}
