// How a table is sorted, filtered, searched and drawn.
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
    case "text":
    case "reason": {
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
  if (view.like) tools.push(make("span", { class: "like" }, view.like.said));
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
function likeOf(spec, rule, reason, said) {
  const rules = spec.all.find((c) => c.name === "rule");
  const reasons = spec.all.find((c) => c.name === "reason");
  const words = reason.split(" ");
  const alike = (text) => {
    const others = text.split(" ");
    return others.length === words.length && words.every((w, n) => w === "…" || w === others[n]);
  };
  return { said, matches: (i) => (!rules || rules.get(i) === rule) && (!reasons || alike(reasons.get(i))) };
}

// show opens the table with the names behind a reason.
function show(button) {
  const spec = specs.find((s) => s.id === button.dataset.show);
  const box = page.querySelector('[data-table="' + button.dataset.show + '"]');
  if (!spec || !box || !box.querySelector("table")) return;
  const view = viewOf(spec);
  Object.assign(view, { search: "", filters: {}, like: likeOf(spec, button.dataset.rule, button.dataset.reason, button.dataset.said), page: 0 });
  if (spec.rows >= fewRows || view.like) box.querySelector(".tools").replaceChildren(...toolsOf(spec, box));
  draw(spec, box);
  const heading = document.getElementById(spec.id);
  (heading || box).scrollIntoView();
  box.querySelector(".scroll").focus({ preventScroll: true });
}
