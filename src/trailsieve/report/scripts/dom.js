// Elements and texts. Data enters the page here, as text nodes and attributes, never as markup.

/** An element with attributes (`on…` are listeners, false and null leave one out) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** The text with control, format and direction characters replaced by a visible one. */
export function visible(text) {
  return String(text).replace(/(?! )[\p{C}\p{Z}]/gu, (character) => (character === "\n" ? "\n" : "�"));
}

/** JSON text with such characters as escapes: it stays the same JSON. */
export function escaped(json) {
  return json.replace(/(?! )[\p{C}\p{Z}]/gu, (character) => {
    if (character === "\n") return character;
    return Array.from({ length: character.length }, (_, place) =>
      `\\u${character.charCodeAt(place).toString(16).padStart(4, "0")}`).join("");
  });
}

/** JSON text indented; apart from blanks between its tokens it stays as it is. */
export function indented(json) {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g) || [];
  let depth = 0;
  let shown = "";
  tokens.forEach((token, place) => {
    const next = tokens[place + 1];
    if (token === "{" || token === "[") {
      depth += 1;
      shown += token + (next === "}" || next === "]" ? "" : line(depth));
    } else if (token === "}" || token === "]") {
      depth = Math.max(0, depth - 1);
      shown += (/[{[]$/.test(shown) ? "" : line(depth)) + token;
    } else shown += token === "," ? token + line(depth) : token === ":" ? ": " : token;
  });
  return shown;
}

function line(depth) {
  return `\n${"  ".repeat(depth)}`;
}

/** A number with thousands separated. */
export function number(value) {
  return value.toLocaleString("en-US");
}

/** "1 alert", "2,000 alerts". */
export function counted(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** The end of an ARN, which tells most. */
export function lastPart(name) {
  if (!name.startsWith("arn:")) return name;
  const resource = name.split(":").slice(5).join(":");
  return resource.slice(resource.indexOf("/") + 1) || name;
}

/** Seconds since 1970 as `2026-03-14 02:16:03`; "" for no time. */
export function clock(seconds) {
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ") : "";
}

/** The time that somebody typed, as seconds since 1970 in UTC; null if it is not one. */
export function typedTime(text) {
  const [, day, time = "00:00"] = /^\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?\s*Z?\s*$/.exec(text) || [];
  const found = day ? Date.parse(`${day}T${time}Z`) : NaN;
  return Number.isNaN(found) ? null : found / 1000;
}

/** What a click filters by, as a button. */
export function pivot(key, value, text = value) {
  if (!value) return "";
  return h("button", { type: "button", class: "pivot", "data-key": key, "data-value": value, title: text === value ? null : value }, text);
}

export function severityMark(name) {
  return h("span", { class: `severity ${name}` }, name);
}

/** Says something to those who cannot see the page. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** The place of a section where the scripts put their part; null when the page has no such section. */
export function slot(section) {
  return document.querySelector(`#${section} .slot`);
}
