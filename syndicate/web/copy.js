// The buttons that copy an address. Without JavaScript they do not show, and
// one click marks the whole address.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("button.copy")) {
    const address = document.getElementById(button.dataset.copies);
    const name = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(address.textContent);
      } catch (_) { // no leave, or no secure page
        getSelection().selectAllChildren(address);
        document.execCommand("copy");
      }
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = name; }, 2000);
    });
  }
})();
