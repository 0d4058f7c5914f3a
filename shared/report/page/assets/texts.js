// What the page knows: its texts, its tables and how their cells are read. The other files use what is declared here.
const root = document.documentElement;
const page = document.getElementById("page");
const data = JSON.parse(document.getElementById("data").textContent);
const specs = data.tables || [];
const narrow = matchMedia("(max-width: 560px)");
// Rows on a page of a table. The changes are why the report is read.
const perPage = (spec) => (spec.id === "changes" && !narrow.matches ? 25 : 10);
const fewRows = 11; // a table with fewer rows is one page, and needs no search
const views = {}; // by table: what the reader has chosen, kept when the language changes

// Languages: each has its whole content, and the chosen one is shown.
const contents = {};
const titles = {};
titles[root.lang] = document.title;
contents[root.lang] = document.createDocumentFragment();
for (const node of page.childNodes) contents[root.lang].append(node.cloneNode(true));
for (const other of document.querySelectorAll("template[data-lang]")) {
  contents[other.dataset.lang] = other.content;
  titles[other.dataset.lang] = other.dataset.title;
}

function remember(key, value) {
  try {
    localStorage.setItem("idleseat-" + key, value);
  } catch (e) {
    // A browser may forbid storage to files. The choice then lasts until the page is closed.
  }
}

function remembered(key) {
  try {
    return localStorage.getItem("idleseat-" + key);
  } catch (e) {
    return null;
  }
}

function wanted() {
  const asked = [new URLSearchParams(location.search).get("lang"), remembered("lang")].concat(navigator.languages || []);
  for (const lang of asked) {
    const primary = (lang || "").slice(0, 2).toLowerCase();
    if (Object.hasOwn(contents, primary)) return primary;
  }
  return root.lang;
}

// T returns a text in the language of the page, with values for %1, %2 and so on.
function T(key, ...values) {
  const text = (data.words[root.lang] || {})[key];
  if (text === undefined) return key;
  return text.replace(/%(\d)/g, (_, n) => values[n - 1]);
}

function has(key) {
  return (data.words[root.lang] || {})[key] !== undefined;
}

const number = (x, decimals) => x.toLocaleString(root.lang, { minimumFractionDigits: decimals || 0, maximumFractionDigits: decimals || 0 });

function speak(lang) {
  root.lang = lang;
  document.title = titles[lang];
  page.replaceChildren(contents[lang].cloneNode(true));
  enhance();
}


// make creates an element. Text is always set as text, so a name can never become markup.
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "onclick" || key === "oninput" || key === "onchange") element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((c) => c !== undefined && c !== null));
  return element;
}


function reader(values) {
  if (Array.isArray(values)) return (i) => values[i];
  switch (values.f) {
    case "texts":
      return (i) => values.s[i];
    case "times":
      return (i) => (values.i[i] < 0 ? "" : new Date(((values.b || 0) + values.i[i]) * 1000).toISOString().replace(".000Z", "Z"));
    case "names":
      return (i) => values.s[i] + (values.i[i] < 0 ? "" : values.d[values.i[i]]);
    case "guids": {
      const bytes = atob(values.g);
      return (i) => {
        if (values.x && values.x[i] !== undefined) return values.x[i];
        let hex = "";
        for (let n = 16 * i; n < 16 * i + 16; n++) hex += bytes.charCodeAt(n).toString(16).padStart(2, "0");
        return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
      };
    }
    default:
      return (i) => (values.i[i] < 0 ? "" : values.d[values.i[i]]);
  }
}

const people = data.people && {
  id: reader(data.people.id),
  upn: reader(data.people.upn),
  name: reader(data.people.name),
  department: reader(data.people.department),
};

function personLabel(p) {
  return people.name(p) || people.upn(p) || people.id(p) || T("js.person.empty");
}

// atSign allows a line to break before the domain of a name.
function atSign(upn) {
  const at = upn.lastIndexOf("@");
  return at < 0 ? [upn] : [upn.slice(0, at), make("wbr"), upn.slice(at)];
}

const day = (n) => new Date(n * 86400000).toISOString().slice(0, 10);

// columnOf adds to a column how its cells are read, shown and compared.
function columnOf(spec) {
  const get = spec.pairs ? undefined : reader(spec.values);
  const word = (value) => (value && has(spec.name + "." + value) ? T(spec.name + "." + value) : value);
  const none = () => T(spec.none || "js.none");
  switch (spec.kind) {
    case "person":
      return { ...spec, get, text: (i) => personLabel(get(i)), find: (i) => [people.name(get(i)), people.upn(get(i)), people.id(get(i)), people.department(get(i))].join("\n") };
    case "date":
      return { ...spec, get, text: (i) => (get(i) === null ? none() : day(get(i))), order: (i) => (get(i) === null ? -Infinity : get(i)) };
    case "money":
      return { ...spec, get, text: (i) => (get(i) === null ? "" : number(get(i), 2)), order: (i) => get(i) || 0 };
    case "number":
      return { ...spec, get, text: (i) => (get(i) === null ? "" : number(get(i))), order: (i) => (get(i) === null ? -Infinity : get(i)) };
    case "word":
      return { ...spec, get, text: (i) => word(get(i)), option: word };
    case "reason": {
      const said = (value) => {
        const words = (data.reasons || {})[root.lang] || {};
        return Object.hasOwn(words, value) ? words[value] : value;
      };
      return { ...spec, get, text: (i) => said(get(i)), find: (i) => said(get(i)) + "\n" + get(i), option: said };
    }
    case "pairs": {
      const all = spec.pairs.map((p) => [p.name, reader(p.values)]);
      const value = (text) => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ$/, "$1 $2");
      const lines = (i) => all.filter((p) => p[1](i) !== "").map((p) => (p[0] ? p[0] + " = " : "") + value(p[1](i)));
      return { ...spec, lines, text: (i) => lines(i).join("\n") };
    }
    default:
      return { ...spec, get, text: get };
  }
}

for (const spec of specs) {
  spec.all = spec.columns.map(columnOf);
  for (const column of spec.all) if (column.then) column.becomes = spec.all.find((c) => c.name === column.then);
  spec.heads = spec.all.filter((c) => !c.detail);
}
