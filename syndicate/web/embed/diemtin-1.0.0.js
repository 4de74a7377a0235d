/* diemtin.js 1.0.0, MIT: <diemtin-feed topics="kinh-te" count="5"> shows a channel;
   frames of /embed/ become as high as what they show. Nothing global but the element. */
(() => {
  "use strict";
  const script = document.currentScript, root = document.documentElement;

  // Within a frame of ours: say how high it is, when that changes or when asked.
  if (root.dataset.diemtin === "frame") {
    if (window.parent === window || !window.ResizeObserver) return;
    const say = () => window.parent.postMessage({diemtin: "height", height: Math.ceil(root.getBoundingClientRect().height)}, "*");
    new ResizeObserver(say).observe(root);
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", say);
    else say(); // nothing is observed in a frame that is not in sight
    window.addEventListener("message", e => { if (e.source === window.parent && e.data && e.data.diemtin === "ask") say(); });
    return;
  }
  if (!window.customElements || customElements.get("diemtin-feed")) return;

  // Around frames of ours: a height counts only from the frame it is for.
  const frames = () => [...document.querySelectorAll("iframe[src*='/embed/']")];
  const originOf = f => new URL(f.src, location.href).origin;
  window.addEventListener("message", e => {
    const h = e.data && e.data.diemtin === "height" ? e.data.height : 0;
    if (!(h > 0 && h < 20000)) return;
    for (const f of frames()) {
      if (f.contentWindow !== e.source || originOf(f) !== e.origin) continue;
      f.style.height = h + "px";
      if (f.clientHeight && f.clientHeight < h) f.style.height = 2 * h - f.clientHeight + "px"; // its border
    }
  });
  for (const f of frames()) if (f.contentWindow) f.contentWindow.postMessage({diemtin: "ask"}, "*"); // one that is not there yet says so when it is

  const home = script && script.src ? script.src.replace(/\/embed\/[^/]*\/diemtin\.js.*$/, "") : "";
  const light = "--p:#fdfdfc;--i:#17181a;--s:#5b5e63;--l:#e2e2de;--a:#b3261a;color-scheme:light;background:var(--p);color:var(--i)";
  const dark = "--p:#141517;--i:#e8e7e4;--s:#a5a8ad;--l:#2f3236;--a:#ff8a76;color-scheme:dark;background:var(--p);color:var(--i)";
  const inherited = "--s:inherit;--l:rgba(128,128,128,.4);--a:currentcolor";
  const rest = ":host([hidden]){display:none}div{min-width:0}section{border-top:3px solid var(--a);padding:.6em .9em .7em;line-height:1.5}" +
    "p,ul{margin:0;padding:0}ul{list-style:none}.t{font-size:1.0625em;font-weight:700;padding-bottom:.4em}a{color:inherit;text-decoration:none}" +
    "a:hover{text-decoration:underline}a:focus-visible{outline:2px solid currentcolor;outline-offset:2px}li{border-top:1px solid var(--l);padding:.55em 0;display:flex;gap:.75em}" +
    "li a{font-weight:500;overflow-wrap:anywhere}.m{font-size:.8125em;line-height:1.85;color:var(--s)}li .m{display:flex;flex-wrap:wrap;gap:0 .9em}" +
    "time{white-space:nowrap;font-variant-numeric:tabular-nums}img{flex:none;width:96px;height:64px;object-fit:cover;border-radius:3px;background:var(--l)}" +
    "ul+.m{border-top:1px solid var(--l);padding-top:.45em}.h{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}";

  const make = (name, cls, text) => {
    const e = document.createElement(name);
    if (cls) e.className = cls;
    if (text) e.textContent = text;
    return e;
  };
  const web = s => /^https?:\/\//i.test(s);
  const link = (text, to) => {
    const e = make("a", "", text);
    if (web(to)) e.href = to;
    e.target = "_blank";
    e.rel = "noopener external";
    return e;
  };
  const tell = (e, lang, own) => { if (lang && lang !== own) e.lang = lang; return e; };

  const row = (it, own, has) => {
    const li = make("li"), box = make("div"), meta = make("p", "m");
    if (has("images", "0") && /^https:/i.test(it.image || "")) {
      const img = make("img");
      img.alt = "";
      img.loading = "lazy";
      img.referrerPolicy = "no-referrer";
      img.src = it.image;
      li.append(img);
    }
    meta.append(make("span", "", it.source));
    if (has("dates", "1")) {
      const time = make("time", "", it.shown);
      time.dateTime = it.date;
      meta.append(time);
    }
    box.append(tell(link(it.title, it.url), it.lang, own), meta);
    li.append(box);
    return li;
  };

  const show = (host, doc, attr) => {
    if (!doc.items.length) return; // what stands in the tag says more
    const has = (name, usual) => (attr(name) || usual) === "1";
    const theme = attr("theme"), accent = attr("accent").replace("#", "");
    const css = ":host{display:block;" + (theme === "dark" ? dark : theme ? light : inherited) + "}" +
      (theme === "auto" ? "@media (prefers-color-scheme:dark){:host{" + dark + "}}" : "") +
      (/^[0-9a-f]{6}$/i.test(accent) ? ":host{--a:#" + accent + "}" : "") + rest;
    const box = make("section"), title = make("p", "t"), list = make("ul"), more = make("p", "m");
    box.lang = doc.lang;
    title.setAttribute("role", "heading");
    title.setAttribute("aria-level", /^[1-6]$/.test(attr("heading")) ? attr("heading") : "2");
    title.append(link(doc.title, doc.page));
    list.append(...doc.items.map(it => row(it, doc.lang, has)));
    more.append(link(doc.more, doc.page));
    box.append(title, make("p", "h", doc.note), list, more);
    const top = host.attachShadow({mode: "open"});
    if ("adoptedStyleSheets" in top && window.CSSStyleSheet && CSSStyleSheet.prototype.replaceSync) { // which no policy forbids
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      top.adoptedStyleSheets = [sheet];
    } else {
      top.append(make("style", "", css));
    }
    top.append(box);
  };

  const started = new WeakSet();
  customElements.define("diemtin-feed", class extends HTMLElement {
    connectedCallback() {
      if (started.has(this)) return;
      started.add(this);
      const attr = name => (this.getAttribute(name) || "").trim();
      const query = new URLSearchParams();
      let path = "";
      for (const n of ["topics", "provinces", "outlets"]) if (attr(n)) { path = "mix/"; query.set(n, attr(n)); }
      for (const n of ["scopes", "channels"]) if (attr(n)) path = n + "/" + encodeURIComponent(attr(n)) + "/";
      for (const n of ["count", "lang", "partner"]) if (attr(n)) query.set(n, attr(n));
      const stop = new AbortController(), late = setTimeout(() => stop.abort(), 10000);
      fetch((attr("service") || home) + "/embed/" + path + "items.json?" + query, {credentials: "omit", signal: stop.signal})
        .then(answer => answer.ok ? answer.json() : Promise.reject())
        .then(doc => show(this, doc, attr))
        .catch(() => { /* what stands in the tag stays */ })
        .finally(() => clearTimeout(late));
    }
  });
})();
