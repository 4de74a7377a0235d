// What pages gain by a script, and are whole without: how long ago a story came,
// in the place of its day (the bytes of a page say no "now", so that caches keep
// them), the arrow keys in a calendar, and buttons that copy an address. Loaded
// last; asks for nothing.
"use strict";
(() => {
  const ago = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  const times = [...document.querySelectorAll("time.at")].map(t => ({ at: Date.parse(t.dateTime), place: t.lastElementChild, day: t.lastElementChild.textContent }));
  const tell = () => {
    for (const { at, place, day } of times) {
      const minutes = Math.floor((Date.now() - at) / 6e4);
      place.textContent = minutes < 0 || minutes >= 1440 ? day
        : minutes < 1 ? ago.format(0, "second")
        : minutes < 60 ? ago.format(-minutes, "minute") : ago.format(-Math.floor(minutes / 60), "hour");
    }
  };
  tell();
  setInterval(tell, 6e4);
  addEventListener("beforeprint", () => times.forEach(({ place, day }) => { place.textContent = day; }));
  addEventListener("afterprint", tell);

  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  for (const month of document.querySelectorAll(".month")) {
    const cells = [...month.querySelectorAll("td")];
    month.addEventListener("keydown", e => {
      const step = steps[e.key];
      if (!step || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return;
      let i = cells.indexOf(e.target.closest("td")) + step;
      while (cells[i] && !cells[i].querySelector("a")) i += step;
      if (cells[i]) cells[i].querySelector("a").focus();
      e.preventDefault();
    });
  }

  for (const button of document.querySelectorAll("button.copy")) {
    const address = document.getElementById(button.dataset.copies), name = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(address.textContent);
      } catch { // no leave, or no secure page
        getSelection().selectAllChildren(address);
        document.execCommand("copy");
      }
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = name; }, 2000);
    });
  }
})();
