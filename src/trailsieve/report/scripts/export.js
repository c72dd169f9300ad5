// What leaves the page: CSV, JSON, patterns, exceptions. Files are made in the browser.

const FIELDS = ["time", "severity", "rule", "principal", "access_key", "event_name", "error_code", "target", "source_ip", "account", "region", "count"];

/** Offers a file for download. */
export function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function record(data, alerts, row) {
  const time = alerts.times[row];
  return FIELDS.map((name) => {
    if (name === "time") return Number.isFinite(time) ? new Date(time * 1000).toISOString().replace(".000", "") : "";
    if (name === "count") return String(alerts.weights[row]);
    return name === "severity" ? data.severities[alerts.severities[row]] : alerts.text(name, row);
  });
}

/** A cell that no spreadsheet takes for a formula. */
export function cell(value) {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(data, alerts, rows) {
  const lines = rows.map((row) => record(data, alerts, row).map(cell).join(","));
  return [FIELDS.join(","), ...lines, ""].join("\r\n");
}

export function json(data, alerts, rows) {
  const shown = rows.map((row) => Object.fromEntries(record(data, alerts, row).map((value, place) => [FIELDS[place], value])));
  return JSON.stringify(shown, null, 1);
}

/** A text as a filter pattern writes it; what the page cut off or made visible becomes a wildcard. */
export function quoted(value) {
  const known = value.replace(/… #[0-9a-f]{8}$/, "*").replace(/�+/g, "*");
  return `"${known.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

const SELECTORS = {
  address: "$.sourceIPAddress",
  key: "$.userIdentity.accessKeyId",
  event: "$.eventName",
  account: "$.recipientAccountId",
  region: "$.awsRegion",
  error: "$.errorCode",
};

function condition(data, key, value) {
  if (key === "rule") return `(${data.rules[value].pattern.trim().slice(1, -1).trim()})`;
  if (key !== "principal") return `${SELECTORS[key]} = ${quoted(value)}`;
  if (value.startsWith("arn:")) return `$.userIdentity.arn = ${quoted(value)}`;
  const names = ["userName", "principalId", "invokedBy"].map((name) => `$.userIdentity.${name} = ${quoted(value)}`);
  return `(${names.join(" || ")})`;
}

function usable(data, key, value) {
  return key !== "rule" || (data.rules[value] && data.rules[value].pattern.trim().startsWith("{"));
}

/** Filters as a pattern; "" if none of them says anything about an event. */
export function pattern(data, filters) {
  const groups = new Map();
  for (const [key, value] of filters) {
    if (usable(data, key, value)) groups.set(key, [...(groups.get(key) || []), condition(data, key, value)]);
  }
  const terms = [...groups.values()].map((terms) => (terms.length > 1 ? `(${terms.join(" || ")})` : terms[0]));
  return terms.length ? `{ ${terms.join(" && ")} }` : "";
}

/** Filters as the TOML that makes them an exception of a rule. */
export function exception(data, rule, filters) {
  const text = pattern(data, filters.filter(([key]) => key !== "rule"));
  const lines = ["[[override]]", `rule = ${toml(rule)}`, `exceptions = [{ pattern = ${toml(text)}, reason = "why this is expected" }]`];
  return text ? `${lines.join("\n")}\n` : "";
}

/** A TOML string: JSON's escapes are TOML's, but for one character. */
function toml(text) {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

/** Puts a text on the clipboard, by the old way where the new one is not allowed. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
