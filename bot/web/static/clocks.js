// Clocks that count down to a due time by the server's clock, and parts of the page that follow what happens.
"use strict";
(() => {
  const shown = Number(document.body.dataset.now);
  let base = shown, at = performance.now(), speed = 1;
  const now = () => base + (performance.now() - at) * speed;
  const two = (n) => String(n).padStart(2, "0");
  const beijing = (ms) => {
    const d = new Date(ms + 8 * 3600 * 1000);
    return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  };
  const left = (ms) => {
    const s = Math.floor(Math.abs(ms) / 1000), h = Math.floor(s / 3600);
    return (ms < 0 ? "超 " : "") + (h ? `${h}:${two(Math.floor(s / 60) % 60)}` : two(Math.floor(s / 60))) + ":" + two(s % 60);
  };
  const tick = () => {
    const t = now();
    for (const el of document.querySelectorAll("[data-due]")) {
      const rest = Number(el.dataset.due) - t;
      el.textContent = left(rest);
      el.classList.toggle("over", rest < 0);
      el.closest(".wait")?.classList.toggle("late", rest < 0);
    }
    const clock = document.querySelector("[data-clock]");
    if (clock) clock.textContent = beijing(t);
  };
  const live = document.querySelector("[data-live]");
  if (live) {
    let asking = false, again = false;
    const refresh = async () => {
      if (asking) { again = true; return; } // what changes meanwhile is fetched afterwards
      asking = true;
      try {
        const answer = await fetch(live.dataset.live, { headers: { "HX-Request": "true" } });
        if (answer.status === 401) { location.reload(); return; }
        if (answer.ok) live.innerHTML = await answer.text(); // our own template, escaped by the server
      } finally { asking = false; }
      tick();
      if (again) { again = false; refresh(); }
    };
    const events = new EventSource("/live");
    events.addEventListener("board", refresh);
    events.addEventListener("time", (event) => {
      const [ms, factor] = event.data.split(" ").map(Number);
      base = ms; at = performance.now(); speed = factor;
    });
    const cut = document.getElementById("cut");
    events.addEventListener("open", () => { cut.hidden = true; refresh(); });
    events.addEventListener("error", () => { cut.hidden = false; }); // the browser tries again by itself
    events.addEventListener("login", () => location.reload());
    if ("atOnce" in live.dataset) refresh();
  }
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF"] = document.querySelector("meta[name=csrf]").content;
  });
  tick();
  setInterval(tick, 250);
})();
