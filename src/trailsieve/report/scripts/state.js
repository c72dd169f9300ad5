// What is filtered, zoomed and opened. All of it stands in the address after #, so that a link restores it.

export const COLUMNS = {
  principal: "principal",
  address: "source_ip",
  key: "access_key",
  event: "event_name",
  rule: "rule",
  account: "account",
  region: "region",
  error: "error_code",
};

/** The state that the address holds: filters as [key, value], a range of seconds, an open alert. */
export function read() {
  const state = { filters: [], from: null, to: null, alert: null };
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
    if (key in COLUMNS && value) state.filters.push([key, value]);
    if (key === "alert" && /^\d+$/.test(value)) state.alert = Number(value);
    if ((key === "from" || key === "to") && !Number.isNaN(Date.parse(value))) state[key] = Date.parse(value) / 1000;
  }
  if (state.from === null || state.to === null || state.from >= state.to) state.from = state.to = null;
  return state;
}

/** Writes the state to the address; `hashchange` tells everyone. */
export function change(changes) {
  const state = { ...read(), ...changes };
  const pairs = new URLSearchParams(state.filters);
  if (state.from !== null) {
    pairs.set("from", new Date(state.from * 1000).toISOString().slice(0, 19) + "Z");
    pairs.set("to", new Date(state.to * 1000).toISOString().slice(0, 19) + "Z");
  }
  if (state.alert !== null) pairs.set("alert", state.alert);
  if (pairs.toString()) location.hash = pairs.toString();
  else {
    history.pushState(null, "", location.pathname + location.search);
    dispatchEvent(new Event("hashchange"));
  }
}

export function addFilters(...added) {
  const { filters } = read();
  const fresh = added.filter(([key, value]) => !filters.some(([k, v]) => k === key && v === value));
  if (fresh.length) change({ filters: [...filters, ...fresh], alert: null });
}

export function removeFilter(key, value) {
  change({ filters: read().filters.filter(([k, v]) => k !== key || v !== value) });
}

/** Shows this range of seconds, or with null the whole time. */
export function zoom(from, to) {
  if (from === null) change({ from: null, to: null });
  else change({ from: Math.floor(from), to: Math.max(Math.ceil(to), Math.floor(from) + 60) });
}

/** Filters by column of the alerts: one of several values of a key is enough, all keys must hold. */
export function tests(state) {
  const found = {};
  for (const [key, value] of state.filters) (found[COLUMNS[key]] ||= []).push(value);
  return found;
}
