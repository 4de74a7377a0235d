// The configurator with JavaScript: the result follows the form, and codes are
// copied by a button. Without it the form is sent and the codes are marked by hand.
(() => {
  "use strict";
  const form = document.getElementById("chon");
  let timer = 0, asked = 0;

  const copy = async button => {
    const code = button.closest("section").querySelector("textarea");
    try {
      await navigator.clipboard.writeText(code.value);
    } catch (_) { // no leave, or no secure page
      code.select();
      document.execCommand("copy");
    }
    const was = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = was; }, 2000);
  };

  const dress = () => {
    for (const b of document.querySelectorAll(".codecopy")) {
      b.hidden = false;
      b.addEventListener("click", () => copy(b));
    }
  };

  const follow = async () => {
    const turn = ++asked;
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (value === "") query.delete(name, value);
    const to = form.getAttribute("action") + "?" + query;
    try {
      const answer = await fetch(to);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const result = page.getElementById("ket-qua");
      if (turn !== asked || !result) return;
      document.getElementById("ket-qua").replaceWith(document.adoptNode(result));
      history.replaceState(null, "", to);
      dress();
    } catch (_) { /* the button sends the form */ }
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(follow, 300);
  });
  dress();
})();
