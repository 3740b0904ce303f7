// The simulator: one group is shown, somebody of it speaks, and the bot's answers appear as they come.
"use strict";
(() => {
  const stage = document.querySelector(".stage");
  const people = JSON.parse(stage.dataset.people);
  const chat = document.getElementById("chat"), form = document.getElementById("say"), sender = document.getElementById("sender");
  const text = document.getElementById("text"), refused = document.getElementById("refused"), quoting = document.getElementById("quoting");
  const csrf = document.querySelector("meta[name=csrf]").content;
  const buttons = [...document.querySelectorAll("[data-room]")];
  const seen = {};
  let room = buttons[0].dataset.room, counts = {};

  const post = async (path, body) => {
    const answer = await fetch(`/simulator/${path}`, { method: "POST", body, headers: { "X-CSRF": csrf } });
    refused.hidden = answer.ok;
    if (!answer.ok) refused.textContent = answer.status === 400 ? await answer.text() : "没有成功，请刷新页面再试";
    return answer.ok;
  };
  let asking = false, again = false;
  const show = async () => {
    if (asking) { again = true; return; } // answers must not overtake each other
    asking = true;
    try { await fetchChat(); } finally { asking = false; }
    if (again) { again = false; await show(); }
  };
  const fetchChat = async () => {
    const asked = room, count = counts[room];
    const answer = await fetch(`/simulator/chat?room=${encodeURIComponent(asked)}`);
    if (!answer.ok || asked !== room) return;
    const atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80;
    const html = await answer.text();
    chat.innerHTML = html; // our own template, escaped by the server
    if (atEnd) chat.scrollTop = chat.scrollHeight;
    seen[asked] = count;
  };
  const mark = () => {
    for (const button of buttons) {
      const unread = Math.max(0, (counts[button.dataset.room] || 0) - (seen[button.dataset.room] || 0));
      const badge = button.querySelector(".unread");
      badge.hidden = !unread || button.dataset.room === room;
      badge.textContent = unread;
      button.setAttribute("aria-current", String(button.dataset.room === room));
    }
  };
  const quote = (id, words) => {
    form.elements.quote.value = id || "";
    quoting.hidden = !id;
    quoting.querySelector("span").textContent = id ? `引用：${words}` : "";
  };
  const enter = async (next) => {
    room = next;
    document.getElementById("topic").textContent = room;
    const before = sender.value;
    sender.replaceChildren(...people[room].map(([name, role]) => new Option(`${name}（${role}）`, name)));
    if (people[room].some(([name]) => name === before)) sender.value = before;
    quote("");
    await show();
    chat.scrollTop = chat.scrollHeight;
    mark();
    tab("talk");
  };
  const tab = (part) => {
    stage.dataset.shown = part;
    for (const each of document.querySelectorAll("[data-tab]")) each.setAttribute("aria-selected", String(each.dataset.tab === part));
  };
  const say = async () => {
    const body = new FormData(form);
    body.set("room", room);
    if (!form.elements.picture.files.length) body.delete("picture");
    if (!body.get("text").trim() && !body.has("picture")) return;
    const taken = await post("say", body);
    form.elements.picture.value = ""; // a picture that is refused is not tried again with the next words
    if (taken) { text.value = ""; quote(""); }
  };

  for (const button of buttons) button.addEventListener("click", () => enter(button.dataset.room));
  for (const each of document.querySelectorAll("[data-tab]")) each.addEventListener("click", () => tab(each.dataset.tab));
  form.addEventListener("submit", (event) => { event.preventDefault(); say(); });
  text.addEventListener("keydown", (event) => {
    // While an input method composes, Enter chooses a word.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) { event.preventDefault(); say(); }
  });
  form.elements.picture.addEventListener("change", say);
  for (const each of document.querySelectorAll("[data-words]")) each.addEventListener("click", () => { text.value = each.dataset.words; text.focus(); });
  document.querySelector("[data-unquote]").addEventListener("click", () => quote(""));
  chat.addEventListener("click", (event) => {
    const said = event.target.closest("article");
    if (event.target.dataset.quote) { quote(event.target.dataset.quote, said.querySelector(".told")?.textContent.slice(0, 40) || "图片"); text.focus(); }
    if (event.target.dataset.recall) {
      const body = new FormData();
      body.set("room", room); body.set("message", event.target.dataset.recall);
      post("recall", body);
    }
  });
  for (const each of document.querySelectorAll("[data-speed]")) each.addEventListener("click", async () => {
    const body = new FormData();
    body.set("speed", each.dataset.speed);
    if (!await post("speed", body)) return;
    for (const other of document.querySelectorAll("[data-speed]")) other.setAttribute("aria-pressed", String(other === each));
  });
  document.querySelector("[data-jump]").addEventListener("click", () => post("jump", new FormData()));
  new EventSource("/simulator/live").addEventListener("said", async (event) => {
    counts = JSON.parse(event.data);
    await show();
    mark();
  });
  enter(room);
})();
