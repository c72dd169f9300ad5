// The data in the page: compressed JSON in script elements that are no scripts.

/** The value in such an element; null if the page has none by that name. */
export async function unpacked(id) {
  const element = document.getElementById(id);
  if (!element) return null;
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/** The alerts as columns: times in seconds (NaN for none), and for each text its number in a table. */
export class Alerts {
  constructor(sent, data) {
    this.count = sent.count;
    this.times = new Float64Array(sent.count).fill(NaN);
    let time = sent.start;
    for (let row = 0; row < sent.timed; row += 1) {
      if (row) time += sent.steps[row - 1];
      this.times[row] = time;
    }
    this.weights = Uint32Array.from(sent.weights); // how many alerts a row stands for
    this.all = this.weights.reduce((sum, weight) => sum + weight, 0);
    this.merged = this.all - sent.full.length;
    this.values = {};
    this.numbers = {};
    for (const [name, table] of Object.entries(sent.tables)) {
      this.values[name] = table.values;
      this.numbers[name] = Uint32Array.from(table.rows);
    }
    const severities = this.values.rule.map((rule) => (data.rules[rule] ? data.rules[rule].severity : 0));
    this.severities = Uint8Array.from(this.numbers.rule, (rule) => severities[rule]);
    this.chunks = new Map(data.order.map((detail, place) => [sent.full[detail], [Math.floor(place / data.chunk), detail]]));
    this.loaded = new Map();
  }

  text(name, row) {
    return this.values[name][this.numbers[name][row]];
  }

  /** The number of alerts that these rows stand for. */
  total(rows) {
    return rows.reduce((sum, row) => sum + this.weights[row], 0);
  }

  /** The rows for which the test of each column's text holds, in time order. */
  rows(tests, from, to) {
    const allowed = Object.entries(tests).map(([name, values]) => {
      const wanted = Uint8Array.from(this.values[name], (value) => (values.includes(value) ? 1 : 0));
      return [this.numbers[name], wanted];
    });
    const found = [];
    for (let row = 0; row < this.count; row += 1) {
      const time = this.times[row];
      if (from !== null && !(time >= from && time <= to)) continue;
      if (allowed.every(([numbers, wanted]) => wanted[numbers[row]])) found.push(row);
    }
    return found;
  }

  /** What the page knows more of an alert, with its records; null if the page left that out. */
  async detail(row) {
    const [chunk, detail] = this.chunks.get(row) || [];
    if (chunk === undefined) return null;
    if (!this.loaded.has(chunk)) this.loaded.set(chunk, new Map((await unpacked(`records-${chunk}`)) || []));
    return this.loaded.get(chunk).get(detail) || null;
  }
}
