"use strict";
(() => {
  // What needs scripts is shown by this class.
  document.documentElement.classList.add("js");
  const status = document.getElementById("status");
  let clearing = 0;

  function say(words) {
    status.textContent = words;
    clearTimeout(clearing);
    clearing = setTimeout(() => { status.textContent = ""; }, 2500);
  }

  async function copy(element) {
    const text = element.textContent;
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const selection = getSelection();
      selection.selectAllChildren(element);
      return document.execCommand("copy");
    }
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const isCopied = await copy(document.getElementById(button.dataset.copy));
      say(isCopied ? "Copied" : "Not copied: select the text and copy it");
    });
  }
})();
