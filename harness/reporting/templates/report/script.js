"use strict";
(() => {
  // Filters of a matrix: a row stays where its name and suite fit and one of its marks that count has the state.
  function filterMatrix(bar) {
    const table = document.getElementById(`${bar.dataset.filter}-table`);
    const by = Object.fromEntries([...bar.querySelectorAll("[data-by]")].map((input) => [input.dataset.by, input.value]));
    const text = by.text.trim().toLowerCase();
    const rows = [...table.tBodies[0].rows];
    let count = 0;
    for (const row of rows) {
      const name = row.cells[0].textContent.toLowerCase();
      const cells = [...row.querySelectorAll("[data-codes]")];
      const counting = by.column === "" ? cells : cells.filter((cell) => cell.dataset.column === by.column);
      const codes = counting.map((cell) => (by.level === "" ? cell.dataset.codes : cell.dataset.codes[by.level]));
      const fits = name.includes(text)
        && (by.suite === "" || row.dataset.suite === by.suite)
        && (by.state === ""
          ? codes.length > 0
          : codes.some((code) => code.includes(by.state))
            || (by.state === "f" && by.level === "" && counting.some((cell) => cell.classList.contains("failed"))));
      row.hidden = !fits;
      count += fits;
    }
    for (const cell of table.querySelectorAll("[data-column]")) {
      cell.hidden = by.column !== "" && cell.dataset.column !== by.column;
    }
    for (const mark of table.querySelectorAll("[data-level]")) {
      mark.hidden = by.level !== "" && mark.dataset.level !== by.level;
    }
    bar.querySelector("output").textContent = `${count} of ${rows.length}`;
  }

  for (const bar of document.querySelectorAll("[data-filter]")) {
    bar.addEventListener("input", () => filterMatrix(bar));
    bar.querySelector("[data-reset]").addEventListener("click", () => {
      for (const input of bar.querySelectorAll("[data-by]")) input.value = "";
      filterMatrix(bar);
      bar.querySelector("[data-by=text]").focus();
    });
  }

  const faults = [...document.querySelectorAll("details.fault")];
  const faultText = document.getElementById("fault-text");
  if (faultText) {
    faultText.addEventListener("input", () => {
      const text = faultText.value.trim().toLowerCase();
      for (const fault of faults) fault.hidden = !fault.textContent.toLowerCase().includes(text);
      const count = faults.filter((fault) => !fault.hidden).length;
      document.getElementById("fault-count").textContent = `${count} of ${faults.length}`;
    });
  }
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => {
      for (const fault of faults) if (!fault.hidden) fault.open = button.dataset.open === "all";
    });
  }

  // A link to a fault, or to a place of one, opens it, and moves the focus there.
  function openTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.fault, details.place")) return;
    const fault = target.closest("details.fault");
    fault.hidden = false;
    fault.open = true;
    target.open = true;
    target.querySelector("summary").focus();
    target.scrollIntoView();
  }
  addEventListener("hashchange", openTarget);
  openTarget();

  // Paper opens nothing: faults and places that are closed are opened for it, and closed again afterwards.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.fault:not([open]), details.place:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
