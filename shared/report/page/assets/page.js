(function () {
  "use strict";
  const root = document.documentElement;
  const page = document.getElementById("page");
  const data = JSON.parse(document.getElementById("data").textContent);
  const specs = data.tables || [];
  const narrow = matchMedia("(max-width: 560px)");
  // Rows on a page of a table. The changes are why the report is read.
  const perPage = (spec) => (spec.id === "changes" && !narrow.matches ? 25 : 10);
  const fewRows = 11; // a table with fewer rows is one page, and needs no search
  const views = {}; // by table: what the reader has chosen, kept when the language changes

  // --- languages -------------------------------------------------------------------------------------------------
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

  // --- elements --------------------------------------------------------------------------------------------------
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

  // --- columns ---------------------------------------------------------------------------------------------------
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

  // --- tables ----------------------------------------------------------------------------------------------------
  const viewOf = (spec) => (views[spec.id] ||= { search: "", filters: {}, like: null, sort: -1, down: false, page: 0 });

  // haystack has the text in which a search looks, by row.
  function haystack(spec) {
    if (spec.hay && spec.hayLang === root.lang) return spec.hay;
    spec.hay = [];
    spec.hayLang = root.lang;
    for (let i = 0; i < spec.rows; i++) {
      spec.hay.push(spec.all.map((c) => (c.find ? c.find(i) : c.text(i))).join("\n").toLowerCase());
    }
    return spec.hay;
  }

  // matching returns the rows that the reader's search and filters leave, in the order the reader chose.
  function matching(spec) {
    const view = viewOf(spec);
    const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
    const filters = spec.all.filter((c) => view.filters[c.name] !== undefined);
    const hay = words.length ? haystack(spec) : undefined;
    const rows = [];
    for (let i = 0; i < spec.rows; i++) {
      if (words.length && !words.every((w) => hay[i].includes(w))) continue;
      if (view.like && !view.like.matches(i)) continue;
      if (filters.every((c) => c.get(i) === view.filters[c.name])) rows.push(i);
    }
    const column = spec.heads[view.sort];
    if (!column) return rows;
    const sign = view.down ? -1 : 1;
    if (column.order) return rows.sort((a, b) => sign * (column.order(a) - column.order(b) || 0) || a - b);
    const collator = new Intl.Collator(root.lang, { numeric: true });
    const keys = new Map(rows.map((i) => [i, column.text(i)]));
    return rows.sort((a, b) => sign * collator.compare(keys.get(a), keys.get(b)) || a - b);
  }

  function cellOf(column, i) {
    const kind = { person: "who", date: "date", money: "num", number: "num", pairs: "pairs" }[column.kind] || "";
    const attributes = { class: ["c-" + column.name, kind, column.minor ? "minor" : ""].join(" ").trim(), role: "cell", lang: column.lang, "data-head": T("col." + column.name) };
    switch (column.kind) {
      case "person": {
        const p = column.get(i);
        const href = data.link ? data.link + encodeURIComponent(people.id(p)) : "#person=" + encodeURIComponent(people.id(p));
        const parts = [make("a", { href, class: "name" }, make("bdi", {}, personLabel(p)))];
        if (people.department(p)) parts.push(" ", make("bdi", { class: "beside" }, people.department(p)));
        if (people.name(p)) parts.push(" ", make("bdi", { class: "below" }, ...atSign(people.upn(p))));
        return make("th", { scope: "row", class: "who", role: "rowheader" }, ...parts);
      }
      case "pairs":
        return make("td", attributes, ...column.lines(i).map((l) => make("bdi", {}, l)));
      case "text": {
        const then = column.becomes && column.becomes.text(i);
        return make("td", attributes, make("bdi", {}, column.text(i)), ...(then ? [" → ", make("bdi", {}, then)] : []));
      }
      default:
        return make("td", attributes, column.text(i));
    }
  }

  // draw shows the rows of the page that the reader is on.
  function draw(spec, box) {
    const view = viewOf(spec);
    const rows = matching(spec);
    const pages = Math.max(1, Math.ceil(rows.length / perPage(spec)));
    view.page = Math.min(view.page, pages - 1);
    const from = view.page * perPage(spec);
    const shown = rows.slice(from, from + perPage(spec));
    box.querySelector("tbody").replaceChildren(...shown.map((i) => make("tr", { role: "row" }, ...spec.heads.map((c) => cellOf(c, i)))));
    let text = T("js.rows.none", number(spec.rows));
    if (rows.length === spec.rows) text = T("js.rows", number(from + 1), number(from + shown.length), number(rows.length));
    else if (rows.length) text = T("js.rows.some", number(from + 1), number(from + shown.length), number(rows.length), number(spec.rows));
    box.querySelector("[role=status]").textContent = text;
    box.querySelector(".pager").hidden = pages < 2;
    for (const button of box.querySelectorAll(".pager button")) {
      const to = { first: 0, back: view.page - 1, next: view.page + 1, last: pages - 1 }[button.dataset.page];
      // aria-disabled and not disabled, so that the focus stays on the button at the last page.
      button.setAttribute("aria-disabled", String(to < 0 || to >= pages || to === view.page));
      button.dataset.to = to;
    }
    box.querySelectorAll("thead th").forEach((th, n) => {
      th.setAttribute("aria-sort", n !== view.sort ? "none" : view.down ? "descending" : "ascending");
    });
    const reset = box.querySelector(".reset");
    if (reset) reset.hidden = !view.search && !view.like && !Object.keys(view.filters).length;
  }

  // choices returns the values of a column, most frequent first.
  function choices(spec, column) {
    const counts = new Map();
    for (let i = 0; i < spec.rows; i++) {
      const value = column.get(i);
      if (value !== "") counts.set(value, (counts.get(value) || 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]);
  }

  function toolsOf(spec, box) {
    const view = viewOf(spec);
    const change = () => {
      view.page = 0;
      draw(spec, box);
    };
    const id = "tool-" + spec.id;
    const tools = [
      make("span", { class: "tool" }, make("label", { for: id }, T("js.search")), make("input", { id, type: "search", value: view.search, autocomplete: "off", spellcheck: "false", oninput: (e) => ((view.search = e.target.value), change()) })),
    ];
    for (const column of spec.all) {
      if (!column.filter) continue;
      const values = choices(spec, column);
      if (values.length < 2 || values.length > 300) continue;
      const select = make("select", { id: id + "-" + column.name, "data-column": column.name });
      select.append(make("option", { value: "" }, T("js.filter.all")));
      values.forEach(([value, count], n) => {
        const name = column.option ? column.option(value) : value;
        select.append(make("option", { value: n + 1 }, (name.length > 60 ? name.slice(0, 60) + "…" : name) + " (" + number(count) + ")"));
        if (view.filters[column.name] === value) select.value = String(n + 1);
      });
      select.addEventListener("change", () => {
        if (select.value) view.filters[column.name] = values[select.value - 1][0];
        else delete view.filters[column.name];
        change();
      });
      tools.push(make("span", { class: "tool" }, make("label", { for: select.id }, T("col." + column.name)), select));
    }
    if (view.like) tools.push(make("span", { class: "like", lang: "en" }, view.like.reason));
    tools.push(
      make("button", { type: "button", class: "quiet reset", onclick: () => {
        view.search = "";
        view.filters = {};
        view.like = null;
        view.page = 0;
        box.querySelector(".tools").replaceChildren(...toolsOf(spec, box));
        draw(spec, box);
        box.querySelector("input").focus();
      } }, T("js.reset")),
    );
    return tools;
  }

  function pagerOf(spec, box) {
    const button = (name, sign) =>
      make("button", { type: "button", class: "quiet", "data-page": name, "aria-label": T("js.page." + name), onclick: (e) => {
        if (e.currentTarget.getAttribute("aria-disabled") === "true") return;
        viewOf(spec).page = Number(e.currentTarget.dataset.to);
        draw(spec, box);
      } }, sign);
    return make("nav", { class: "pager", "aria-label": T("js.page.label") + ": " + T("table." + spec.id) }, button("first", "«"), button("back", "‹"), button("next", "›"), button("last", "»"));
  }

  // enhanceTable turns the rows of a plain page into a table that can be sorted, filtered and searched.
  function enhanceTable(spec) {
    const box = page.querySelector('[data-table="' + spec.id + '"]');
    if (!box || !box.querySelector("table")) return;
    const view = viewOf(spec);
    box.querySelectorAll("thead th").forEach((th, n) => {
      const name = th.textContent;
      th.replaceChildren(make("button", { type: "button", class: "sort", onclick: () => {
        if (view.sort !== n) [view.sort, view.down] = [n, false];
        else if (!view.down) view.down = true;
        else [view.sort, view.down] = [-1, false];
        view.page = 0;
        draw(spec, box);
      } }, name, make("span", { class: "arrow", "aria-hidden": "true" })));
    });
    if (spec.rows >= fewRows) box.querySelector(".tools").append(...toolsOf(spec, box));
    const foot = make("div", { class: "foot-of-table" }, make("p", { role: "status", class: "note" }), pagerOf(spec, box));
    box.append(foot);
    if (spec.rows < spec.total) box.append(make("p", { class: "note" }, T("js.rows.more", number(spec.rows), number(spec.total))));
    draw(spec, box);
  }

  // likeOf chooses the rows of a rule with a reason. A word "…" of the reason stands for any word.
  function likeOf(spec, rule, reason) {
    const rules = spec.all.find((c) => c.name === "rule");
    const reasons = spec.all.find((c) => c.name === "reason");
    const words = reason.split(" ");
    const alike = (text) => {
      const others = text.split(" ");
      return others.length === words.length && words.every((w, n) => w === "…" || w === others[n]);
    };
    return { reason, matches: (i) => (!rules || rules.get(i) === rule) && (!reasons || alike(reasons.get(i))) };
  }

  // show opens the table with the names behind a reason.
  function show(button) {
    const spec = specs.find((s) => s.id === button.dataset.show);
    const box = page.querySelector('[data-table="' + button.dataset.show + '"]');
    if (!spec || !box || !box.querySelector("table")) return;
    const view = viewOf(spec);
    Object.assign(view, { search: "", filters: {}, like: likeOf(spec, button.dataset.rule, button.dataset.reason), page: 0 });
    if (spec.rows >= fewRows || view.like) box.querySelector(".tools").replaceChildren(...toolsOf(spec, box));
    draw(spec, box);
    const heading = document.getElementById(spec.id);
    (heading || box).scrollIntoView();
    box.querySelector(".scroll").focus({ preventScroll: true });
  }

  // --- a person --------------------------------------------------------------------------------------------------
  // quoted makes a name one word of a shell, or gives none where a shell could read it as something else.
  function quoted(name) {
    if (/^[A-Za-z0-9@._+][A-Za-z0-9@._+-]*$/.test(name)) return name;
    if (!name || name.startsWith("-") || name.includes("\ufffd")) return "";
    return "'" + name.replaceAll("'", "'\\''") + "'";
  }

  let dialog;
  let before = "";

  function openPerson(id) {
    const place = people ? [...Array(data.people.count).keys()].find((p) => people.id(p) === id) : undefined;
    if (place === undefined) return;
    if (!dialog) {
      dialog = make("dialog", { class: "person", "aria-labelledby": "person-h" });
      document.body.append(dialog);
      dialog.addEventListener("close", () => {
        const link = [...page.querySelectorAll("a.name")].find((a) => a.getAttribute("href") === location.hash);
        history.replaceState(null, "", before || "#");
        // The browser gives the focus back, but the table may have been drawn anew meanwhile.
        if (link && !page.contains(document.activeElement)) link.focus();
      });
      dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
    }
    const parts = [];
    for (const spec of specs) {
      const whom = spec.all.find((c) => c.kind === "person");
      if (!whom) continue;
      for (let i = 0; i < spec.rows; i++) {
        if (whom.get(i) === place) parts.push(partOf(spec, i));
      }
    }
    const upn = people.upn(place);
    const name = quoted(upn) || quoted(people.id(place));
    dialog.replaceChildren(
      make("div", { class: "person-top" }, make("h2", { id: "person-h", tabindex: "-1" }, make("bdi", {}, personLabel(place))), make("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, T("js.close"))),
      make("p", { class: "below" }, make("bdi", {}, upn), people.department(place) ? " · " : "", make("bdi", {}, people.department(place))),
      make("p", { class: "below" }, T("js.person.id") + " ", make("code", {}, people.id(place))),
      ...(parts.length ? parts : [make("p", { class: "empty" }, T("js.person.none"))]),
      ...(data.command && name ? [make("h3", {}, T("js.commands")), make("pre", { class: "command", tabindex: "0" }, make("code", {}, "idleseat explain " + name + "\nidleseat history " + name))] : []),
    );
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("h2").focus();
  }

  // partOf shows one row of a table as a list of its columns.
  function partOf(spec, i) {
    const list = make("dl", {});
    for (const column of spec.all) {
      if (column.kind === "person" || column.name === "department" || column.text(i) === "") continue;
      const value = column.lines ? column.lines(i).map((l) => make("bdi", { class: "pair" }, l)) : [make("bdi", { lang: column.lang }, column.text(i))];
      list.append(make("div", {}, make("dt", {}, T("col." + column.name)), make("dd", {}, ...value)));
    }
    return make("section", {}, make("h3", {}, T("table." + spec.id)), list);
  }

  function follow() {
    if (!location.hash.startsWith("#person=")) {
      before = location.hash;
      if (dialog && dialog.open) dialog.close();
      return;
    }
    try {
      openPerson(decodeURIComponent(location.hash.slice("#person=".length)));
    } catch (e) {
      if (!(e instanceof URIError)) throw e; // an address that no link of the page has
    }
  }

  // --- the whole -------------------------------------------------------------------------------------------------
  function enhance() {
    for (const spec of specs) enhanceTable(spec);
    for (const button of page.querySelectorAll("[data-show]")) button.addEventListener("click", () => show(button));
    for (const button of page.querySelectorAll("[data-to]")) {
      if (button.closest(".pager")) continue;
      button.addEventListener("click", () => {
        remember("lang", button.dataset.to);
        speak(button.dataset.to);
        const back = page.querySelector(".controls [data-to]");
        if (back) back.focus();
      });
    }
    for (const button of page.querySelectorAll("[data-theme-to]")) {
      button.addEventListener("click", () => {
        root.dataset.theme = button.dataset.themeTo;
        remember("theme", button.dataset.themeTo);
        const other = page.querySelector('[data-theme-to="' + (button.dataset.themeTo === "dark" ? "light" : "dark") + '"]');
        if (other) other.focus();
      });
    }
  }

  const lang = wanted();
  if (lang !== root.lang) speak(lang);
  else enhance();
  narrow.addEventListener("change", () => {
    for (const spec of specs) {
      const box = page.querySelector('[data-table="' + spec.id + '"]');
      if (box && box.querySelector("table")) draw(spec, box);
    }
  });
  window.addEventListener("hashchange", follow);
  follow();
})();
