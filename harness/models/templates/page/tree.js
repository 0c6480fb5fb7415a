"use strict";
(() => {
  const table = document.getElementById("tree");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  const bar = document.querySelector("[data-tree-bar]");
  const text = bar.querySelector("[data-by=text]");
  const code = bar.querySelector("[data-by=code]");
  const parents = new Map();
  const buttons = new Map(rows.map((row) => [row, row.querySelector("button.fold")]));
  const words = new Map(rows.map((row) => [row, wordsOf(row).toLowerCase()]));

  // Rows stand in the order of the tree: the parent of a row is the nearest one above it that is less deep.
  const path = [];
  for (const row of rows) {
    const depth = Number(row.dataset.depth);
    path.length = depth;
    parents.set(row, path[depth - 1]);
    path.push(row);
  }

  function wordsOf(row) {
    const [name, kind] = row.cells;
    return `${name.textContent} ${name.querySelector("code").title} ${kind.textContent}`;
  }

  const isOpen = (row) => buttons.get(row)?.getAttribute("aria-expanded") === "true";
  const isFiltered = () => text.value.trim() !== "" || code.value !== "";

  function setOpen(row, open) {
    buttons.get(row)?.setAttribute("aria-expanded", String(open));
  }

  // A filter shows the rows that fit, and those that they lie below, whatever is open.
  function fittingRows() {
    const sought = text.value.trim().toLowerCase();
    const fitting = rows.filter((row) => words.get(row).includes(sought) && row.dataset.codes.includes(code.value));
    const shown = new Set();
    for (const row of fitting) for (let each = row; each && !shown.has(each); each = parents.get(each)) shown.add(each);
    return [fitting.length, shown];
  }

  function update() {
    if (isFiltered()) {
      const [count, shown] = fittingRows();
      for (const row of rows) row.hidden = !shown.has(row);
      bar.querySelector("output").textContent = `${count} of ${rows.length} rows`;
      return;
    }
    for (const row of rows) {
      const parent = parents.get(row);
      row.hidden = Boolean(parent) && (parent.hidden || !isOpen(parent));
    }
    bar.querySelector("output").textContent = `${rows.length} rows`;
  }

  function focusRow(row) {
    if (row) (buttons.get(row) ?? row).focus();
  }

  function toggle(row, open) {
    setOpen(row, open);
    update();
  }

  for (const [row, button] of buttons) {
    button?.addEventListener("click", () => toggle(row, !isOpen(row)));
  }
  bar.addEventListener("input", update);
  for (const button of bar.querySelectorAll("[data-tree-open]")) {
    button.addEventListener("click", () => {
      for (const row of rows) setOpen(row, button.dataset.treeOpen === "all" || !parents.get(row));
      update();
    });
  }

  // The arrows go through the tree as in a list of folders; Tab goes from button to button as everywhere.
  const moves = {
    ArrowDown: (row, shown, at) => focusRow(shown[at + 1]),
    ArrowUp: (row, shown, at) => focusRow(shown[at - 1]),
    Home: (row, shown) => focusRow(shown[0]),
    End: (row, shown) => focusRow(shown[shown.length - 1]),
    ArrowRight: (row, shown, at) => {
      if (buttons.get(row) && !isOpen(row) && !isFiltered()) toggle(row, true);
      else if (parents.get(shown[at + 1]) === row) focusRow(shown[at + 1]);
    },
    ArrowLeft: (row) => {
      if (isOpen(row) && !isFiltered()) toggle(row, false);
      else focusRow(parents.get(row));
    },
  };
  table.tBodies[0].addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const isOnRow = event.target === row || event.target === buttons.get(row);
    const move = Object.hasOwn(moves, event.key) ? moves[event.key] : undefined;
    if (!move || !isOnRow || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    const shown = rows.filter((each) => !each.hidden);
    move(row, shown, shown.indexOf(row));
  });

  // A link to a row shows it, and every link moves the focus to where it leads.
  function openTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.tabIndex !== -1 || !target.hasAttribute("tabindex")) return;
    if (parents.has(target)) {
      for (let row = parents.get(target); row; row = parents.get(row)) setOpen(row, true);
      update();
      if (target.hidden) {
        text.value = "";
        code.value = "";
        update();
      }
    }
    target.focus();
    target.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", openTarget);
  update();
  openTarget();
})();
