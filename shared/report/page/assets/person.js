// The view of a person, and what happens when the page opens.
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
